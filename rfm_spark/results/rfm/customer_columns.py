"""What scores add to `customer_360`."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Column
from rfm_spark.results.declaration import CustomerColumns, Request
from rfm_spark.results.rfm.job import Profiles, profile_slice
from rfm_spark.results.rfm.segments import PROSPECT
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
)


def scores_of_customers(request: Request[Profiles]) -> DataFrame:
    """Scores of the first profile.

    Returns:
        One row per customer in its population.

    Raises:
        UserError: if nobody was scored as of the day.
    """
    run, as_of = request.run, request.as_of
    scored = run.read(RFM).where(profile_slice(next(iter(request.rules)), as_of))
    if scored.isEmpty():
        raise UserError(
            f"{run.warehouse.path(RFM)}: has no rows as of {as_of}: run `rfm-spark rfm` for that "
            "day first"
        )
    return without_lifetimes(scored)


def without_lifetimes(scored: DataFrame) -> DataFrame:
    """Rows of `rfm` of one profile and day, without what `customer_360` knows by itself."""
    return scored.drop("first_visit", "last_visit", "as_of", "profile", "boundary_version")


def _segment(profiles: Profiles) -> Mapping[str, SparkColumn]:
    lapsed = next(iter(profiles.values())).segment_grid.lapsed
    outside = F.when(F.col("lifetime_visits") > 0, lapsed).otherwise(PROSPECT)
    return {"segment": F.coalesce("segment", outside)}


SCORE_COLUMNS = CustomerColumns(
    columns=(
        Column(
            "segment",
            StringType(),
            "Segment of the first profile; outside its population Lapsed (Gone beside lifecycle_5) "
            "or Prospect",
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
    ),
    rows=scores_of_customers,
    values=_segment,
    reads=(RFM,),
)
