"""A summary of results, small enough to read: nothing here grows with customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pyspark.sql import Row
from pyspark.sql import functions as F

from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.rfm import profile_slice
from rfm_spark.storage.warehouse import Warehouse, as_of_slice
from rfm_spark.tables import ALL_TABLES, CLUSTERS, COHORTS, RECONCILIATION, RUNS, SEGMENTS
from rfm_spark.transforms.reconciliation import TERMS

WHOLE = ("run", "nightly")
"""Jobs that make every result."""

_CLUSTERS_SHOWN = 5
_COHORTS_SHOWN = 4
_PERIODS_SHOWN = 6


@dataclass(frozen=True)
class Summary:
    """Rows to show after a run.

    Attributes:
        as_of: the day described.
        segments: of the first profile, by revenue.
        reconciliation: of the same, raw first.
        clusters: the largest.
        cohorts: the first cohorts by month, over their first months.
    """

    as_of: date | None
    segments: Sequence[Row] = field(default=())
    reconciliation: Sequence[Row] = field(default=())
    clusters: Sequence[Row] = field(default=())
    cohorts: Sequence[Row] = field(default=())


@dataclass(frozen=True)
class TableFacts:
    """What there is of a table."""

    name: str
    rows: int
    files: int
    bytes: int
    written: datetime


def summary(job: Job, name: str, as_of: date | None) -> Summary:
    """What the job made, to show."""
    if as_of is None:
        return Summary(None)
    return Summary(
        as_of,
        segments=_segments(job, as_of) if name in ("rfm", *WHOLE) else (),
        reconciliation=_reconciliation(job, as_of) if name in ("rfm", *WHOLE) else (),
        clusters=_clusters(job, as_of) if name in ("clusters", *WHOLE) else (),
        cohorts=_cohorts(job, as_of) if name in ("cohorts", *WHOLE) else (),
    )


def table_facts(warehouse: Warehouse) -> list[TableFacts]:
    """Rows, size and last change of every table that is there.

    Raises:
        UserError: if there is none.
    """
    found = []
    for table in ALL_TABLES:
        if warehouse.is_there(table):
            files, size = warehouse.detail(table)
            rows = warehouse.read(table).count()
            written = warehouse.last_written(table)
            found.append(TableFacts(table.name, rows, files, size, written))
    if not found:
        raise UserError(f"{warehouse.place}: there is no table here; run `rfm-spark run` first")
    return found


def last_run(warehouse: Warehouse) -> Row | None:
    """The record of the run that began last; None where none is on record."""
    rows = warehouse.read_or_empty(RUNS).orderBy(F.desc("started_at")).limit(1).collect()
    return rows[0] if rows else None


def _segments(job: Job, as_of: date) -> Sequence[Row]:
    profile = next(iter(job.settings.rfm))
    rows = job.warehouse.read(SEGMENTS).where(profile_slice(profile, as_of))
    return rows.orderBy(F.desc("revenue_cents"), "segment").collect()


def _reconciliation(job: Job, as_of: date) -> Sequence[Row]:
    profile = next(iter(job.settings.rfm))
    rows = job.warehouse.read(RECONCILIATION).where(profile_slice(profile, as_of)).collect()
    return sorted(rows, key=lambda row: TERMS.index(row["term"]))


def _clusters(job: Job, as_of: date) -> Sequence[Row]:
    rows = job.warehouse.read(CLUSTERS).where(as_of_slice(as_of))
    return rows.orderBy(F.desc("customers"), "cluster").limit(_CLUSTERS_SHOWN).collect()


def _cohorts(job: Job, as_of: date) -> Sequence[Row]:
    rows = job.warehouse.read(COHORTS).where(as_of_slice(as_of) & (F.col("grain") == "month"))
    first = rows.select("cohort").distinct().orderBy("cohort").limit(_COHORTS_SHOWN)
    shown = rows.where(F.col("period_index") < _PERIODS_SHOWN)
    return shown.join(first, "cohort").orderBy("cohort", "period_index").collect()
