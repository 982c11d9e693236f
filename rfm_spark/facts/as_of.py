"""As of: the day results describe."""

from __future__ import annotations

from datetime import date

from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.run import Run


def resolved_as_of(run: Run, asked: date | None) -> date:
    """The day asked for, or else the last business day of the data, which the job then knows.

    Raises:
        UserError: if there are no data, or none by that day.
    """
    days = run.warehouse.read(CUSTOMER_DAYS)
    first, last = days.agg(F.min("day"), F.max("day")).collect()[0]
    if last is None:
        raise UserError(f"{run.warehouse.place}: there is no accepted receipt in this warehouse")
    run.last_day = date.fromisoformat(str(last))
    if asked is None:
        return run.last_day
    if asked < first:
        raise UserError(
            f"--as-of {asked}: lies before the data, which begin on {first} and end on {last}"
        )
    return asked
