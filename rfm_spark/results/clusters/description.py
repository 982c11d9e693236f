"""What is stored of clusters and their model: rows of `clusters` and `cluster_models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import fsum
from typing import Any

import numpy as np
from pyspark.sql import Row

from rfm_spark.results.clusters.features.values import HALVES
from rfm_spark.results.clusters.model import ClusterModel
from rfm_spark.results.clusters.personas import description, unique_personas
from rfm_spark.results.clusters.standard_units import Scale
from rfm_spark.results.clusters.tiers import NEAR_IDEAL, TIERS, ClusterMeans, Tier


@dataclass(frozen=True)
class ClusterSums:
    """What was added up of every cluster with customers.

    Attributes:
        rows: rows of `cluster_sums`, by the number of the cluster, ascending.
        features: those that means are of.
    """

    rows: Mapping[int, Row]
    features: Sequence[str] = ()

    @property
    def customers(self) -> int:
        """All customers."""
        return sum(row["customers"] for row in self.rows.values())

    @property
    def revenue_cents(self) -> int:
        """Their net amount."""
        return sum(row["revenue_cents"] for row in self.rows.values())

    @property
    def cost(self) -> float:
        """The sum of squared distances of all customers."""
        return fsum(row["cost"] for row in self.rows.values())

    def mean_of_all(self, feature: str) -> float:
        """Of a feature of the model, in its own unit."""
        whole = fsum(row[f"{feature}_mean"] * row["customers"] for row in self.rows.values())
        return whole / self.customers

    def between(self, feature: str) -> float:
        """The sum of squares of a feature, in standard units, between the means of clusters."""
        linear = {n: row[f"{feature}_sum"] for n, row in self.rows.items()}
        within = fsum(linear[n] ** 2 / row["customers"] for n, row in self.rows.items())
        return within - fsum(linear.values()) ** 2 / self.customers

    def explained_share(self, scales: Sequence[Scale]) -> float:
        """1 - cost / the sum of squares around the mean of all customers."""
        totals = []
        for scale in scales:
            linear, squares = (
                fsum(row[f"{scale.feature}_{name}"] for row in self.rows.values())
                for name in ("sum", "squares")
            )
            totals.append(squares - linear * linear / self.customers)
        total = fsum(totals)
        return float(np.clip(1 - self.cost / total, 0, 1)) if total else 0.0


def per_customer(row: Row) -> float:
    """Net amount of a cluster's customer, on average."""
    return float(row["revenue_cents"] / row["customers"])


def by_revenue(model: ClusterModel, found: Sequence[Row]) -> ClusterModel:
    """The model with cluster 1 of the highest revenue per customer; empty ones come last.

    Args:
        model: numbered in any order.
        found: rows of `cluster_sums` by these numbers.
    """
    ranked = sorted(found, key=lambda row: (-per_customer(row), row["cluster"]))
    occupied = [row["cluster"] for row in ranked]
    order = [*occupied, *(number for number in model.numbers if number not in set(occupied))]
    place = {number: place for place, number in enumerate(order, start=1)}
    return replace(model, numbers=[place[number] for number in model.numbers])


def cluster_rows(
    name: str,
    as_of: date,
    model: ClusterModel,
    sums: ClusterSums,
    tiers: Mapping[int, Tier],
) -> list[dict[str, Any]]:
    """Rows of `clusters`: one per cluster with customers."""
    centres = {
        number: {scale.feature: float(at) for scale, at in zip(model.scales, centre, strict=True)}
        for number, centre in zip(model.numbers, model.centres, strict=True)
        if number in sums.rows
    }
    personas = unique_personas(centres)
    customers, revenue = sums.customers, sums.revenue_cents
    of_all = {scale.feature: sums.mean_of_all(scale.feature) for scale in model.scales}
    return [
        {
            "model": name,
            "as_of": as_of,
            "cluster": number,
            "persona": personas[number],
            "description": description(
                centres[number], {name: row[f"{name}_mean"] for name in sums.features}, of_all
            ),
            "customers": row["customers"],
            "customer_share": row["customers"] / customers,
            "revenue_cents": row["revenue_cents"],
            "revenue_share": row["revenue_cents"] / revenue if revenue else None,
            "revenue_per_customer_cents": per_customer(row),
            "outliers": row["outliers"],
            **{half: row[half] for half in HALVES},
            "tier": tiers[number].name,
            **nearness(tiers[number]),
            "means": {feature: row[f"{feature}_mean"] for feature in sums.features},
            "centre": centres[number],
        }
        for number, row in sums.rows.items()
    ]


def cluster_means(model: ClusterModel, sums: ClusterSums) -> dict[int, ClusterMeans]:
    """What tiers depend on, by the number of the cluster."""
    used = [scale.feature for scale in model.scales]
    return {
        number: ClusterMeans(
            cluster=number,
            customers=row["customers"],
            revenue_cents=row["revenue_cents"],
            halves=(row[HALVES[0]], row[HALVES[1]]),
            standard={name: row[f"{name}_sum"] / row["customers"] for name in used},
            natural={name: row[f"{name}_mean"] for name in used},
        )
        for number, row in sums.rows.items()
    }


def nearness(tier: Tier) -> dict[str, Any]:
    """The columns that near-ideal clusters fill."""
    return {
        "ideal_cluster": tier.ideal_cluster,
        "improve": tier.improve,
        "half_way_cents": tier.half_way_cents,
    }


def tier_rows(
    name: str,
    as_of: date,
    sums: ClusterSums,
    tiers: Mapping[int, Tier],
    near_groups: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Rows of `cluster_tiers`: all four tiers.

    Args:
        name: of the model.
        as_of: the day.
        sums: of the clusters.
        tiers: of the clusters.
        near_groups: what near-ideal micro-groups inside others add up to, by column.
    """
    rows = []
    for tier in TIERS:
        of_tier = [number for number, one in tiers.items() if one.name == tier]
        is_near = tier == NEAR_IDEAL
        rows.append(
            {
                "model": name,
                "as_of": as_of,
                "tier": tier,
                "clusters": len(of_tier),
                "customers": sum(sums.rows[number]["customers"] for number in of_tier),
                "revenue_cents": sum(sums.rows[number]["revenue_cents"] for number in of_tier),
                "half_way_cents": sum(tiers[number].half_way_cents or 0 for number in of_tier)
                if is_near
                else None,
                "micro_groups": 0,
                "micro_group_customers": 0,
                "micro_group_revenue_cents": 0,
                **(near_groups if is_near else {}),
            }
        )
    return rows


DOMINATES = 0.6
"""Share of what sets clusters apart, from which one feature of several is told."""


def model_notes(k: int, model: ClusterModel, sums: ClusterSums) -> Iterator[str]:
    """What of a model is worth a look, a line each.

    Args:
        k: clusters asked for.
        model: the model.
        sums: of its clusters.
    """
    found = len(model.centres)
    if found < k:
        yield (
            f"{k} are asked for, and there are {found}: no more customers of the sample differ in "
            "these features"
        )
    if empty := found - len(sums.rows):
        yield f"nobody is nearest to {empty} of {found} centres; they stay in the model"
    apart = {scale.feature: sums.between(scale.feature) for scale in model.scales}
    whole = fsum(apart.values())
    for feature, squares in apart.items():
        if len(apart) > 2 and squares > DOMINATES * whole:
            yield (
                f"{feature} alone is {squares / whole:.0%} of what sets clusters apart: the other "
                "features hardly count"
            )
