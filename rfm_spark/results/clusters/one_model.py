"""One model on one day: chosen or trained, everybody assigned, and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.drift import DRIFTED
from rfm_spark.core.table import Table
from rfm_spark.results.clusters.assignment import assignments, cluster_sums
from rfm_spark.results.clusters.description import (
    ClusterSums,
    cluster_means,
    cluster_rows,
    model_notes,
    tier_rows,
)
from rfm_spark.results.clusters.features.further import is_one_hot
from rfm_spark.results.clusters.micro_groups import micro_groups
from rfm_spark.results.clusters.model_history import ModelHistory
from rfm_spark.results.clusters.moves import by_both_models, cluster_moves
from rfm_spark.results.clusters.representatives import representatives
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.stored_models import NO_CLUSTERS, StoredModel
from rfm_spark.results.clusters.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTER_CANDIDATES,
    CLUSTER_MODELS,
    CLUSTER_MOVES,
    CLUSTER_REPRESENTATIVES,
    CLUSTER_TIERS,
    CLUSTERS,
    MICRO_GROUPS,
)
from rfm_spark.results.clusters.tiers import near_groups, tiers, with_tiers
from rfm_spark.results.clusters.training import trained
from rfm_spark.run import Run


def model_slice(name: str, as_of: date) -> Column:
    """The rows of one model on one day."""
    return (F.col("model") == name) & (F.col("as_of") == F.lit(as_of))


def cluster_by(
    run: Run, name: str, rules: Clusters, features: DataFrame, names: Sequence[str], as_of: date
) -> str:
    """Groups the customers of a day by one model, and writes all that there is to tell.

    Args:
        run: the run.
        name: of the model.
        rules: of the model.
        features: `customer_features` of the day and window.
        names: features to use for a new model.
        as_of: the day.

    Returns:
        What was found, in words.

    Raises:
        NothingToCluster: if no feature differs between customers.
        UserError: if a pinned model cannot be used.
    """
    history = ModelHistory(run, name, as_of)
    earlier = history.before(rules)
    stored, sums, drift = _kept(history, rules, features, names)
    is_new = stored is None or sums is None
    if stored is None or sums is None:
        known = history.known(rules, earlier)
        new = trained(features, names, rules, known, history.last_number, as_of)
        stored = history.placed(new)
        sums = _sums(features, stored, names)
    of_model = model_slice(name, as_of)
    assigned = _labelled(assignments(features, stored.model), name, as_of)
    run.replace(CLUSTER_ASSIGNMENTS, assigned, of_model)
    _write_representatives(run, name, as_of)
    occupied = _describe(run, name, rules, features, stored, sums, as_of)
    _tell_moves(run, name, features, earlier, stored, as_of)
    if is_new or stored.version.day != as_of:  # those of a model that is used again stay
        _replace_few(run, CLUSTER_CANDIDATES, _candidate_rows(name, stored, as_of), name, as_of)
    # Written last: it says that the day is whole.
    row = {
        "model": name,
        "as_of": as_of,
        "customers": sums.customers,
        "cost": sums.cost,
        "variance_explained": sums.explained_share(stored.model.scales),
        "drift": drift if stored.version.day != as_of else None,
        "micro_groups": occupied,
        "is_whole": True,
        **stored.columns,
    }
    run.replace_by(CLUSTER_MODELS, [row], of_model)
    notes = [*stored.notes, *model_notes(stored.columns["k"], stored.model, sums)]
    run.notes += [f"clusters {name}: {note}" for note in notes]
    return _told(stored, row, len(sums.rows), drift)


def write_none(run: Run, name: str, rules: Clusters, features: DataFrame, as_of: date) -> None:
    """Writes that a model has no clusters on a day, which is whole without any."""
    of_model = model_slice(name, as_of)
    for table in (
        CLUSTER_ASSIGNMENTS,
        CLUSTER_REPRESENTATIVES,
        CLUSTERS,
        MICRO_GROUPS,
        CLUSTER_TIERS,
        CLUSTER_MOVES,
        CLUSTER_CANDIDATES,
    ):
        run.warehouse.create(table)
        if not run.warehouse.read(table).where(of_model).isEmpty():
            run.replace_by(table, [], of_model)
    customers = features.count()
    row = {
        "model": name,
        "as_of": as_of,
        "window": rules.look_back.label,
        "seed": rules.seed,
        "customers": customers,
        "fitted_on": customers,
        "cost": 0.0,
        "variance_explained": 0.0,
        "features": [],
        "k": NO_CLUSTERS,
        "is_whole": True,
    }
    run.replace_by(CLUSTER_MODELS, [row], of_model)


def _kept(
    history: ModelHistory, rules: Clusters, features: DataFrame, names: Sequence[str]
) -> tuple[StoredModel | None, ClusterSums | None, float | None]:
    """The model that is used again, its clusters of the day, and how far these have drifted.

    Of one that is given up, how far it has drifted alone.
    """
    kept = history.kept(rules)
    if kept is None:
        return None, None, None
    sums = _sums(features, kept, names)
    drift = kept.drift({number: row["customers"] for number, row in sums.rows.items()})
    if history.has_drifted(rules, kept, drift):
        return None, None, drift
    return kept, sums, drift


def _candidate_rows(name: str, stored: StoredModel, as_of: date) -> list[dict[str, Any]]:
    of_model = {"model": name, "as_of": as_of}
    return [
        {**of_model, **vars(one), "is_chosen": one.k == stored.columns["k"]}
        for one in stored.candidates
    ]


def _sums(features: DataFrame, stored: StoredModel, names: Sequence[str]) -> ClusterSums:
    model = stored.model
    plain = [name for name in names if not is_one_hot(name)]
    described = [*plain, *(s.feature for s in model.scales if s.feature not in names)]
    found = cluster_sums(assignments(features, model), model.scales, described)
    rows = sorted(found.collect(), key=lambda row: row["cluster"])
    return ClusterSums({row["cluster"]: row for row in rows}, described)


def _write_representatives(run: Run, name: str, as_of: date) -> None:
    of_model = model_slice(name, as_of)
    found = representatives(run.warehouse.read(CLUSTER_ASSIGNMENTS).where(of_model))
    run.replace(CLUSTER_REPRESENTATIVES, _labelled(found.coalesce(1), name, as_of), of_model)


def _describe(
    run: Run,
    name: str,
    rules: Clusters,
    features: DataFrame,
    stored: StoredModel,
    sums: ClusterSums,
    as_of: date,
) -> int:
    """Writes clusters, micro-groups and tiers; how many micro-groups are occupied."""
    model, of_model = stored.model, model_slice(name, as_of)
    means = cluster_means(model, sums)
    found = tiers(means.values(), rules.ideal_revenue_share)
    run.replace_by(CLUSTERS, cluster_rows(name, as_of, model, sums, found), of_model)
    groups = with_tiers(micro_groups(features, model, sums.features), means, found)
    occupied = run.replace(MICRO_GROUPS, _labelled(groups, name, as_of), of_model).rows
    near = near_groups(run.warehouse.read(MICRO_GROUPS).where(of_model))
    run.replace_by(CLUSTER_TIERS, tier_rows(name, as_of, sums, found, near), of_model)
    return occupied


def _tell_moves(
    run: Run,
    name: str,
    features: DataFrame,
    earlier: StoredModel | None,
    stored: StoredModel,
    as_of: date,
) -> None:
    """Writes the moves since the last stored day before, where its assignments are still there."""
    of_model = model_slice(name, as_of)
    if earlier is not None and run.warehouse.is_there(CLUSTER_ASSIGNMENTS):
        were = run.warehouse.read(CLUSTER_ASSIGNMENTS).where(model_slice(name, earlier.as_of))
        if not were.isEmpty():
            today = by_both_models(features, earlier.model, stored.model)
            moves = cluster_moves(were, today).withColumn("since", F.lit(earlier.as_of))
            run.replace(CLUSTER_MOVES, _labelled(moves.coalesce(1), name, as_of), of_model)
            return
    _replace_few(run, CLUSTER_MOVES, [], name, as_of)


def _replace_few(
    run: Run, table: Table, rows: Sequence[Mapping[str, Any]], name: str, as_of: date
) -> None:
    """Writes rows of a table that most days have none of: without any before and now, no commit."""
    run.warehouse.create(table)
    if rows or run.warehouse.rows(table, {"model": name, "as_of": as_of}):
        run.replace_by(table, rows, model_slice(name, as_of))


def _labelled(rows: DataFrame, name: str, as_of: date) -> DataFrame:
    return rows.withColumns({"model": F.lit(name), "as_of": F.lit(as_of)})


def _told(stored: StoredModel, row: dict[str, Any], clusters: int, drift: float | None) -> str:
    explained = f"{clusters} clusters explain {row['variance_explained']:.1%} of the variance"
    if row["version"] != row["as_of"]:
        return f"{explained}: the model of {stored.version}, drift {drift:.3f}"
    starts, passes = len(row["start_costs"]), len(row["pass_costs"])
    best = f"the best of {starts} starts, " if starts > 1 else ""
    if drift is not None and drift > DRIFTED:
        best = f"trained again after a drift of {drift:.2f}, {best}"
    return f"{explained}: {best}{passes} pass{'es' if passes > 1 else ''} over all"
