"""Customer 360: one wide row a customer."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql.types import DateType, DoubleType, LongType, MapType, StringType

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID, FIRST_VISIT, LAST_VISIT
from rfm_spark.core.table import Column, Table

LIFETIME_COLUMNS = (
    FIRST_VISIT,
    LAST_VISIT,
    Column("lifetime_visits", LongType(), "Visits up to as_of", required=True),
    Column("lifetime_revenue_cents", LongType(), "Net amount up to as_of", required=True),
    Column("average_receipt_cents", DoubleType(), "Lifetime revenue / visits"),
    Column("interactions", LongType(), "Interactions up to as_of", required=True),
    Column("last_interaction", DateType(), "Day of the last interaction"),
    Column(
        "last_interactions",
        MapType(StringType(), DateType()),
        "Day of the last interaction of each kind, by its name",
        since=2,
    ),
    Column("attributes", MapType(StringType(), StringType()), "Attributes as delivered"),
)
"""What is known of every customer, whatever results there are."""


def customer_360_table(added: Iterable[Column]) -> Table:
    """The table, with the columns that results add."""
    return Table(
        name="customer_360",
        grain="one known customer on one day: anyone with a receipt, an interaction or attributes",
        columns=(AS_OF, CUSTOMER_ID, *added, *LIFETIME_COLUMNS),
        key=("as_of", "customer_id"),
        partition_by=("as_of",),
        sort_by=("customer_id",),
        is_composed=True,
    )
