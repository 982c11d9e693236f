"""As of: the day results describe."""

from __future__ import annotations

from datetime import date

from rfm_spark.core.errors import UserError
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.run import Run


def resolved_as_of(run: Run, asked: date | None) -> date:
    """The day asked for, or else the last business day of the data, which the job then knows.

    Raises:
        UserError: if there are no data, or none by that day.
    """
    first: date | None
    last: date | None
    first, last = run.warehouse.bounds(CUSTOMER_DAYS, "day")
    what = "receipt"
    if run.settings.receipts is None:
        first, last = run.warehouse.bounds(CUSTOMER_DAY_EVENTS, "day")
        what = "interaction"
    if first is None or last is None:
        raise UserError(f"{run.warehouse.place}: there is no accepted {what} in this warehouse")
    run.last_day = last
    if asked is None:
        return last
    if asked < first:
        raise UserError(
            f"--as-of {asked}: lies before the data, which begin on {first} and end on {last}"
        )
    return asked
