"""Sources of a backtest: what was known on a day, and what was not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.backtest.outcomes import group_aggregates, visits_after
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.facts.asks import ATTRIBUTES_EVER
from rfm_spark.results.clusters.features.further import ATTRIBUTE_OF, ONE_HOT, PROFILE
from rfm_spark.results.clusters.one_model import model_slice
from rfm_spark.results.clusters.settings import models_of
from rfm_spark.results.clusters.stored_models import is_whole, model_of_day
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTER_MODELS, CLUSTERS
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.boundaries.methods import METHODS
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.settings import Dimension, Profile
from rfm_spark.results.rfm.values import Basis
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings

METHODS_TO_TRY = tuple(name for name, one in METHODS.items() if not one.is_given)
"""Of boundaries: those that find cuts themselves."""


def has_undated_attributes(settings: ShopSettings) -> bool:
    """Whether nobody knows since when attributes have held: on an earlier day they may not have."""
    return settings.customers is not None and settings.customers.columns.valid_from is None


def known_profiles(run: Run) -> Profiles:
    """The profiles whose scores could be had on an earlier day.

    Raises:
        UserError: if there is none.
    """
    profiles: Profiles = BY_COMMAND["rfm"].rules(run.settings)
    if not has_undated_attributes(run.settings):
        return profiles
    known = {name: one for name, one in profiles.items() if not _asks_for_attributes(one.basis)}
    left_out = ", ".join(name for name in profiles if name not in known)
    why = (
        f"{left_out}: the filter looks at attributes of [customers] without `valid_from`, of which "
        "nobody knows what they were on an earlier day"
    )
    if not known:
        raise UserError(f"backtest: {why}")
    if left_out:
        run.notes.append(f"{why}: left out of the backtest")
    return known


def require_methods(methods: Sequence[str]) -> None:
    """Makes sure that boundaries can be found by some methods.

    Raises:
        UserError: if not.
    """
    problems = [
        f"--method {one}: is none that finds boundaries; {did_you_mean(one, METHODS_TO_TRY)}"
        for one in methods
        if one not in METHODS_TO_TRY
    ]
    if problems:
        raise UserError(problems)


def with_methods(profiles: Profiles, methods: Sequence[str]) -> dict[str, Profile]:
    """The profiles, and each of them with all boundaries found by each method, as of the day.

    Args:
        profiles: by name.
        methods: of METHODS_TO_TRY.

    Returns:
        By name, which of the others ends with the method.
    """
    found = dict(profiles)
    for (name, profile), method in product(profiles.items(), dict.fromkeys(methods)):
        cut = dict.fromkeys(("recency", "frequency", "monetary"), Dimension(method=method))
        changed = {**cut, "refit": "always", "pinned": None}
        found[f"{name} by {method}"] = profile.model_copy(update=changed)
    return found


def _asks_for_attributes(basis: Basis) -> bool:
    return basis.filter is not None and bool(basis.filter.attributes)


def without_undated(settings: ShopSettings, sums: DataFrame) -> DataFrame:
    """Sums of customers in which nobody is known by attributes alone that may be of later."""
    name = ATTRIBUTES_EVER.column("has_attributes")
    if name in sums.columns and has_undated_attributes(settings):
        return sums.withColumn(name, F.lit(None).cast("boolean"))
    return sums


def known_models(run: Run, days: Iterable[date], profiles: Iterable[str]) -> list[tuple[date, str]]:
    """The clusters' models that are stored of some days, made of what was known on each.

    Args:
        run: the run; its notes tell which are not.
        days: in their order.
        profiles: those whose scores could be had.
    """
    clusters = BY_COMMAND["clusters"]
    if not clusters.is_made_for(run.settings):
        return []
    known, unknown = list[tuple[date, str]](), defaultdict[str, list[str]](list)
    for day, name in product(days, models_of(clusters.rules(run.settings))):
        problem = _problem(run, name, day, set(profiles))
        if problem is None:
            known.append((day, name))
        else:
            unknown[f"clusters {name}: {problem}"].append(str(day))
    run.notes += [f"{told} (as of {', '.join(days)})" for told, days in unknown.items()]
    return known


def _problem(run: Run, name: str, as_of: date, profiles: set[str]) -> str | None:
    """Why a model tells nothing of a day; None where it does."""
    there = run.warehouse.is_there(CLUSTER_MODELS) and is_whole(run, name, as_of)
    if not there or not run.warehouse.rows(CLUSTERS, {"model": name, "as_of": as_of}, ["cluster"]):
        return (
            "not stored, so the backtest has none of them; `rfm-spark clusters --as-of DAY` makes "
            "those of a day"
        )
    stored = model_of_day(run, name, as_of)
    if stored.version.day > as_of:
        return f"the model is of {stored.version}, later than the day: left out"
    for feature in (one["feature"] for one in stored.columns["features"]):
        kind, _, of = feature.partition(":")
        if kind in (ATTRIBUTE_OF, ONE_HOT) and has_undated_attributes(run.settings):
            return f"{feature} is of no day, as [customers] have no `valid_from`: left out"
        if kind == PROFILE and of.partition(".")[0] not in profiles:
            return f"{feature} is of a profile that is left out, and so are they"
    return None


def cluster_groups(run: Run, model: str, as_of: date, sums: DataFrame, days: int) -> DataFrame:
    """What the customers of each cluster did.

    Args:
        run: the run.
        model: of the clusters.
        as_of: the day.
        sums: of customers as of it, with what they did afterwards.
        days: that they are watched.

    Returns:
        One row per cluster: `cluster`, `tier`, and `group_aggregates`.
    """
    assigned = run.read(CLUSTER_ASSIGNMENTS).where(model_slice(model, as_of))
    clusters = run.read(CLUSTERS).where(model_slice(model, as_of)).select("cluster", "tier")
    outcomes = sums.select("customer_id", *visits_after(days).measured())
    return (
        assigned.select("customer_id", "cluster")
        .join(outcomes, "customer_id", "left")
        .groupBy("cluster")
        .agg(*group_aggregates())
        .join(F.broadcast(clusters), "cluster", "left")
    )
