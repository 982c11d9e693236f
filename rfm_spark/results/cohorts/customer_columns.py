"""What cohorts add to `customer_360`: when and how each customer was won."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StructType

from rfm_spark.core.columns import CUSTOMER_ID
from rfm_spark.core.table import Column
from rfm_spark.facts.tables import ACQUISITION, FIRST_RECEIPTS
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.declaration import CustomerColumns, Request
from rfm_spark.storage.local_rows import local_rows


def acquisition(request: Request[Cohorts]) -> DataFrame:
    """How everybody was won who had come by the day.

    Returns:
        One row per customer: `customer_id` and ACQUISITION; none where receipts tell nothing of it.
    """
    run, columns = request.run, (CUSTOMER_ID, *ACQUISITION)
    if not run.settings.receipt_context:
        return local_rows(run.spark, [], StructType([column.field() for column in columns]))
    by_then = F.col("day") <= F.lit(request.as_of)
    return run.read(FIRST_RECEIPTS).where(by_then).select(*[column.name for column in columns])


COHORT_COLUMNS = CustomerColumns(
    columns=(
        Column("cohort_month", DateType(), "First day of the month of the first visit"),
        *ACQUISITION,
    ),
    rows=acquisition,
    values=lambda _: {"cohort_month": F.trunc("first_visit", "month")},
    reads=(FIRST_RECEIPTS,),
)
