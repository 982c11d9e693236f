"""Sources: reads and validates the rows of configured receipts, interactions and customers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.deliveries import Delivery, find_deliveries
from rfm_spark.ingest.files.generations import Generation
from rfm_spark.ingest.files.lookups import Dating, money_not_looked_up, with_lookups
from rfm_spark.ingest.files.raw_files import RawRows, read_rows
from rfm_spark.ingest.problems.column_problems import column_problems, source_fields
from rfm_spark.ingest.problems.json_keys import absent_keys, key_problems
from rfm_spark.ingest.rows.attributes import customer_rows
from rfm_spark.ingest.rows.business_time import Calendar
from rfm_spark.ingest.rows.customer_totals import TotalsRules, totals_rows
from rfm_spark.ingest.rows.delivered import (
    DELIVERY,
    FILE,
    MALFORMED,
    RAW,
    delivered_fields,
    with_is_dropped,
    with_row_digest,
)
from rfm_spark.ingest.rows.expressions import expression_column
from rfm_spark.ingest.rows.identities import identity_rows
from rfm_spark.ingest.rows.interactions import interaction_rows
from rfm_spark.ingest.rows.left_out import left_out_counts
from rfm_spark.ingest.rows.receipt_lines import ReceiptRules, receipt_lines
from rfm_spark.ingest.rows.rules import AllowedDays
from rfm_spark.ingest.versions.line_states import with_older_states_dropped
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.settings.sources import (
    Customers,
    CustomerTotals,
    Identities,
    Interactions,
    Receipts,
    Source,
)

_NOTHING = "nothing"
"""The column of rows that are none."""

TOTALS_LABEL, CUSTOMERS_LABEL, IDENTITIES_LABEL = "customer_totals", "customers", "identities"


def configured_sources(settings: ShopSettings) -> dict[str, Source]:
    """Configured sources by label: the name of their section in the configuration."""
    sources: dict[str, Source] = dict(settings.feeds)
    if settings.customer_totals is not None:
        sources[TOTALS_LABEL] = settings.customer_totals
    sources |= {f"interactions.{name}": source for name, source in settings.interactions.items()}
    if settings.customers is not None:
        sources[CUSTOMERS_LABEL] = settings.customers
    if settings.identities is not None:
        sources[IDENTITIES_LABEL] = settings.identities
    return sources


def in_two_feeds(deliveries: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Messages on deliveries that more than one feed of receipts brings: each would replace it.

    Args:
        deliveries: label of each feed to the names of its deliveries.
    """
    labels: dict[str, list[str]] = {}
    for label, names in deliveries.items():
        for name in names:
            labels.setdefault(name, []).append(label)
    for name, of in sorted(labels.items()):
        if len(of) > 1:
            yield (
                f"{name}: is a delivery of {' and '.join(f'[{label}]' for label in of)}: give each "
                "feed a path of its own"
            )


def source_problems(run: Run) -> list[str]:
    """Messages on all mismatches between the configuration and the input, of all sources."""
    problems: list[str] = []
    of_feeds: dict[str, list[str]] = {}
    for label, source in configured_sources(run.settings).items():
        try:
            deliveries = find_deliveries(run.sessions, source, run.input, label)
            if label in run.settings.feeds:
                of_feeds[label] = [delivery.name for delivery in deliveries]
            raw = _raw_rows(run, label, source, deliveries)
            problems += column_problems(run, raw, source, label)
            first_and_last = [deliveries[0], *deliveries[1:][-1:]]
            problems += _json_problems(run, raw, source, label, first_and_last, True)
        except UserError as error:
            problems += error.problems
    return [*problems, *in_two_feeds(of_feeds)]


def _raw_rows(
    run: Run,
    label: str,
    source: Source,
    deliveries: list[Delivery],
    groups: Sequence[Sequence[Delivery]] = (),
    generations: Sequence[Generation] = (),
) -> RawRows:
    """Raw rows of deliveries, with a struct column per look-up of their source."""
    raw = read_rows(run.spark, source, deliveries, label, groups, generations)
    rows = with_lookups(run.spark, raw.rows, source, run.input, label, _dating(run, source))
    return replace(raw, rows=rows)


def _json_problems(
    run: Run,
    raw: RawRows,
    source: Source,
    label: str,
    deliveries: list[Delivery],
    is_first_load: bool,
) -> list[str]:
    """Messages on declared keys that deliveries lack; those that may be right become notes."""
    if source.format != "json":
        return []
    absent = absent_keys(run.spark, source, deliveries, raw.generations, label)
    problems, notes = key_problems(raw.rows, source, absent, label, is_first_load)
    run.notes.extend(notes)
    return problems


@dataclass(frozen=True)
class CheckedRows:
    """Rows of deliveries, and what is not among them.

    Attributes:
        rows: one row per raw row that belongs to the source: `receipt_lines`, `totals_rows`,
            `interaction_rows`, `customer_rows` or `identity_rows`.
        left_out: `left_out_counts` of the source's filter; None without a filter.
        generations: of the files that were read.
    """

    rows: DataFrame
    left_out: DataFrame | None
    generations: Sequence[Generation]


