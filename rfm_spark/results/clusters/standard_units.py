"""Standard units: each feature transformed, winsorised and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.features.catalogue import BY_NAME


@dataclass(frozen=True)
class Scale:
    """How one feature becomes standard units.

    Attributes:
        feature: its name.
        transform: `none` or `log1p` (of the absolute value, the sign kept).
        low: winsorising bound, in transformed units.
        high: the same.
        mean: of the winsorised values.
        sd: their standard deviation, above 0.
    """

    feature: str
    transform: str
    low: float
    high: float
    mean: float
    sd: float

    def standardised(self) -> Column:
        """The feature in standard deviations from the mean."""
        clipped = F.greatest(F.least(transformed(self.feature), F.lit(self.high)), F.lit(self.low))
        return (clipped - F.lit(self.mean)) / F.lit(self.sd)


def transformed(feature: str) -> Column:
    """A feature after its transform."""
    value = F.col(feature)
    if BY_NAME[feature].transform == "none":
        return value
    return F.signum(value) * F.log1p(F.abs(value))


def fitted_scales(sample: DataFrame, features: Sequence[str], winsorise: float) -> list[Scale]:
    """The scale of every feature that differs between customers; constant ones are left out.

    Args:
        sample: customers, in one sorted partition, so that sums come out the same on every run.
        features: names; none is NULL.
        winsorise: share to cut off at each end.
    """
    shares = F.array(F.lit(winsorise), F.lit(1 - winsorise))
    bounds = sample.agg(*[F.percentile(transformed(name), shares).alias(name) for name in features])
    low_high = bounds.collect()[0]
    clipped = {
        name: F.greatest(
            F.least(transformed(name), F.lit(low_high[name][1])), F.lit(low_high[name][0])
        )
        for name in features
    }
    moments = sample.agg(
        *[F.avg(column).alias(f"{name}_mean") for name, column in clipped.items()],
        *[F.stddev_pop(column).alias(f"{name}_sd") for name, column in clipped.items()],
    ).collect()[0]
    return [
        Scale(
            feature=name,
            transform=BY_NAME[name].transform,
            low=low_high[name][0],
            high=low_high[name][1],
            mean=moments[f"{name}_mean"],
            sd=moments[f"{name}_sd"],
        )
        for name in features
        if moments[f"{name}_sd"] > 1e-9
    ]
