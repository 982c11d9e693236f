"""Schema 2: digests are of the keys that differ from their defaults.

In release 0.1.0 the fingerprints of deliveries and the digests of boundary sets were of all keys,
so a key that a later release adds would have made every delivery new, and let every held set go.
Those that were made with the present configuration get the digest it has now; what was read or
fitted with another configuration has changed anyway, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from delta.tables import DeltaTable
from pydantic import BaseModel
from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.table import Table
from rfm_spark.ingest.finding import reading_digest
from rfm_spark.ingest.sources import configured_sources
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.result import RESULT as RFM_RESULT
from rfm_spark.results.rfm.tables import RFM_BOUNDARIES
from rfm_spark.run import Run
from rfm_spark.settings.digest import digest_of

_BUSINESS = "time_zone day_start_hour minor_unit_digits guest_ids earliest_date latest_date"
_SOURCE = (
    "path format delivery delimiter encoding multiline types time_zone time_format lookups where "
    "reject columns grain zero_is_visit drop_equal_lines"
)
_COLUMNS = (
    "receipt_id customer_id time quantity unit_price amount items category promotion store_id "
    "channel is_return is_void interaction_id kind value valid_from attributes"
)
_FITTED_BY = "window_days scores recency frequency monetary max_rank_error"
_LOOKUP = "path format on delimiter"
_DIMENSION = "method cuts"


def digests_of_changed_keys(run: Run) -> Iterator[str]:
    """Renames the fingerprints and digests of the present configuration."""
    settings, warehouse = run.settings, run.warehouse
    if warehouse.is_there(DELIVERIES):
        business = _digest(_kept(settings.business, _BUSINESS))
        for label, source in configured_sources(settings).items():
            before = _source_digest(source) + business
            now = reading_digest(source, settings.business)
            is_own = (F.col("source") == label) & F.contains("fingerprint", F.lit(before))
            renamed = F.replace("fingerprint", F.lit(before), F.lit(now))
            yield from _update(run, DELIVERIES, is_own, {"fingerprint": renamed}, label)
    if warehouse.is_there(RFM_BOUNDARIES):
        for name, profile in RFM_RESULT.rules(settings).items():
            if profile.monetary.cuts is not None:  # 0.1.0 read them as minor units
                continue
            fitted = _kept(profile, _FITTED_BY)
            for dimension in ("recency", "frequency", "monetary"):
                fitted[dimension] = _kept(getattr(profile, dimension), _DIMENSION)
            is_own = (F.col("profile") == name) & (F.col("settings_digest") == _digest(fitted))
            digest = {"settings_digest": F.lit(boundary_digest(profile))}
            yield from _update(run, RFM_BOUNDARIES, is_own, digest, name)


def _update(
    run: Run, table: Table, where: Column, values: Mapping[str, Column], label: str
) -> Iterator[str]:
    rows = run.warehouse.read(table).where(where).count()
    if rows:
        stored = DeltaTable.forPath(run.spark, run.warehouse.path(table))
        with run.warehouse.committing(table):
            stored.update(where, dict(values))
        yield f"{table.name}: {', '.join(values)} of {rows:,} rows of {label}"


def _source_digest(source: BaseModel) -> str:
    """As release 0.1.0 worked it out."""
    content = _kept(source, _SOURCE)
    content["columns"] = _kept(source.columns, _COLUMNS)  # type: ignore[attr-defined]
    content["lookups"] = {
        name: _kept(lookup, _LOOKUP)
        for name, lookup in source.lookups.items()  # type: ignore[attr-defined]
    }
    return _digest(content)


def _kept(section: BaseModel, keys: str) -> dict[str, Any]:
    """Of a section, the keys that release 0.1.0 had."""
    return section.model_dump(mode="json", include=set(keys.split()))


def _digest(content: dict[str, Any]) -> str:
    return digest_of(content)