def checked_rows(
    run: Run,
    label: str,
    source: Source,
    deliveries: list[Delivery],
    groups: Sequence[Sequence[Delivery]] = (),
    generations: Sequence[Generation] = (),
    is_first_load: bool = False,
) -> CheckedRows:
    """Typed rows of deliveries, with all rejection reasons.

    Args:
        run: the run.
        label: configuration section of the source.
        source: source of the deliveries.
        deliveries: deliveries to read.
        groups: groups of deliveries to read instead of all, each by tasks of its own; the columns
            must have been checked before.
        generations: of the files of all deliveries, where these have been looked at before.
        is_first_load: whether nothing of the source has been taken in.

    Raises:
        UserError: with every expression that does not match the columns.
    """
    found = _raw_rows(run, label, source, deliveries, groups, generations)
    raw, generations = found.rows, found.generations
    if not groups:
        problems = column_problems(run, found, source, label)
        problems += _json_problems(run, found, source, label, deliveries, is_first_load)
        if problems:
            raise UserError(problems)
    if source.where is None:
        return CheckedRows(_source_rows(run, label, source, raw), None, generations)
    # Of a row that could not be read the filter tells nothing: it is rejected, not left out.
    is_unread = F.col(MALFORMED) != ""
    asked = expression_column(source.where, raw.columns)
    where = F.when(is_unread & asked.isNull(), True).otherwise(asked)
    rows = _source_rows(run, label, source, raw.where(where))
    return CheckedRows(rows, left_out_counts(raw, where), generations)


def no_rows(run: Run, label: str, source: Source) -> DataFrame:
    """The rows of a delivery that has none, whatever its files would look like."""
    names = (DELIVERY, FILE, RAW, MALFORMED)
    fields = {name: field and _NOTHING for name, field in source_fields(source).items()}
    nothing = F.lit(None).cast("string").alias(_NOTHING)  # of text, Spark would try each cast
    raw = run.spark.range(0).select(*[F.lit("").alias(name) for name in names], nothing)
    return _rows_of_fields(run, label, source, delivered_fields(raw, fields, {}))


def _source_rows(run: Run, label: str, source: Source, raw: DataFrame) -> DataFrame:
    """Fields of raw rows that belong to a source, typed and with all rejection reasons."""
    without_money = money_not_looked_up(raw, source) if isinstance(source, Receipts) else {}
    rows = delivered_fields(raw, source_fields(source), source.reject, without_money)
    return _rows_of_fields(run, label, source, rows)


def _rows_of_fields(run: Run, label: str, source: Source, rows: DataFrame) -> DataFrame:
    business, calendar = run.settings.business, _calendar(run, source)
    if isinstance(source, Receipts):
        if source.columns.receipt_id is None:
            row_id = F.concat_ws("#", "delivery", "row")
            rows = with_row_digest(rows).withColumn("receipt_id", row_id).drop("row")
        # Of rows that are whole receipts, equal ones are found where their ids repeat.
        rows = with_is_dropped(rows, source.drop_equal_lines and source.grain == "line")
        lines = receipt_lines(rows, _receipt_rules(run, label, source, calendar))
        has_states = source.grain == "line" and source.columns.version is not None
        return with_older_states_dropped(lines) if has_states else lines
    if isinstance(source, CustomerTotals):
        return totals_rows(rows, _totals_rules(run, source, calendar))
    if isinstance(source, Interactions):
        days = allowed_days(run)
        name = label.partition(".")[2]
        return interaction_rows(rows, name, calendar, source.time_format, days, business.guest_ids)
    if isinstance(source, Customers):
        names = list(source.columns.attributes)
        return customer_rows(
            rows, names, business.time_zone, source.time_format, business.guest_ids
        )
    if isinstance(source, Identities):
        return identity_rows(rows, business.time_zone, source.time_format, business.guest_ids)
    raise TypeError(f"{type(source).__name__} is no source of rows")


def _calendar(run: Run, source: Source) -> Calendar:
    business = run.settings.business
    return Calendar(
        business.time_zone, business.day_start_hour, source.time_zone or business.time_zone
    )


def _dating(run: Run, source: Source) -> Dating | None:
    if not isinstance(source, Receipts):
        return None
    calendar, days = _calendar(run, source), allowed_days(run)
    return Dating(source.columns.time, source.time_format, calendar, days.earliest, days.last)


def allowed_days(run: Run) -> AllowedDays:
    """Days that rows can be of: none ahead of the clock, or of the night that is asked for."""
    business = run.settings.business
    today = max(run.today, run.night or run.today)
    ahead = timedelta(days=run.settings.ingest.max_future_days)
    return AllowedDays(business.earliest_date, business.latest_date, today + ahead)


def _totals_rules(run: Run, source: CustomerTotals, calendar: Calendar) -> TotalsRules:
    settings = run.settings
    return TotalsRules(
        calendar=calendar,
        time_format=source.time_format,
        minor_unit_digits=settings.business.minor_unit_digits,
        guest_ids=settings.business.guest_ids,
        days=allowed_days(run),
    )


def _receipt_rules(run: Run, label: str, source: Receipts, calendar: Calendar) -> ReceiptRules:
    settings = run.settings
    feed = label.partition(".")[2]
    has_own_ids = feed and source.columns.receipt_id is not None and not source.shares_ids
    return ReceiptRules(
        calendar=calendar,
        time_format=source.time_format,
        minor_unit_digits=settings.business.minor_unit_digits,
        guest_ids=settings.business.guest_ids,
        one_row_per_receipt=source.grain == "receipt",
        zero_is_visit=source.zero_is_visit,
        id_prefix=f"{feed}:" if has_own_ids else "",
        days=allowed_days(run),
    )
