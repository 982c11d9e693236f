"""As of: the day results describe."""

from __future__ import annotations

from datetime import date

from rfm_spark.core.errors import UserError
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.run import Run


def days_of_data(run: Run) -> tuple[date, date] | None:
    """The first and the last business day: of receipts, or of what a shop has in their place.

    None without data.
    """
    table, day = CUSTOMER_DAYS, "day"
    if run.settings.customer_totals is not None:
        table, day = CUSTOMER_TOTALS, "as_of"
    elif run.settings.receipts is None:
        table = CUSTOMER_DAY_EVENTS
    first, last = run.warehouse.bounds(table, day)
    return None if first is None or last is None else (first, last)


def resolved_as_of(run: Run, asked: date | None, option: str = "--as-of") -> date:
    """The day asked for, or else the last business day of the data, which the job then knows.

    Args:
        run: the run.
        asked: None for the last.
        option: by which it was asked for.

    Raises:
        UserError: if there are no data, or none by that day.
    """
    has_totals = run.settings.customer_totals is not None
    found = days_of_data(run)
    if found is None:
        what = "interaction" if run.settings.receipts is None else "receipt"
        what = "row of totals" if has_totals else what
        raise UserError(f"{run.warehouse.place}: there is no accepted {what} in this warehouse")
    first, last = found
    run.last_day = last
    if asked is None:
        return last
    if asked < first and has_totals:
        raise UserError(
            f"{option} {asked}: the first totals of customers are as of {first}; what had been "
            "bought by an earlier day cannot be told from them"
        )
    if asked < first:
        raise UserError(
            f"{option} {asked}: lies before the data, which begin on {first} and end on {last}"
        )
    return asked
