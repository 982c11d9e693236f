"""What scores add to `customer_360`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StringType, StructField, StructType

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Column
from rfm_spark.results.declaration import CustomerColumns, Request
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.segments import PROSPECT
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.tables import (
    F_SCORE,
    FREQUENCY,
    M_SCORE,
    MONETARY_CENTS,
    R_SCORE,
    RATIOS,
    RECENCY_DAYS,
    RFM,
    RFM_CELL,
    RFM_TOTAL,
    VALUE,
    VALUE_UNIT,
)
from rfm_spark.results.rfm.values import stored_value

_OF_ONE_PROFILE = (
    Column("segment", StringType(), "Lifecycle segment"),
    RECENCY_DAYS,
    FREQUENCY,
    VALUE,
    VALUE_UNIT,
    R_SCORE,
    F_SCORE,
    M_SCORE,
    RFM_CELL,
    RFM_TOTAL,
)
"""What `customer_360` has of every profile."""

_OF_LEADING_PROFILE = (
    "segment",
    *[
        column.name
        for column in (RECENCY_DAYS, FREQUENCY, MONETARY_CENTS, *RATIOS, R_SCORE, F_SCORE, M_SCORE)
    ],
    RFM_CELL.name,
    RFM_TOTAL.name,
)


def scores_of_customers(request: Request[Profiles]) -> DataFrame:
    """Scores of the leading profile, and of all.

    Returns:
        One row per customer in the population of any.

    Raises:
        UserError: if nobody was scored as of the day.
    """
    run, as_of = request.run, request.as_of
    names = list(request.rules)
    of_day = (F.col("as_of") == F.lit(as_of)) & F.col("profile").isin(names)
    scored = run.read(RFM).where(of_day)
    if scored.isEmpty():
        raise UserError(
            f"{run.warehouse.path(RFM)}: has no rows as of {as_of}: run `rfm-spark rfm` for that "
            "day first"
        )
    return scores_by_customer(scored, names, leading_profile(request.rules))


def scores_by_customer(scored: DataFrame, profiles: Sequence[str], leading: str) -> DataFrame:
    """Scores of all profiles in one row.

    Args:
        scored: `rfm` of one day and these profiles.
        profiles: names.
        leading: the one whose scores have columns of their own.

    Returns:
        One row per customer: scores and segment of the leading profile, NULL outside of its
        population, and `profiles`: by name, those of every profile that scores the customer.
    """
    told = {
        VALUE.name: stored_value(),
        VALUE_UNIT.name: F.coalesce(VALUE_UNIT.name, F.lit("cents")),
    }
    own = F.struct(
        *[told.get(one.name, F.col(one.name)).alias(one.name) for one in _OF_ONE_PROFILE]
    )
    if len(profiles) == 1:  # a row of it is a customer's: nothing has to be moved
        alone = F.create_map(F.col("profile"), own).alias("profiles")
        return scored.select("customer_id", *_OF_LEADING_PROFILE, alone)
    leads = F.col("profile") == leading
    return scored.groupBy("customer_id").agg(
        *[F.max(F.when(leads, F.col(name))).alias(name) for name in _OF_LEADING_PROFILE],
        F.map_from_entries(F.sort_array(F.collect_list(F.struct("profile", own)))).alias(
            "profiles"
        ),
    )


def _segment(profiles: Profiles) -> Mapping[str, SparkColumn]:
    lapsed = profiles[leading_profile(profiles)].segment_grid.lapsed
    outside = F.when(F.col("lifetime_visits") > 0, lapsed).otherwise(PROSPECT)
    return {"segment": F.coalesce("segment", outside)}


SCORE_COLUMNS = CustomerColumns(
    columns=(
        Column(
            "segment",
            StringType(),
            "Segment of the leading profile; outside its population Lapsed (Gone beside "
            "lifecycle_5) or Prospect",
            required=True,
        ),
        RECENCY_DAYS,
        FREQUENCY,
        MONETARY_CENTS,
        *RATIOS,
        R_SCORE,
        F_SCORE,
        M_SCORE,
        RFM_CELL,
        RFM_TOTAL,
        Column(
            "profiles",
            # Without comments: a column that is added later would not be of the same type.
            MapType(
                StringType(),
                StructType([StructField(one.name, one.type) for one in _OF_ONE_PROFILE]),
            ),
            "Segment, values and scores in every profile that scores the customer, by its name",
            since=2,
        ),
    ),
    rows=scores_of_customers,
    values=_segment,
    reads=(RFM,),
)
