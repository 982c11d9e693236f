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
from rfm_spark.results.clusters.micro_groups import possible
from rfm_spark.results.clusters.model import ClusterModel, Fit
from rfm_spark.results.clusters.personas import unique_personas
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.standard_units import Scale
from rfm_spark.results.clusters.tiers import NEAR_IDEAL, TIERS, ClusterMeans, Tier


@dataclass(frozen=True)
class ClusterSums:
    """What was added up of every cluster with customers.

    Attributes:
        rows: rows of `cluster_sums`, by the number of the cluster, ascending.
    """

    rows: Mapping[int, Row]

    @classmethod
    def of(cls, found: Sequence[Row], numbers: Mapping[int, int]) -> ClusterSums:
        """Of rows whose clusters were numbered otherwise."""
        return cls(dict(sorted((numbers[row["cluster"]], row) for row in found)))

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
    features: Sequence[str],
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
    return [
        {
            "model": name,
            "as_of": as_of,
            "cluster": number,
            "persona": personas[number],
            "customers": row["customers"],
            "customer_share": row["customers"] / customers,
            "revenue_cents": row["revenue_cents"],
            "revenue_share": row["revenue_cents"] / revenue if revenue else None,
            "revenue_per_customer_cents": per_customer(row),
            "outliers": row["outliers"],
            **{half: row[half] for half in HALVES},
            "tier": tiers[number].name,
            **nearness(tiers[number]),
            "means": {feature: row[f"{feature}_mean"] for feature in features},
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


def model_row(
    name: str, as_of: date, rules: Clusters, model: ClusterModel, fit: Fit, sums: ClusterSums
) -> dict[str, Any]:
    """The row of `cluster_models`."""
    return {
        "model": name,
        "as_of": as_of,
        "window": rules.look_back.label,
        "seed": rules.seed,
        "customers": sums.customers,
        "fitted_on": fit.fitted_on,
        "cost": sums.cost,
        "variance_explained": sums.explained_share(model.scales),
        "features": [vars(scale) for scale in model.scales],
        "k": rules.k,
        "centres": [
            {"cluster": number, "position": centre.tolist()}
            for number, centre in sorted(
                zip(model.numbers, model.centres, strict=True), key=lambda one: one[0]
            )
        ],
        "outlier_distance": model.outlier_distance,
        "start_costs": list(fit.start_costs),
        "pass_costs": list(fit.pass_costs),
        "group_cuts": [list(cuts) for cuts in model.group_cuts],
        "possible_micro_groups": float(possible(model)),
    }


def training_notes(k: int, model: ClusterModel, sums: ClusterSums) -> Iterator[str]:
    """What of a training is worth a look, a line each."""
    found = len(model.centres)
    if found < k:
        yield (
            f"clusters: {k} are asked for, and there are {found}: no more customers of the sample "
            "differ in these features"
        )
    if empty := found - len(sums.rows):
        yield f"clusters: nobody is nearest to {empty} of {found} centres; they stay in the model"
