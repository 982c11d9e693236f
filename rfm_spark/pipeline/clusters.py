"""Clusters: features, model, assignments and personas as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.clustering.assignment import assignments, cluster_sums
from rfm_spark.clustering.model import ClusterModel, fitted_model
from rfm_spark.clustering.personas import unique_personas
from rfm_spark.errors import UserError
from rfm_spark.pipeline.context import Job
from rfm_spark.settings import Settings
from rfm_spark.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_MODELS,
    CLUSTERS,
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_FEATURES,
)
from rfm_spark.transforms.customer_sums import HABIT_SUMS, Wanted
from rfm_spark.transforms.features import customer_features

MODEL = "habits"


def wanted_by_clusters(settings: Settings) -> Wanted:
    """What features are made of."""
    return {settings.clusters.window: HABIT_SUMS}


def refresh_clusters(job: Job, as_of: date, sums: DataFrame) -> None:
    """Groups the customers who bought in the window by their habits.

    Args:
        job: the run.
        as_of: the day described.
        sums: `customer_sums` as of that day, with what is `wanted_by_clusters`.

    Raises:
        UserError: if nobody bought in the window.
    """
    rules = job.settings.clusters
    with job.progress.step("customer features") as step:
        window = rules.window
        found = customer_features(
            sums,
            job.read(CUSTOMER_DAYS),
            job.read(CUSTOMER_DAY_CATEGORIES) if job.settings.has_categories else None,
            job.read(CUSTOMER_DAY_EVENTS) if job.settings.interactions else None,
            as_of,
            window,
        )
        where = (F.col("window") == window.label) & (F.col("as_of") == F.lit(as_of))
        commit = job.replace(CUSTOMER_FEATURES, found, where)
        if commit.rows == 0:
            raise UserError(
                f"[clusters] nobody bought in the {rules.window_days} days up to {as_of}: choose "
                "another --as-of or a longer window_days"
            )
        step.says(f"{commit.rows:,} customers")
    with job.progress.step("clusters") as step:
        features = job.warehouse.read(CUSTOMER_FEATURES).where(where)
        step.says(_cluster(job, features, as_of))


def _cluster(job: Job, features: DataFrame, as_of: date) -> str:
    rules = job.settings.clusters
    names = job.settings.cluster_features
    model = fitted_model(
        features, names, rules.k, rules.seed, rules.winsorise, rules.max_fit_customers
    )
    if model is None:
        raise UserError(
            f"[clusters] no feature of {', '.join(names)} differs between customers as of {as_of}"
        )
    assigned = assignments(features, model.scales, model.centres)
    sums = cluster_sums(assigned, model.scales, names).collect()
    ranked = sorted(sums, key=lambda row: (-_per_customer(row), row["cluster"]))
    number = {row["cluster"]: place for place, row in enumerate(ranked, start=1)}
    renamed = assigned.withColumns(
        {name: _renumbered(name, number) for name in ("cluster", "runner_up")}
    )
    of_model = _of_model(as_of)
    job.replace(CLUSTER_ASSIGNMENTS, _labelled(renamed), of_model)
    job.replace_by(CLUSTERS, _cluster_rows(ranked, model, names, as_of), of_model)
    job.replace_by(CLUSTER_MODELS, [_model_row(job, ranked, model, as_of)], of_model)
    return f"{len(ranked)} clusters explain {_explained_share(ranked, model):.0%} of the variance"


def _cluster_rows(
    ranked: Sequence[Row], model: ClusterModel, names: Sequence[str], as_of: date
) -> list[dict[str, Any]]:
    centres = {
        place: {
            scale.feature: float(at)
            for scale, at in zip(model.scales, model.centres[row["cluster"] - 1], strict=True)
        }
        for place, row in enumerate(ranked, start=1)
    }
    personas = unique_personas(centres)
    customers = sum(row["customers"] for row in ranked)
    revenue = sum(row["revenue_cents"] for row in ranked)
    return [
        {
            "model": MODEL,
            "as_of": as_of,
            "cluster": place,
            "persona": personas[place],
            "customers": row["customers"],
            "customer_share": row["customers"] / customers,
            "revenue_cents": row["revenue_cents"],
            "revenue_share": row["revenue_cents"] / revenue if revenue else None,
            "revenue_per_customer_cents": _per_customer(row),
            "means": {name: row[f"{name}_mean"] for name in names},
            "centre": centres[place],
        }
        for place, row in enumerate(ranked, start=1)
    ]


def _model_row(job: Job, ranked: Sequence[Row], model: ClusterModel, as_of: date) -> dict[str, Any]:
    return {
        "model": MODEL,
        "as_of": as_of,
        "window": job.settings.clusters.window.label,
        "seed": job.settings.clusters.seed,
        "customers": sum(row["customers"] for row in ranked),
        "fitted_on": model.fitted_on,
        "cost": _cost(ranked),
        "variance_explained": _explained_share(ranked, model),
        "features": [vars(scale) for scale in model.scales],
    }


def _explained_share(ranked: Sequence[Row], model: ClusterModel) -> float:
    """1 - cost / the sum of squares around the mean of all customers."""
    customers = sum(row["customers"] for row in ranked)
    total = 0.0
    for scale in model.scales:
        linear = sum(row[f"{scale.feature}_sum"] for row in ranked)
        squares = sum(row[f"{scale.feature}_squares"] for row in ranked)
        total += squares - linear * linear / customers
    return float(np.clip(1 - _cost(ranked) / total, 0, 1)) if total else 0.0


def _cost(ranked: Sequence[Row]) -> float:
    return float(sum(row["cost"] for row in ranked))


def _per_customer(row: Row) -> float:
    return float(row["revenue_cents"] / row["customers"])


def _renumbered(column: str, number: dict[int, int]) -> Column:
    # A centre nobody is nearest to has no number: it can only be a runner-up.
    pairs = [F.lit(one) for pair in number.items() for one in pair]
    return F.try_element_at(F.create_map(*pairs), F.col(column))


def _labelled(assigned: DataFrame) -> DataFrame:
    """With the name of the model; the day is that of the features."""
    return assigned.withColumn("model", F.lit(MODEL))


def _of_model(as_of: date) -> Column:
    return (F.col("model") == MODEL) & (F.col("as_of") == F.lit(as_of))
