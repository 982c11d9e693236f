"""Days of customers: which of `customer_360` is listed, and its rows."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame

from rfm_spark.core.errors import UserError
from rfm_spark.results.registry import CUSTOMER_360
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import as_of_slice

_FEW_DAYS = 3


def stored_day(run: Run, asked: date | None) -> date:
    """The day asked for, or the newest, of `customer_360`.

    Raises:
        UserError: if it is not stored.
    """
    days = list(run.warehouse.days(CUSTOMER_360))
    if not days:
        raise UserError(
            f"{run.warehouse.path(CUSTOMER_360)}: has no day: run `rfm-spark run` first"
        )
    if asked is None or asked in days:
        return asked or days[-1]
    near = sorted(sorted(days, key=lambda one: abs(one - asked))[:_FEW_DAYS])
    raise UserError(
        f"--as-of {asked}: no customers are stored of that day (near it: "
        f"{', '.join(map(str, near))}): run `rfm-spark run --as-of {asked}` first"
    )


def customers_of_day(run: Run, day: date) -> DataFrame:
    """Rows of `customer_360` of a day."""
    return run.read(CUSTOMER_360).where(as_of_slice(day))
