"""What is shown of clusters by segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.cluster_segments.crossing import SEGMENT, crossing_problems
from rfm_spark.results.cluster_segments.tables import CLUSTER_SEGMENTS
from rfm_spark.results.clusters.tables import CLUSTERS
from rfm_spark.run import Run

NOT_SCORED = "not scored"
"""Stands for the segment of who has none."""

_MOST = 3
"""Segments of a cluster, the largest."""


def rows_by_segment(run: Run, model: str, as_of: date) -> list[dict[str, Any]]:
    """Rows of `cluster_segments` by segment; none where the clusters have been made again since."""
    where = {"model": model, "as_of": as_of}
    rows = run.warehouse.rows(CLUSTER_SEGMENTS, where)
    if any(crossing_problems(rows, run.warehouse.rows(CLUSTERS, where))):
        return []
    return [row for row in rows if row["breakdown"] == SEGMENT]


def segments_of_clusters(run: Run, model: str, as_of: date) -> Iterator[Panel]:
    """The segments that most customers of each cluster are in; nothing where none are stored."""
    rows = rows_by_segment(run, model, as_of)
    told: defaultdict[int, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one["cluster"], -one["customers"], str(one["value"]))):
        told[row["cluster"]].append(f"{row['value'] or NOT_SCORED} {percent(row['cluster_share'])}")
    if told:
        yield Panel(
            "Clusters by segment",
            " (table cluster_segments, which has them by cohort too)",
            (PanelColumn("cluster", is_number=True), PanelColumn("most are in")),
            [(str(cluster), ", ".join(names[:_MOST])) for cluster, names in told.items()],
        )
