"""Tiers: which clusters hold the revenue, who is nearly like them, and what would close the gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.results.clusters.distances import standard_column
from rfm_spark.results.clusters.features.names import feature

IDEAL, NEAR_IDEAL, LOW_POTENTIAL, REGULAR = "ideal", "near_ideal", "low_potential", "regular"
TIERS = (IDEAL, NEAR_IDEAL, LOW_POTENTIAL, REGULAR)
"""In the order in which the first that fits is taken."""

GAP = 0.5
"""Standard deviations from which two clusters differ in a feature."""

MOST_GAPS = 2
"""Actionable features in which a near-ideal cluster differs from an ideal one, at most."""

LITTLE = 0.5
"""Share of the average revenue per customer below which a cluster that does not grow is low."""


@dataclass(frozen=True)
class ClusterMeans:
    """What a cluster's tier depends on.

    Attributes:
        cluster: its number.
        customers: in it, at least one.
        revenue_cents: their net amount in the window.
        halves: the same of its first and its second half.
        standard: mean of each feature of the model, in standard units.
        natural: the same in the feature's own unit.
    """

    cluster: int
    customers: int
    revenue_cents: int
    halves: tuple[int, int]
    standard: Mapping[str, float]
    natural: Mapping[str, float]

    @property
    def per_customer(self) -> float:
        """Net amount of a customer, on average."""
        return self.revenue_cents / self.customers


@dataclass(frozen=True)
class Tier:
    """The tier of a cluster.

    Attributes:
        name: one of TIERS.
        ideal_cluster: that a near-ideal one is nearest to.
        improve: of a near-ideal one, what its mean lacks of that of the ideal one, by actionable
            feature, in its own unit.
        half_way_cents: what it would be worth if its customers came half-way in revenue.
    """

    name: str
    ideal_cluster: int | None = None
    improve: Mapping[str, float] = field(default_factory=dict)
    half_way_cents: int | None = None


def tiers(clusters: Iterable[ClusterMeans], ideal_share: float) -> dict[int, Tier]:
    """The tier of every cluster; the first that fits.

    Args:
        clusters: those with customers.
        ideal_share: of all revenue, that the ideal ones hold together.

    Returns:
        By the number of the cluster.
    """
    found = sorted(clusters, key=lambda one: (-one.per_customer, one.cluster))
    revenue = sum(one.revenue_cents for one in found)
    average = revenue / sum(one.customers for one in found)
    ideal = ideal_clusters(found, revenue, ideal_share)
    return {
        one.cluster: Tier(IDEAL) if one in ideal else _of_others(one, ideal, average)
        for one in found
    }


def ideal_clusters(
    ranked: Sequence[ClusterMeans], revenue: int, ideal_share: float
) -> list[ClusterMeans]:
    """The first clusters, by revenue per customer, that hold the share of a positive revenue."""
    ideal: list[ClusterMeans] = []
    held = 0
    for one in ranked:
        if held >= ideal_share * revenue:
            break
        ideal.append(one)
        held += one.revenue_cents
    return ideal


def _of_others(one: ClusterMeans, ideal: Sequence[ClusterMeans], average: float) -> Tier:
    near = [(gaps, other) for other in ideal if 1 <= len(gaps := _gaps(one, other)) <= MOST_GAPS]
    if near:
        gaps, like = min(near, key=lambda pair: (len(pair[0]), _far(one, pair[1]), pair[1].cluster))
        improve = {name: like.natural[name] - one.natural[name] for name in gaps}
        lacking = max(like.per_customer - one.per_customer, 0.0)
        return Tier(NEAR_IDEAL, like.cluster, improve, round(one.customers * lacking / 2))
    first, second = one.halves
    is_low = one.per_customer < LITTLE * average and second <= first
    return Tier(LOW_POTENTIAL if is_low else REGULAR)


def _gaps(one: ClusterMeans, other: ClusterMeans) -> list[str]:
    """Actionable features in which two clusters differ."""
    return [
        name
        for name in actionable(one.standard)
        if abs(other.standard[name] - one.standard[name]) > GAP
    ]


def _far(one: ClusterMeans, other: ClusterMeans) -> float:
    return fsum((other.standard[name] - at) ** 2 for name, at in one.standard.items())


def actionable(features: Iterable[str]) -> list[str]:
    """Features that a business can work on; money is a result."""
    return [name for name in features if feature(name).is_actionable]


def with_tiers(
    groups: DataFrame, clusters: Mapping[int, ClusterMeans], found: Mapping[int, Tier]
) -> DataFrame:
    """Micro-groups with their tier: of their cluster, or near_ideal inside a regular or low one.

    Args:
        groups: `micro_groups`.
        clusters: by number.
        found: the tiers of these.

    Returns:
        The same rows with `tier`, and of near-ideal ones inside other clusters `ideal_cluster`,
        `improve` (empty for others) and `half_way_cents`; without `<feature>_standard`.
    """
    ideal = [clusters[number] for number, tier in sorted(found.items()) if tier.name == IDEAL]
    names = [one.removesuffix("_standard") for one in groups.columns if one.endswith("_standard")]
    of_cluster = F.coalesce(_looked_up(F.col("cluster"), {n: t.name for n, t in found.items()}),
                            F.lit(REGULAR))  # fmt: skip
    like = F.when(of_cluster.isin(LOW_POTENTIAL, REGULAR), _nearest_ideal(ideal, names))
    kept = [name for name in groups.columns if not name.endswith("_standard")]
    told = groups.withColumn("like", like).withColumn("of_cluster", of_cluster)
    is_near, number = F.col("like").isNotNull(), F.col("like.cluster")
    per_customer = _looked_up(number, {one.cluster: one.per_customer for one in ideal})
    lacking = F.greatest(per_customer - F.col("revenue_per_customer_cents"), F.lit(0.0))
    return told.select(
        *kept,
        F.when(is_near, F.lit(NEAR_IDEAL)).otherwise(F.col("of_cluster")).alias("tier"),
        number.alias("ideal_cluster"),
        _improve(ideal, actionable(names), number).alias("improve"),
        F.when(is_near, F.round(F.col("customers") * lacking / 2).cast("bigint")).alias(
            "half_way_cents"
        ),
    )


def near_groups(groups: DataFrame) -> dict[str, int]:
    """What near-ideal micro-groups inside clusters of other tiers add up to, by column."""
    inside = groups.where((F.col("tier") == NEAR_IDEAL) & F.col("ideal_cluster").isNotNull())
    return (
        inside.agg(
            F.count(F.lit(1)).alias("micro_groups"),
            *[
                F.coalesce(F.sum(name), F.lit(0)).alias(f"micro_group_{name}")
                for name in ("customers", "revenue_cents", "half_way_cents")
            ],
        )
        .collect()[0]
        .asDict()
    )


def _nearest_ideal(ideal: Sequence[ClusterMeans], names: Sequence[str]) -> Column:
    """The ideal cluster with the fewest gaps, then the nearest one; NULL where none is near."""
    options = [F.lit(None).cast("struct<gaps:int,squared:double,cluster:int>")]
    for one in ideal:
        gaps = sum((_differs(one.standard[name], name).cast("int") for name in actionable(names)),
                   F.lit(0))  # fmt: skip
        squared = sum(((standard_column(name) - F.lit(one.standard[name])) ** 2
                       for name in names), F.lit(0.0))  # fmt: skip
        option = F.struct(
            gaps.alias("gaps"), squared.alias("squared"), F.lit(one.cluster).alias("cluster")
        )
        options.append(F.when(gaps.between(1, MOST_GAPS), option))
    return F.array_min(F.array(*options))  # NULLs are left out


def _improve(ideal: Sequence[ClusterMeans], names: Sequence[str], number: Column) -> Column:
    entries = [F.lit(None).cast("struct<key:string,value:double>")]
    for name in names:
        at = _looked_up(number, {one.cluster: one.standard[name] for one in ideal})
        own = _looked_up(number, {one.cluster: one.natural[name] for one in ideal})
        gap = F.struct(F.lit(name).alias("key"), (own - F.col("means")[name]).alias("value"))
        entries.append(F.when(F.abs(at - standard_column(name)) > GAP, gap))
    return F.map_from_entries(F.array_compact(F.array(*entries)))


def _differs(at: float, name: str) -> Column:
    return F.abs(F.lit(at) - standard_column(name)) > GAP


def _looked_up(key: Column, values: Mapping[int, object]) -> Column:
    if not values:
        return F.lit(None)
    pairs = [F.lit(one) for pair in values.items() for one in pair]
    return F.try_element_at(F.create_map(*pairs), key)
