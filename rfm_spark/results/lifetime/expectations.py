"""What models say of every customer, as SQL expressions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.asks import Ask
from rfm_spark.results.lifetime.asks import SO_FAR
from rfm_spark.results.lifetime.cells import Rounding, pair_keys
from rfm_spark.results.lifetime.tables import MOST_REPEATS

_LARGEST_EXPONENT = 700.0
"""Of e, which overflows beyond 709."""


def customers_so_far(sums: DataFrame, as_of: date) -> DataFrame:
    """What the models know of a customer.

    Args:
        sums: `customer_sums` as of the day, with SO_FAR.
        as_of: the day.

    Returns:
        One row per customer with a visit up to as_of: `customer_id`, `repeat_visit_days`,
        `first_to_last_days`, `first_to_as_of_days`, `mean_visit_day_cents`, `later_visit_days` (0).
    """
    visit_days = F.col(SO_FAR.column("visit_days"))
    return sums.where(F.col("customer_id").isNotNull() & (visit_days > 0)).select(
        "customer_id",
        (visit_days - 1).alias("repeat_visit_days"),
        F.datediff("last_visit", "first_visit").alias("first_to_last_days"),
        F.datediff(F.lit(as_of), "first_visit").alias("first_to_as_of_days"),
        (F.col(SO_FAR.column("net_cents")) / visit_days).alias("mean_visit_day_cents"),
        F.lit(0).alias("later_visit_days"),
    )


def customers_before(sums: DataFrame, day: date, before: Ask) -> DataFrame:
    """What was known of customers on an earlier day, and how often they came since.

    Args:
        sums: `customer_sums` as of a later day, with SO_FAR and the ask.
        day: the earlier one.
        before: what was known then.

    Returns:
        One row per customer with a visit up to the earlier day, without its id:
        `repeat_visit_days`, `first_to_last_days`, `first_to_as_of_days`, `later_visit_days`.
    """
    visit_days = F.col(before.column("visit_days"))
    return sums.where(F.col("customer_id").isNotNull() & (visit_days > 0)).select(
        (visit_days - 1).alias("repeat_visit_days"),
        F.datediff(before.column("last_visit"), "first_visit").alias("first_to_last_days"),
        F.datediff(F.lit(day), "first_visit").alias("first_to_as_of_days"),
        (F.col(SO_FAR.column("visit_days")) - visit_days).alias("later_visit_days"),
    )


def probability_alive(parameters: Mapping[str, float]) -> Column:
    """As in `visits_model`; a customer with one visit day had no occasion to leave."""
    r, alpha, a, b = (F.lit(parameters[name]) for name in ("r", "alpha", "a", "b"))
    repeats = F.col("repeat_visit_days")
    last, age = (F.col(days) / F.lit(7.0) for days in ("first_to_last_days", "first_to_as_of_days"))
    odds = F.log(a / (b + repeats - 1)) + (r + repeats) * F.log((alpha + age) / (alpha + last))
    inside = F.least(odds, F.lit(_LARGEST_EXPONENT))
    return F.when(repeats > 0, 1 / (1 + F.exp(inside))).otherwise(F.lit(1.0))


def mean_money(parameters: Mapping[str, float]) -> Column:
    """Expected money of a visit day: the customer's own mean, drawn towards that of all.

    Equation (5) of the note. Who has brought back as much as was bought counts as a mean of 0.
    """
    p, q, gamma = (F.lit(parameters[name]) for name in ("p", "q", "gamma"))
    amounts = F.col("repeat_visit_days") + 1
    own = F.greatest(F.col("mean_visit_day_cents"), F.lit(0.0))
    return p * (gamma + amounts * own) / (p * amounts + q - 1)


def variance_of_money(
    parameters: Mapping[str, float], visits: Column, squared_visits: Column
) -> Column:
    """Variance, by chance, of all that a customer spends on the visit days of a horizon.

    Amounts of a customer have the shape p and the rate nu, which, given what was spent so far, has
    a gamma distribution. Of nu and N visit days the variance is N p / nu^2 + p^2 (N^2 / nu^2) less
    the square of the mean; N does not depend on nu.

    Args:
        parameters: of the model of money.
        visits: E[N].
        squared_visits: E[N^2].

    Returns:
        In squared minor units; NULL where it is not finite, as of one amount of a customer where
        p + q <= 2.
    """
    p, q, gamma = (F.lit(parameters[name]) for name in ("p", "q", "gamma"))
    amounts = F.col("repeat_visit_days") + 1
    shape = p * amounts + q
    rate = gamma + amounts * F.greatest(F.col("mean_visit_day_cents"), F.lit(0.0))
    inverse, squared = rate / (shape - 1), rate * rate / ((shape - 1) * (shape - 2))
    found = p * squared * (visits + p * squared_visits) - F.pow(visits * p * inverse, 2)
    return F.when(shape > 2, F.greatest(found, F.lit(0.0)))


def expectations(
    customers: DataFrame,
    if_alive: DataFrame,
    rounding: Rounding,
    visits: Mapping[str, float],
    money: Mapping[str, float] | None,
) -> DataFrame:
    """What is expected of every customer.

    Args:
        customers: `customers_so_far`.
        if_alive: `repeats_key`, `age_key`, `visits_if_alive` (in the horizon) and
            `visit_pairs_if_alive`, for every pair.
        rounding: of the pairs.
        visits: parameters of the model of visits.
        money: of that of money; None where it is refused.

    Returns:
        One row per customer: the columns of `lifetime_value` but for day and horizon.
    """
    alive = F.col("probability_alive")
    of_visits = F.col("visits_if_alive") * alive
    squared = (F.col("visits_if_alive") + F.col("visit_pairs_if_alive")) * alive
    value = deviation = F.lit(None).cast("double")
    if money is not None:
        value = of_visits * mean_money(money)
        deviation = F.sqrt(variance_of_money(money, of_visits, squared))
    return (
        customers.withColumns(pair_keys(rounding))
        .join(F.broadcast(if_alive), ["repeats_key", "age_key"], "left")
        .withColumn("probability_alive", probability_alive(visits))
        .select(
            "customer_id",
            "repeat_visit_days",
            "first_to_last_days",
            "first_to_as_of_days",
            "mean_visit_day_cents",
            "probability_alive",
            of_visits.alias("expected_visits"),
            value.alias("expected_value_cents"),
            deviation.alias("value_standard_deviation_cents"),
        )
    )


def lifetime_classes(rows: DataFrame) -> DataFrame:
    """Sums by how often customers came again; of `lifetime_value` of one day."""

    def added_up(name: str) -> Column:
        # As decimals: no order of the rows changes their sum.
        return F.sum(F.col(name).cast("decimal(28, 9)")).cast("double")

    deviation = F.col("value_standard_deviation_cents")
    variance = F.sum((deviation * deviation).cast("decimal(28, 3)")).cast("double")
    return rows.groupBy(
        "as_of",
        F.least(F.col("repeat_visit_days"), F.lit(MOST_REPEATS)).alias("repeat_visit_days"),
    ).agg(
        F.count(F.lit(1)).alias("customers"),
        added_up("probability_alive").alias("customers_alive"),
        added_up("expected_visits").alias("expected_visits"),
        added_up("expected_value_cents").alias("expected_value_cents"),
        F.when(F.count(deviation) == F.count(F.lit(1)), F.sqrt(variance)).alias(
            "value_standard_deviation_cents"
        ),
    )
