"""Standard units: each feature transformed, winsorised and standardised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.features.feature import Transform
from rfm_spark.results.clusters.features.names import feature as feature_of
from rfm_spark.results.clusters.ranks import rank, ranked_values


@dataclass(frozen=True)
class Scale:
    """How one feature becomes standard units.

    Attributes:
        feature: its name.
        transform: `none`, `log1p` (of the absolute value, the sign kept) or `rank`.
        low: winsorising bound, in transformed units.
        high: the same.
        mean: of the winsorised values.
        sd: their standard deviation, above 0.
        missing: what counts for who has no value, in the feature's own unit; None where everybody
            has one.
        ranked: of `rank`, the values that tell it.
    """

    feature: str
    transform: str
    low: float
    high: float
    mean: float
    sd: float
    missing: float | None = None
    ranked: Sequence[float] | None = None

    def value(self) -> Column:
        """The feature in its own unit, over a row of `customer_features`; never NULL."""
        return filled(self.feature, self.missing)

    def transformed(self) -> Column:
        """The feature after its transform."""
        return _transformed(self.value(), self.transform, self.ranked)

    def standardised(self) -> Column:
        """The feature in standard deviations from the mean."""
        clipped = F.greatest(F.least(self.transformed(), F.lit(self.high)), F.lit(self.low))
        return (clipped - F.lit(self.mean)) / F.lit(self.sd)


def filled(feature: str, missing: float | None) -> Column:
    """A feature in its own unit, with what counts for who has no value."""
    stored = feature_of(feature).stored
    return stored if missing is None else F.coalesce(stored, F.lit(missing))


def natural_values(scales: Sequence[Scale], names: Sequence[str]) -> dict[str, Column]:
    """Features in their own units, by name, as a model that has `scales` sees them.

    NULL for who has no value of one that the model does not have.
    """
    used = {scale.feature: scale for scale in scales}
    return {name: used[name].value() if name in used else feature_of(name).stored for name in names}


def _transformed(value: Column, transform: str, ranked: Sequence[float] | None) -> Column:
    if ranked is not None:
        return rank(value, ranked)
    return value if transform == "none" else F.signum(value) * F.log1p(F.abs(value))


def fitted_scales(
    sample: DataFrame,
    features: Sequence[str],
    winsorise: float,
    chosen: Mapping[str, Transform] | None = None,
) -> list[Scale]:
    """The scale of every feature that differs between customers; constant ones are left out.

    Args:
        sample: customers, in one sorted partition, so that sums come out the same on every run.
        features: names.
        winsorise: share to cut off at each end.
        chosen: transforms by feature, of those that are not to have their own.
    """
    missing = _missing_values(sample, features)
    transforms = {name: feature_of(name).transform for name in features} | dict(chosen or {})
    natural = {name: filled(name, missing.get(name)) for name in features}
    ranked = _ranked_values(
        sample, {name: value for name, value in natural.items() if transforms[name] == "rank"}
    )
    values = {
        name: _transformed(value, transforms[name], ranked.get(name))
        for name, value in natural.items()
    }
    shares = F.array(F.lit(winsorise), F.lit(1 - winsorise))
    bounds = sample.agg(*[F.percentile(one, shares).alias(name) for name, one in values.items()])
    low_high = bounds.collect()[0]
    clipped = {
        name: F.greatest(F.least(one, F.lit(low_high[name][1])), F.lit(low_high[name][0]))
        for name, one in values.items()
    }
    moments = sample.agg(
        *[F.avg(column).alias(f"{name}_mean") for name, column in clipped.items()],
        *[F.stddev_pop(column).alias(f"{name}_sd") for name, column in clipped.items()],
    ).collect()[0]
    return [
        Scale(
            feature=name,
            transform=transforms[name],
            low=low_high[name][0],
            high=low_high[name][1],
            mean=moments[f"{name}_mean"],
            sd=moments[f"{name}_sd"],
            missing=missing.get(name),
            ranked=ranked.get(name),
        )
        for name in features
        if moments[f"{name}_sd"] > 1e-9
    ]


def _ranked_values(sample: DataFrame, natural: Mapping[str, Column]) -> dict[str, list[float]]:
    """What ranks are told by, by the name of each feature that is ranked."""
    if not natural:
        return {}
    return dict(zip(natural, ranked_values(sample, list(natural.values())), strict=True))


def _missing_values(sample: DataFrame, names: Sequence[str]) -> Mapping[str, float]:
    """What counts for who has no value, by the name of each feature that not everybody has.

    The median of the customers who have one; 0 where nobody does, and the feature is constant.
    """
    rules = {name: feature_of(name).missing for name in names}
    of_median = [name for name, rule in rules.items() if rule == "median"]
    medians = {}
    if of_median:
        found = [F.percentile(feature_of(name).stored, 0.5).alias(name) for name in of_median]
        medians = sample.agg(*found).collect()[0].asDict()
    return {name: medians.get(name) or 0.0 for name, rule in rules.items() if rule is not None}
