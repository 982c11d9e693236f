"""Clusters by segment as a result."""

from __future__ import annotations

from rfm_spark.results.cluster_segments.job import refresh_cluster_segments
from rfm_spark.results.cluster_segments.page import cluster_segment_pages
from rfm_spark.results.cluster_segments.tables import CLUSTER_SEGMENTS
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS, CUSTOMER_FEATURES
from rfm_spark.results.declaration import Result
from rfm_spark.results.rfm.tables import RFM

RESULT = Result(
    name="cluster-segments",
    summary="Tell in which segments and cohorts the customers of each cluster are.",
    tables=(CLUSTER_SEGMENTS,),
    reads=(CLUSTERS, CLUSTER_ASSIGNMENTS, CUSTOMER_FEATURES, RFM),
    make=refresh_cluster_segments,
    pages=cluster_segment_pages,
    of_receipts=True,
    of_history=True,
    place=22,
)
