"""What clusters by segment tell the report."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.page import Data, Field, HeatMap, Page
from rfm_spark.results.cluster_segments.panels import NOT_SCORED, rows_by_segment
from rfm_spark.results.clusters.result import RESULT as CLUSTERS_RESULT
from rfm_spark.results.clusters.settings import models_of
from rfm_spark.results.clusters.stored_models import is_whole
from rfm_spark.results.declaration import Request


def cluster_segment_pages(request: Request[None]) -> Iterator[Page]:
    """In which segments the customers of each cluster are, of the model that leads."""
    model = next(iter(models_of(CLUSTERS_RESULT.rules(request.run.settings))))
    found = rows_by_segment(request.run, model, request.as_of)
    if not found or not is_whole(request.run, model, request.as_of):
        return
    rows = [
        {**row, "cluster": str(row["cluster"]), "segment": row["value"] or NOT_SCORED}
        for row in sorted(found, key=lambda row: (row["cluster"], str(row["value"])))
    ]
    fields = (
        Field("cluster", "cluster"),
        Field("segment", "segment"),
        Field("cluster_share", "of the cluster", "share"),
        Field("customers", "customers", "count"),
    )
    heads = {
        cluster: sum(row["customers"] for row in rows if row["cluster"] == cluster)
        for cluster in dict.fromkeys(row["cluster"] for row in rows)
    }
    yield Page(
        "Clusters",
        [
            HeatMap(
                "In which segments the customers of each cluster are",
                Data(fields, rows),
                "cluster",
                "segment",
                "cluster_share",
                sorted({row["segment"] for row in rows}),
                heads=heads,
                note="Of the customers of the cluster.",
            )
        ],
    )
