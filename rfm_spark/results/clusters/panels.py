"""What is shown of clusters."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.clusters.job import MODEL
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.tables import CLUSTERS
from rfm_spark.results.declaration import Request

_SHOWN = 5


def cluster_panels(request: Request[Clusters]) -> Iterator[Panel]:
    """The largest clusters."""
    money = request.run.settings.business.money_format
    found = request.run.warehouse.rows(CLUSTERS, {"model": MODEL, "as_of": request.as_of})
    rows = sorted(found, key=lambda one: (-one["customers"], one["cluster"]))[:_SHOWN]
    if not rows:
        return
    yield Panel(
        "Largest clusters",
        f", revenue in {money.currency}",
        (
            PanelColumn("cluster", is_number=True),
            PanelColumn("customers", is_number=True),
            PanelColumn("share", is_number=True),
            PanelColumn("revenue", is_number=True),
            PanelColumn("a customer", is_number=True),
            PanelColumn("persona"),
        ),
        [
            (
                str(row["cluster"]),
                f"{row['customers']:,}",
                percent(row["customer_share"]),
                money.rounded(row["revenue_cents"]),
                money.rounded(row["revenue_per_customer_cents"]),
                row["persona"],
            )
            for row in rows
        ],
    )
