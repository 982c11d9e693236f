"""Clusters of a day by segment and by cohort, proved to add up to the clusters."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.ingest.forgotten import days_before_forgetting
from rfm_spark.results.cluster_segments.crossing import clusters_left, crossed, crossing_problems
from rfm_spark.results.cluster_segments.tables import CLUSTER_SEGMENTS
from rfm_spark.results.clusters.one_model import model_slice
from rfm_spark.results.clusters.result import RESULT as CLUSTERS_RESULT
from rfm_spark.results.clusters.settings import Clusters, models_of
from rfm_spark.results.clusters.stored_models import has_none, is_whole
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS, CUSTOMER_FEATURES
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.result import RESULT as RFM_RESULT
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.storage.warehouse import as_of_slice


def refresh_cluster_segments(request: Request[None], _: DataFrame | None) -> None:
    """Crosses the clusters of every model with segments and cohorts.

    Raises:
        UserError: if the clusters of the day have not been made.
        RunFailure: if a breakdown does not add up to a cluster; nothing of its model is written.
    """
    run = request.run
    models = models_of(CLUSTERS_RESULT.rules(run.settings))
    for name, rules in models.items():
        with run.progress.step(f"clusters {name} by segment") as step:
            step.says(f"{_cross(request, name, rules):,} groups")


def _cross(request: Request[None], name: str, rules: Clusters) -> int:
    run, as_of = request.run, request.as_of
    clusters = run.warehouse.rows(CLUSTERS, {"model": name, "as_of": as_of})
    if not is_whole(run, name, as_of) or not (clusters or has_none(run, name, as_of)):
        raise UserError(
            f"{run.warehouse.path(CLUSTERS)}: has no whole clusters {name} as of {as_of}: run "
            "`rfm-spark clusters` for that day first"
        )
    run.version_read(CLUSTERS)
    of_model = model_slice(name, as_of)
    in_window = (F.col("window") == rules.look_back.label) & as_of_slice(as_of)
    features = run.read(CUSTOMER_FEATURES).where(in_window)
    assignments = run.read(CLUSTER_ASSIGNMENTS).where(of_model)
    if days_before_forgetting(run, [as_of]):
        clusters = [row.asDict() for row in clusters_left(assignments, features).collect()]
    found = crossed(assignments, features, _segments(request), as_of)
    rows = [row.asDict() for row in found.collect()]  # a few for each cluster and month
    if wrong := list(crossing_problems(rows, clusters)):
        raise RunFailure(f"clusters {name} by segment do not add up: {'; '.join(wrong)}")
    sizes = {one["cluster"]: one["customers"] for one in clusters}
    told = [
        {
            "model": name,
            "as_of": as_of,
            **row,
            "cluster_share": row["customers"] / sizes[row["cluster"]],
        }
        for row in rows
    ]
    return run.replace_by(CLUSTER_SEGMENTS, told, of_model).rows


def _segments(request: Request[None]) -> DataFrame:
    """Segments of the profile that leads; none where it was not scored for the day."""
    leading = leading_profile(RFM_RESULT.rules(request.run.settings))
    is_own = (F.col("profile") == leading) & as_of_slice(request.as_of)
    return request.run.read_or_empty(RFM).where(is_own)
