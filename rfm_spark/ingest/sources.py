"""Sources: from configured columns to checked rows, for receipts, interactions and customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.files.file_columns import misnamed_keys
from rfm_spark.ingest.files.raw_files import Delivery, find_deliveries, paths_of, read_rows
from rfm_spark.ingest.problems.column_problems import column_problems, source_fields
from rfm_spark.ingest.rows.attributes import customer_rows
from rfm_spark.ingest.rows.business_time import Calendar
from rfm_spark.ingest.rows.delivered import delivered_fields, with_dropped, with_row_digest
from rfm_spark.ingest.rows.interactions import interaction_rows
from rfm_spark.ingest.rows.receipt_lines import ReceiptRules, receipt_lines
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.settings.sources import Customers, Interactions, Receipts, Source

RECEIPTS, CUSTOMERS = "receipts", "customers"


def configured_sources(settings: ShopSettings) -> dict[str, Source]:
    """Every source by its label, as it is written in the configuration."""
    sources: dict[str, Source] = {RECEIPTS: settings.receipts}
    sources |= {f"interactions.{name}": one for name, one in settings.interactions.items()}
    if settings.customers is not None:
        sources[CUSTOMERS] = settings.customers
    return sources


def source_problems(run: Run) -> list[str]:
    """What does not fit between the configuration and the input, over all sources at once."""
    problems: list[str] = []
    for label, source in configured_sources(run.settings).items():
        try:
            deliveries = find_deliveries(run.spark, source, run.input, label)
            rows = read_rows(run.spark, source, deliveries, run.input, label)
            problems += column_problems(run, rows, source, label, deliveries)
            problems += first_problems(run, source, label, deliveries)
        except UserError as error:
            problems += error.problems
    return problems


def first_problems(
    run: Run, source: Source, label: str, deliveries: list[Delivery]
) -> Iterable[str]:
    """What can only be suspected, and so is told before a source brings anything, not later."""
    if source.format == "json":
        yield from misnamed_keys(run.spark, source, paths_of(source, deliveries)[0], label)


def checked_rows(
    run: Run,
    label: str,
    source: Source,
    deliveries: list[Delivery],
    groups: Sequence[Sequence[Delivery]] = (),
) -> DataFrame:
    """Typed rows of some deliveries, with every reason why one cannot be used.

    Args:
        run: the run.
        label: of the source.
        source: where they lie, and how they are read.
        deliveries: to be read.
        groups: those to be read, if not all, of which the same was asked before; of a group by
            tasks of their own.

    Returns:
        One row per raw row: `receipt_lines`, `interaction_rows` or `customer_rows`.

    Raises:
        UserError: naming every expression that does not fit the columns.
    """
    raw = read_rows(run.spark, source, deliveries, run.input, label, groups)
    problems = [] if groups else column_problems(run, raw, source, label, deliveries)
    if problems:
        raise UserError(problems)
    own = raw if source.where is None else raw.where(F.expr(source.where))
    rows = delivered_fields(own, source_fields(source), source.reject)
    business = run.settings.business
    calendar = Calendar(
        business.time_zone, business.day_start_hour, source.time_zone or business.time_zone
    )
    if isinstance(source, Receipts):
        if source.columns.receipt_id is None:
            named = F.concat_ws("#", "delivery", "row")
            rows = with_row_digest(rows).withColumn("receipt_id", named).drop("row")
        rows = with_dropped(rows, source.drop_equal_lines)
        return receipt_lines(rows, _receipt_rules(run.settings, source, calendar))
    if isinstance(source, Interactions):
        dates = (business.earliest_date, business.latest_date)
        name = label.partition(".")[2]
        return interaction_rows(rows, name, calendar, source.time_format, dates, business.guest_ids)
    if isinstance(source, Customers):
        names = list(source.columns.attributes)
        return customer_rows(
            rows, names, business.time_zone, source.time_format, business.guest_ids
        )
    raise TypeError(f"{type(source).__name__} is no source of rows")


def _receipt_rules(settings: ShopSettings, source: Receipts, calendar: Calendar) -> ReceiptRules:
    return ReceiptRules(
        calendar=calendar,
        time_format=source.time_format,
        minor_unit_digits=settings.business.minor_unit_digits,
        guest_ids=settings.business.guest_ids,
        one_row_per_receipt=source.grain == "receipt",
        zero_is_visit=source.zero_is_visit,
        earliest_date=settings.business.earliest_date,
        latest_date=settings.business.latest_date,
    )
