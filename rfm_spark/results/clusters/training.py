"""Training a day's model: centres, and the numbers that its clusters keep from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from pyspark.sql import DataFrame, Row

from rfm_spark.core.errors import UserError
from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.description import by_revenue
from rfm_spark.results.clusters.features.one_hot import with_values
from rfm_spark.results.clusters.identity import kept_numbers
from rfm_spark.results.clusters.micro_groups import possible
from rfm_spark.results.clusters.model import ClusterModel, Fit, fitted_model
from rfm_spark.results.clusters.moves import by_both_models, shared_customers
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.standard_units import Scale
from rfm_spark.results.clusters.stored_models import StoredModel


class NothingToCluster(UserError):
    """No feature differs between the customers of a day, as on a shop's first ones."""


def trained(
    features: DataFrame,
    names: Sequence[str],
    rules: Clusters,
    known: Sequence[StoredModel],
    last_number: int,
    as_of: date,
) -> StoredModel:
    """A new model, numbered as the clusters of others are where they are the same.

    Args:
        features: `customer_features` of the day.
        names: features to use.
        rules: of the model.
        known: models whose numbers its clusters keep, the first to be asked first.
        last_number: the highest that a cluster has had.
        as_of: the day.

    Raises:
        NothingToCluster: if no feature differs between customers.
        UserError: if one has too many values.
    """
    fit = fitted_model(features, with_values(features, names), rules.training)
    if fit is None:
        raise NothingToCluster(
            f"[clusters] no feature of {', '.join(names)} differs between customers as of {as_of}"
        )
    found = cluster_sums(assignments(features, fit.model), fit.model.scales, ()).collect()
    ranked = by_revenue(fit.model, found)
    shared = (shared_customers(by_both_models(features, one.model, ranked)) for one in known)
    numbers = kept_numbers(shared, sorted(ranked.numbers), last_number)
    ranked = replace(ranked, numbers=[numbers[number] for number in ranked.numbers])
    columns = _columns(fit, _in_order(ranked), rules, as_of)
    customers = _customers(found, dict(zip(fit.model.numbers, ranked.numbers, strict=True)))
    whole = sum(customers.values())
    shares = [customers.get(one["cluster"], 0) / whole for one in columns["centres"]]
    last = max(last_number, *ranked.numbers)
    told = {**columns, "shares": shares, "last_number": last}
    return StoredModel(told, as_of, fit.notes, fit.candidates)


def _in_order(model: ClusterModel) -> ClusterModel:
    """The same with its centres in the order of their numbers."""
    order = np.argsort(np.array(model.numbers))
    return replace(
        model, centres=model.centres[order], numbers=[model.numbers[place] for place in order]
    )


def _stored(scale: Scale) -> dict[str, Any]:
    """A scale without what came later, and has columns of its own."""
    later = ("missing", "ranked")
    return {name: value for name, value in vars(scale).items() if name not in later}


def _customers(found: Sequence[Row], numbers: dict[int, int]) -> dict[int, int]:
    return {numbers[row["cluster"]]: row["customers"] for row in found}


def _columns(fit: Fit, model: ClusterModel, rules: Clusters, as_of: date) -> dict[str, Any]:
    """What `cluster_models` tells of the training."""
    return {
        "version": as_of,
        "edition": None,  # until it is known whether other days use an earlier one
        "rules_digest": rules.trained_by,
        "window": rules.look_back.label,
        "seed": rules.seed,
        "k": fit.k,
        "k_reason": fit.k_reason,
        "fitted_on": fit.fitted_on,
        "features": [_stored(scale) for scale in model.scales],
        "missing_values": [scale.missing for scale in model.scales],
        "ranked_values": [scale.ranked for scale in model.scales],
        "centres": [
            {"cluster": number, "position": centre.tolist()}
            for number, centre in zip(model.numbers, model.centres, strict=True)
        ],
        "outlier_distance": model.outlier_distance,
        "start_costs": list(fit.start_costs),
        "pass_costs": list(fit.pass_costs),
        "group_cuts": [list(cuts) for cuts in model.group_cuts],
        "possible_micro_groups": float(possible(model)),
    }
