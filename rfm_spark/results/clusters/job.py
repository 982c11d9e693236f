"""Clusters: features, model, assignments and personas as of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.facts.asks import Ask
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAYS
from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.description import (
    ClusterSums,
    by_revenue,
    cluster_means,
    cluster_rows,
    model_row,
    tier_rows,
    training_notes,
)
from rfm_spark.results.clusters.features.catalogue import FEATURE_NAMES, features_without_input
from rfm_spark.results.clusters.features.values import customer_features, feature_asks
from rfm_spark.results.clusters.micro_groups import micro_groups
from rfm_spark.results.clusters.model import Fit, fitted_model
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_MODELS,
    CLUSTER_TIERS,
    CLUSTERS,
    CUSTOMER_FEATURES,
    MICRO_GROUPS,
)
from rfm_spark.results.clusters.tiers import near_groups, tiers, with_tiers
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
    fit = fitted_model(features, names, rules.training)
    if fit is None:
        raise UserError(
            f"[clusters] no feature of {', '.join(names)} differs between customers as of {as_of}"
        )
    found = cluster_sums(assignments(features, fit.model), fit.model.scales, names).collect()
    model = by_revenue(fit.model, found)
    sums = ClusterSums.of(found, dict(zip(fit.model.numbers, model.numbers, strict=True)))
    of_model = model_slice(as_of)
    assigned = assignments(features, model).withColumn("model", F.lit(MODEL))
    run.replace(CLUSTER_ASSIGNMENTS, assigned, of_model)
    means = cluster_means(model, sums)
    found_tiers = tiers(means.values(), rules.ideal_revenue_share)
    rows = cluster_rows(MODEL, as_of, model, sums, names, found_tiers)
    run.replace_by(CLUSTERS, rows, of_model)
    groups = with_tiers(micro_groups(features, model, names), means, found_tiers)
    groups = groups.withColumns({"model": F.lit(MODEL), "as_of": F.lit(as_of)})
    occupied = run.replace(MICRO_GROUPS, groups, of_model).rows
    near = near_groups(run.warehouse.read(MICRO_GROUPS).where(of_model))
    run.replace_by(CLUSTER_TIERS, tier_rows(MODEL, as_of, sums, found_tiers, near), of_model)
    row = model_row(MODEL, as_of, rules, model, fit, sums) | {"micro_groups": occupied}
    run.replace_by(CLUSTER_MODELS, [row], of_model)
    run.notes += training_notes(rules.k, model, sums)
    return f"{len(sums.rows)} clusters explain {sums.explained_share(model.scales):.1%}{_told(fit)}"


def _told(fit: Fit) -> str:
    starts = f"the best of {len(fit.start_costs)} starts, " if len(fit.start_costs) > 1 else ""
    passes = len(fit.pass_costs)
    return f" of the variance: {starts}{passes} pass{'es' if passes > 1 else ''} over all"


def model_slice(as_of: date) -> Column:
    """The rows of the model on one day."""
    return (F.col("model") == MODEL) & (F.col("as_of") == F.lit(as_of))
