"""Clusters: features, model, assignments and personas as of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.facts.asks import Ask
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAYS
from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.features.catalogue import FEATURE_NAMES, features_without_input
from rfm_spark.results.clusters.features.values import customer_features, feature_asks
from rfm_spark.results.clusters.model import ClusterModel, fitted_model
from rfm_spark.results.clusters.personas import unique_personas
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_MODELS,
    CLUSTERS,
    CUSTOMER_FEATURES,
)
from rfm_spark.results.declaration import Request, required
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.renewal import renew

MODEL = "habits"


def cluster_asks(rules: Clusters, shop: ShopSettings) -> list[Ask]:
    """What features are made of."""
    return feature_asks(rules.look_back, with_events=bool(shop.interactions))


def cluster_misfits(rules: Clusters, shop: ShopSettings) -> Iterator[str]:
    """Features without the input they are made of."""
    lacking = features_without_input(shop)
    for name in rules.features or ():
        if name in lacking:
            yield f"clusters.features: {name} needs {lacking[name]}"


def chosen_features(rules: Clusters, shop: ShopSettings) -> list[str]:
    """The features asked for; by default all that the input allows."""
    lacking = features_without_input(shop)
    return rules.features or [name for name in FEATURE_NAMES if name not in lacking]


def refresh_clusters(request: Request[Clusters], sums: DataFrame | None) -> None:
    """Groups the customers who bought in the window by their habits.

    Args:
        request: the run, the rules and the day.
        sums: `customer_sums` as of that day, with `cluster_asks`.

    Raises:
        UserError: if nobody bought in the window.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("customer features") as step:
        window = rules.look_back
        found = customer_features(
            required(sums),
            run.read(CUSTOMER_DAYS),
            run.read(CUSTOMER_DAY_CATEGORIES) if run.settings.has_categories else None,
            bool(run.settings.interactions),
            as_of,
            window,
        )
        where = (F.col("window") == window.label) & (F.col("as_of") == F.lit(as_of))
        if run.warehouse.is_there(CUSTOMER_FEATURES):  # made when there were fewer, perhaps
            renew(run.warehouse, CUSTOMER_FEATURES, is_made_again=True)
        commit = run.replace(CUSTOMER_FEATURES, found, where)
        if commit.rows == 0:
            raise UserError(
                f"[clusters] nobody bought in the {rules.window_days} days up to {as_of}: choose "
                "another --as-of or a longer window_days"
            )
        step.says(f"{commit.rows:,} customers")
    with run.progress.step("clusters") as step:
        features = run.warehouse.read(CUSTOMER_FEATURES).where(where)
        step.says(_cluster(request, features))


def _cluster(request: Request[Clusters], features: DataFrame) -> str:
    run, rules, as_of = request.run, request.rules, request.as_of
    names = chosen_features(rules, run.settings)
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
    of_model = model_slice(as_of)
    run.replace(CLUSTER_ASSIGNMENTS, _labelled(renamed), of_model)
    run.replace_by(CLUSTERS, _cluster_rows(ranked, model, names, as_of), of_model)
    run.replace_by(CLUSTER_MODELS, [_model_row(request, ranked, model)], of_model)
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


def _model_row(
    request: Request[Clusters], ranked: Sequence[Row], model: ClusterModel
) -> dict[str, Any]:
    return {
        "model": MODEL,
        "as_of": request.as_of,
        "window": request.rules.look_back.label,
        "seed": request.rules.seed,
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


def model_slice(as_of: date) -> Column:
    """The rows of the model on one day."""
    return (F.col("model") == MODEL) & (F.col("as_of") == F.lit(as_of))
