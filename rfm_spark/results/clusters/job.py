"""Clusters: features of customers, and every model over them, as of a day."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import Ask
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAYS
from rfm_spark.results.clusters.features.catalogue import HABIT_NAMES
from rfm_spark.results.clusters.features.further import (
    PROFILE,
    is_one_hot,
    numbers_named,
    parts,
)
from rfm_spark.results.clusters.features.names import lacking_input
from rfm_spark.results.clusters.features.values import customer_features, feature_asks
from rfm_spark.results.clusters.model_history import ModelHistory
from rfm_spark.results.clusters.one_model import cluster_by, write_none
from rfm_spark.results.clusters.settings import Clusters, Models, models_of, written_models
from rfm_spark.results.clusters.tables import CUSTOMER_FEATURES
from rfm_spark.results.clusters.training import NothingToCluster
from rfm_spark.results.declaration import Request, Use, required
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.renewal import renew

_PROFILES = "rfm"
"""The result whose numbers a feature `profile:NAME.NUMBER` is one of."""


def cluster_asks(section: Models, shop: ShopSettings) -> list[Ask]:
    """What features are made of."""
    return [
        ask
        for look_back in _look_backs(section)
        for ask in feature_asks(look_back, bool(shop.interactions), _further(section, look_back))
    ]


def _further(section: Models, look_back: LookBack) -> list[str]:
    """Further features that models of a window name, each once."""
    of_window = [one for one in models_of(section).values() if one.look_back == look_back]
    named = [name for rules in of_window for name in rules.features or ()]
    return list(dict.fromkeys(name for name in named if parts(name) is not None))


def _look_backs(section: Models) -> list[LookBack]:
    """Those of all models, each once, in the order of these."""
    return list(dict.fromkeys(rules.look_back for rules in models_of(section).values()))


def cluster_uses(section: Models) -> Iterator[Use]:
    """Numbers of RFM profiles that features are."""
    for where, rules in written_models(section):
        for number in numbers_named(rules.features or ()):
            yield Use(f"{where}.features: {PROFILE}:{number}", _PROFILES, number)


def cluster_misfits(section: Models, shop: ShopSettings) -> Iterator[str]:
    """Features without the input they are made of, and transforms of what is no number of them."""
    for where, rules in written_models(section):
        for name in rules.features or ():
            if (setting := lacking_input(name, shop)) is not None:
                yield f"{where}.features: {name} needs {setting}"
        for name in rules.transforms:
            if name not in chosen_features(rules, shop):
                yield f"{where}.transforms: {name} is none of the features of the model"
            elif is_one_hot(name):
                yield f"{where}.transforms: {name} has indicators, which no transform changes"


def chosen_features(rules: Clusters, shop: ShopSettings) -> list[str]:
    """The features asked for; by default all habits that the input allows."""
    return rules.features or [name for name in HABIT_NAMES if lacking_input(name, shop) is None]


def refresh_clusters(request: Request[Models], sums: DataFrame | None) -> None:
    """Groups the customers who bought in the window by their habits, by every model.

    On a day on which all customers are alike, as on a shop's first ones, nobody has a cluster:
    other results of the day are made all the same.

    Args:
        request: the run, the rules and the day.
        sums: `customer_sums` as of that day, with `cluster_asks`.

    Raises:
        UserError: if nobody bought in a window, or a model cannot be used.
    """
    run = request.run
    if run.warehouse.is_there(CUSTOMER_FEATURES):  # made when there were fewer, perhaps
        renew(run.warehouse, CUSTOMER_FEATURES, is_made_again=True)
    histories = [
        (ModelHistory(run, name, request.as_of), rules)
        for name, rules in models_of(request.rules).items()
    ]
    for history, rules in histories:
        history.kept(rules)  # first, because a pinned model that is not there is an error
    for history, _ in histories:
        history.begin_again()
    for look_back in _look_backs(request.rules):
        _refresh_features(request, required(sums), look_back)
    for name, rules in models_of(request.rules).items():
        with run.progress.step(f"clusters {name}") as step:
            where = _features_slice(request, rules.look_back)
            features = run.warehouse.read(CUSTOMER_FEATURES).where(where)
            names = chosen_features(rules, run.settings)
            try:
                step.says(cluster_by(run, name, rules, features, names, request.as_of))
            except NothingToCluster as error:
                write_none(run, name, rules, features, request.as_of)
                run.notes.append(f"{error.problems[0]}: nobody has a cluster of {name}")
                step.says("none")


def _refresh_features(request: Request[Models], sums: DataFrame, look_back: LookBack) -> None:
    run, as_of = request.run, request.as_of
    further = _further(request.rules, look_back)
    numbers = numbers_named(further)
    if numbers:
        sums = sums.join(request.numbers_of(_PROFILES, numbers), "customer_id", "left")
    with run.progress.step("customer features") as step:
        found = customer_features(
            sums,
            run.read(CUSTOMER_DAYS),
            run.read(CUSTOMER_DAY_CATEGORIES) if run.settings.has_categories else None,
            bool(run.settings.interactions),
            as_of,
            look_back,
            further,
        )
        commit = run.replace(CUSTOMER_FEATURES, found, _features_slice(request, look_back))
        if commit.rows == 0:
            raise UserError(
                f"[clusters] nobody bought in the {look_back.label} days up to {as_of}: choose "
                "another --as-of or a longer window_days"
            )
        step.says(f"{commit.rows:,} customers")


def _features_slice(request: Request[Models], look_back: LookBack) -> Column:
    return (F.col("window") == look_back.label) & (F.col("as_of") == F.lit(request.as_of))
