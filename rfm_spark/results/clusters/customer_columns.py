"""What clusters add to `customer_360`."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Column
from rfm_spark.results.clusters.one_model import model_slice
from rfm_spark.results.clusters.settings import Models, models_of
from rfm_spark.results.clusters.stored_models import has_none, is_whole
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS
from rfm_spark.results.declaration import CustomerColumns, Request


def cluster_of_customers(request: Request[Models]) -> DataFrame:
    """Cluster, persona and tier of everybody who was clustered, by the first model.

    Returns:
        One row per customer: `customer_id`, `cluster`, `persona`, `cluster_tier`.

    Raises:
        UserError: if the day was not clustered, or not to the end.
    """
    run = request.run
    name = next(iter(models_of(request.rules)))
    of_day = model_slice(name, request.as_of)
    assigned = run.read(CLUSTER_ASSIGNMENTS).where(of_day)
    is_dropped = assigned.isEmpty() and not has_none(run, name, request.as_of)  # of an old day
    if not is_whole(run, name, request.as_of) or is_dropped:
        raise UserError(
            f"{run.warehouse.path(CLUSTER_ASSIGNMENTS)}: has no whole clusters {name} as of "
            f"{request.as_of}: run `rfm-spark clusters` for that day first"
        )
    return with_descriptions(assigned, run.read(CLUSTERS).where(of_day))


def with_descriptions(assignments: DataFrame, clusters: DataFrame) -> DataFrame:
    """Rows of `cluster_assignments` with persona and tier of their row of `clusters`.

    Returns:
        One row per customer: `customer_id`, `cluster`, `persona`, `cluster_tier`.
    """
    named = F.broadcast(clusters.select("cluster", "persona", F.col("tier").alias("cluster_tier")))
    return assignments.select("customer_id", "cluster").join(named, "cluster", "left")


CLUSTER_COLUMNS = CustomerColumns(
    columns=(
        Column("cluster", IntegerType(), "Cluster; NULL for customers outside the window"),
        Column("persona", StringType(), "What sets the cluster apart, in words"),
        Column(
            "cluster_tier",
            StringType(),
            "Tier of the cluster: ideal, near_ideal, low_potential or regular",
            since=2,
        ),
    ),
    rows=cluster_of_customers,
    reads=(CLUSTER_ASSIGNMENTS, CLUSTERS),
)
