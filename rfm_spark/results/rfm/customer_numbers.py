"""Numbers of customers in every profile, for other results."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.results.declaration import CustomerNumbers, Request
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.tables import (
    F_SCORE,
    FREQUENCY,
    M_SCORE,
    R_SCORE,
    RECENCY_DAYS,
    RFM,
    VALUE,
)
from rfm_spark.results.rfm.values import stored_value
from rfm_spark.storage.warehouse import as_of_slice

_NUMBERS = tuple(
    column.name for column in (RECENCY_DAYS, FREQUENCY, VALUE, R_SCORE, F_SCORE, M_SCORE)
)


def names_of_numbers(profiles: Profiles) -> list[str]:
    """Such as `engagement.frequency`."""
    return [f"{profile}.{number}" for profile in profiles for number in _NUMBERS]


def numbers_of_customers(request: Request[Profiles], names: Sequence[str]) -> DataFrame:
    """Values and scores of who is in the population of a profile.

    Returns:
        One row per customer with any of them: `customer_id`, `numbers` by name.

    Raises:
        UserError: if nobody was scored in one of the profiles as of the day.
    """
    run, as_of = request.run, request.as_of
    profiles = sorted({name.partition(".")[0] for name in names})
    scored = run.read(RFM).where(as_of_slice(as_of))
    for profile in profiles:
        if scored.where(F.col("profile") == profile).isEmpty():
            raise UserError(
                f"{run.warehouse.path(RFM)}: has no rows of the profile {profile} as of {as_of}: "
                "run `rfm-spark rfm` for that day first"
            )
    return numbers_by_customer(scored.where(F.col("profile").isin(profiles)), names)


def numbers_by_customer(scored: DataFrame, names: Sequence[str]) -> DataFrame:
    """The named numbers of each customer in one map.

    Args:
        scored: `rfm` of one day and the profiles that are named.
        names: those wanted.

    Returns:
        One row per customer with any of them: `customer_id`, `numbers` by name.
    """
    own = {VALUE.name: stored_value()}
    entries = F.array(
        *[
            F.struct(
                F.concat("profile", F.lit(f".{name}")).alias("name"),
                own.get(name, F.col(name)).cast("double").alias("number"),
            )
            for name in _NUMBERS
        ]
    )
    told = scored.select("customer_id", F.inline(entries))
    wanted = told.where(F.col("name").isin(*names) & F.col("number").isNotNull())
    return wanted.groupBy("customer_id").agg(
        F.map_from_entries(F.collect_list(F.struct("name", "number"))).alias("numbers")
    )


SCORES_OF_CUSTOMERS = CustomerNumbers(names_of_numbers, numbers_of_customers)
