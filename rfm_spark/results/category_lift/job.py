"""Category lift of a day."""

from __future__ import annotations

from contextlib import ExitStack

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.core.kept_rows import keep
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES
from rfm_spark.results.category_lift.lift import bought_categories, category_lift, group_counts
from rfm_spark.results.category_lift.settings import CategoryLift
from rfm_spark.results.category_lift.tables import CATEGORY_LIFT
from rfm_spark.results.clusters.one_model import model_slice
from rfm_spark.results.clusters.result import RESULT as CLUSTERS_RESULT
from rfm_spark.results.clusters.settings import models_of
from rfm_spark.results.clusters.stored_models import is_whole
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.result import RESULT as RFM_RESULT
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import as_of_slice

SEGMENT, TIER = "segment", "tier"


def refresh_category_lift(request: Request[CategoryLift], _: DataFrame | None) -> None:
    """Tells of each segment and tier what its customers buy more often than all do.

    Raises:
        UserError: if no customer has been scored for the day.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("category lift") as step, ExitStack() as kept:
        bought = bought_categories(run.read(CUSTOMER_DAY_CATEGORIES), as_of, rules.look_back)
        sizes, found = group_counts(_groups(request), bought)
        rows = (
            # Read twice, by other columns: what customers bought would be added up for each.
            category_lift(sizes, keep(kept, found))
            .withColumn("as_of", F.lit(as_of))
            .withColumn("window", F.lit(rules.look_back.label))
        )
        commit = run.replace(CATEGORY_LIFT, rows.coalesce(1), as_of_slice(as_of))
        step.says(f"{commit.rows:,} rows of groups and categories")


def _groups(request: Request[CategoryLift]) -> DataFrame:
    """One row per customer and breakdown: its group."""
    run, as_of = request.run, request.as_of
    leading = leading_profile(RFM_RESULT.rules(run.settings))
    scored = run.read(RFM).where((F.col("profile") == leading) & as_of_slice(as_of))
    segments = scored.where(F.col("segment").isNotNull())
    if segments.isEmpty():
        raise UserError(
            f"{run.warehouse.path(RFM)}: has no segments of {leading} as of {as_of}: run "
            "`rfm-spark rfm` for that day first"
        )
    groups = _of(SEGMENT, segments, "segment")
    tiers = _tiers(run, request)
    return groups if tiers is None else groups.unionByName(_of(TIER, tiers, "tier"))


def _tiers(run: Run, request: Request[CategoryLift]) -> DataFrame | None:
    """Customers with the tier of their cluster; None where nobody has a cluster on the day."""
    name = next(iter(models_of(CLUSTERS_RESULT.rules(run.settings))))
    if not run.warehouse.is_there(CLUSTERS) or not is_whole(run, name, request.as_of):
        return None
    of_model = model_slice(name, request.as_of)
    tiers = run.read(CLUSTERS).where(of_model).select("cluster", "tier")
    assigned = run.read(CLUSTER_ASSIGNMENTS).where(of_model).select("customer_id", "cluster")
    return assigned.join(F.broadcast(tiers), "cluster")


def _of(breakdown: str, customers: DataFrame, group: str) -> DataFrame:
    named = (F.lit(breakdown).alias("breakdown"), F.col(group).alias("value"))
    return customers.select("customer_id", *named)
