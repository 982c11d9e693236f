"""Tables of audiences: who was in one, and what came of it."""

from __future__ import annotations

from pyspark.sql.types import DateType, DoubleType, LongType, MapType, StringType

from rfm_spark.core.columns import AS_OF, CUSTOMER_ID
from rfm_spark.core.table import Column, Table

AUDIENCE = Column("audience", StringType(), "Name of the audience", required=True)

AUDIENCES = Table(
    name="audiences",
    grain="one customer in one audience as it was built for one day",
    columns=(
        AUDIENCE,
        AS_OF,
        CUSTOMER_ID,
        Column("audience_group", StringType(), "treated, or holdout: not written to", True),
        Column("segment", StringType(), "Segment of customer_360 on the day", required=True),
        Column("chosen", MapType(StringType(), StringType()), "The audience's columns, as text"),
        Column("definition", StringType(), "The audience's section of the settings, as JSON", True),
    ),
    key=("audience", "as_of", "customer_id"),
    partition_by=("audience", "as_of"),
    sort_by=("customer_id",),
    keeps_decisions=True,
)


def _of_both(
    name: str, kind: LongType | DoubleType, comment: str, since: int = 1
) -> tuple[Column, Column]:
    """A column of each group."""
    return (
        Column(f"treated_{name}", kind, f"Of the treated: {comment}", since=since),
        Column(f"holdout_{name}", kind, f"Of the holdout: {comment}", since=since),
    )


def _with_interval(name: str, comment: str, since: int = 1) -> tuple[Column, Column, Column]:
    return (
        Column(name, DoubleType(), comment, since=since),
        Column(f"{name}_low", DoubleType(), "Its lower end at 95 %", since=since),
        Column(f"{name}_high", DoubleType(), "Its upper end at 95 %", since=since),
    )


AUDIENCE_RESULTS = Table(
    name="audience_results",
    grain="one segment, or all, of an audience as built for one day, up to another",
    columns=(
        AUDIENCE,
        AS_OF,
        Column("until", DateType(), "The last day that counts; the first is after as_of", True),
        Column("segment", StringType(), "Segment when it was built; NULL of the whole audience"),
        *_of_both("customers", LongType(), "customers"),
        *_of_both("responders", LongType(), "customers with a visit in these days"),
        *_of_both("revenue_cents", LongType(), "net amount in these days"),
        *_of_both("response_rate", DoubleType(), "responders / customers"),
        *_of_both("revenue_per_customer_cents", DoubleType(), "revenue / customers"),
        *_with_interval("response_difference", "Response rate of the treated less the holdout's"),
        *_with_interval(
            "revenue_difference_cents", "Revenue per customer of the treated less the holdout's"
        ),
        *_with_interval("extra_revenue_cents", "That difference x treated customers"),
        Column(
            "addressed_by",
            StringType(),
            "Kind of the interactions by which customers were addressed; NULL where not asked for",
            since=2,
        ),
        *_of_both("addressed", LongType(), "customers addressed in these days", 2),
        *_with_interval(
            "addressed_response_effect",
            "Change of the response rate of who was addressed because of being treated",
            since=2,
        ),
        *_with_interval(
            "addressed_revenue_effect_cents", "Change of their revenue per customer", since=2
        ),
    ),
    schema_version=2,
    key=("audience", "as_of", "until", "segment"),
    partition_by=("audience",),
    keeps_decisions=True,
)

AUDIENCE_TABLES = (AUDIENCES, AUDIENCE_RESULTS)
