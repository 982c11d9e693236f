"""RFMR: a customer's recency, frequency and money beside those of the average customer."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.results.rfm.populations import Population

RATIO_LOW, RATIO_HIGH = 0.01, 100.0


_NAMES = ("recency_ratio", "frequency_ratio", "monetary_ratio")


def ratios(population: Population) -> list[Column]:
    """The R, F and M ratios to the average customer.

    Args:
        population: who the average customer is of.

    Returns:
        Columns over `rfm_values`, clipped to [0.01, 100] and rounded to 6 decimals; a mean of 0, or
        no recency, gives NULL.
    """
    recency = F.lit(population.mean_recency + 1) / (F.col("recency_days") + 1)
    frequency = F.try_divide(F.col("frequency").cast("double"), F.lit(population.mean_frequency))
    value = F.greatest(F.col("value_units"), F.lit(0)).cast("double")
    monetary = F.try_divide(value, F.lit(population.mean_value))
    found = zip((recency, frequency, monetary), _NAMES, strict=True)
    return [_clipped(ratio).alias(name) for ratio, name in found]


def rfmr_score(weights: Sequence[float]) -> Column:
    """The weighted geometric mean of `ratios`, of those that are known.

    It reads their columns: made of the same expressions, it would work each out three times more.

    Args:
        weights: of recency, frequency and value.
    """
    three = [F.col(name) for name in _NAMES]
    logs = [F.log(ratio) * weight for ratio, weight in zip(three, weights, strict=True)]
    weighed = [
        F.when(ratio.isNotNull(), F.lit(weight)).otherwise(F.lit(0.0))
        for ratio, weight in zip(three, weights, strict=True)
    ]
    log_sum = sum((F.coalesce(log, F.lit(0.0)) for log in logs), F.lit(0.0))
    return _rounded(F.exp(F.try_divide(log_sum, sum(weighed, F.lit(0.0)))))


def _clipped(ratio: Column) -> Column:
    # greatest() passes over NULL, so a NULL ratio must be kept NULL by hand.
    low, high = F.lit(RATIO_LOW), F.lit(RATIO_HIGH)
    return F.when(ratio.isNotNull(), _rounded(F.least(F.greatest(ratio, low), high)))


def _rounded(ratio: Column) -> Column:
    """To 6 decimals, half up: Spark's own makes a decimal number of every double."""
    return F.floor(ratio * 1e6 + 0.5) / 1e6
