"""What clusters tell the report: who they are, how large, and what they bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.core.page import Chart, Data, Field, Grid, HeatMap, Page, Words
from rfm_spark.results.clusters.features.names import feature
from rfm_spark.results.clusters.panels import told_tier
from rfm_spark.results.clusters.settings import Models, models_of
from rfm_spark.results.clusters.stored_models import is_whole
from rfm_spark.results.clusters.tables import CLUSTER_MODELS, CLUSTER_TIERS, CLUSTERS
from rfm_spark.results.clusters.tiers import TIERS
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run

_CUSTOMERS = Field("customers", "customers", "count")


def cluster_pages(request: Request[Models]) -> Iterator[Page]:
    """All clusters of the day, of the model that customer 360 shows."""
    day: dict[str, Any] = {
        "model": next(iter(models_of(request.rules))),
        "as_of": request.as_of,
    }
    found = request.run.warehouse.rows(CLUSTERS, day)
    rows = sorted(found, key=lambda row: row["cluster"])
    if not rows or not is_whole(request.run, day["model"], request.as_of):
        return
    rows = [{**row, "tier": told_tier(row["tier"])} for row in rows]
    told = [{**row, "name": f"{row['cluster']}: {row['persona']}"} for row in rows]
    explained = "".join(
        f" They explain {model['variance_explained']:.0%} of how much customers differ."
        for model in request.run.warehouse.rows(CLUSTER_MODELS, day, ["variance_explained"])
    )
    yield Page(
        "Clusters",
        [
            Words(
                f"Customers who behave alike, found without rules; a cluster keeps its number from "
                f"day to day.{explained}"
            ),
            Chart(
                "The clusters",
                Data(
                    (
                        Field("name", "cluster"),
                        _CUSTOMERS,
                        Field("revenue_cents", "revenue", "money"),
                    ),
                    told,
                ),
                "map",
                "name",
                "customers",
                shade="revenue_cents",
                note="Areas are customers, the stronger the colour the more revenue.",
            ),
            Grid(
                "What they bring",
                Data(
                    (
                        Field("cluster", "cluster"),
                        Field("persona", "what sets them apart"),
                        Field("tier", "tier"),
                        _CUSTOMERS,
                        Field("customer_share", "share", "share"),
                        Field("revenue_cents", "revenue", "money"),
                        Field("revenue_share", "share", "share", of_money=True),
                        Field("revenue_per_customer_cents", "a customer", "money"),
                    ),
                    rows,
                ),
            ),
            Grid(
                "The customers of a cluster",
                Data(
                    (
                        Field("cluster", "cluster"),
                        _CUSTOMERS,
                        Field("command", "the list of them", "command"),
                    ),
                    [{**row, "command": ("--cluster", str(row["cluster"]))} for row in rows],
                ),
            ),
            *_tiers(request.run, day),
            _habits(told),
        ],
    )


def _tiers(run: Run, day: Mapping[str, Any]) -> Iterator[Grid]:
    """Who is ideal, who is nearly so, and what half the way would be worth."""
    found = {row["tier"]: row for row in run.warehouse.rows(CLUSTER_TIERS, day)}
    if not found:
        return
    fields = (
        Field("tier", "tier"),
        Field("clusters", "clusters", "count"),
        _CUSTOMERS,
        Field("revenue_cents", "revenue", "money"),
        Field("half_way_cents", "half-way", "money"),
        Field("micro_group_customers", "customers of micro-groups elsewhere", "count"),
    )
    rows = [{**found[tier], "tier": told_tier(tier)} for tier in TIERS if tier in found]
    yield Grid(
        "Tiers",
        Data(fields, rows),
        note="Half-way: what those nearly ideal would bring more if they came half-way to the "
        "ideal cluster they are like. It is arithmetic, and no forecast.",
    )


def _habits(rows: Sequence[Mapping[str, Any]]) -> HeatMap:
    """How far each cluster lies from the average customer, by feature."""
    features = {name: feature(name).words for name in rows[0]["centre"]}
    cells = [
        {
            "cluster": row["name"],
            "feature": words,
            "centre": row["centre"].get(name),
            "customers": row["customers"],
        }
        for row in rows
        for name, words in features.items()
    ]
    fields = (
        Field("cluster", "cluster"),
        Field("feature", "habit"),
        Field("centre", "from the average", "number", of_money=True),
        Field("customers", "customers", "count"),
    )
    return HeatMap(
        "Their habits, beside the average customer's",
        Data(fields, cells),
        "cluster",
        "feature",
        "centre",
        list(features.values()),
        heads={row["name"]: row["customers"] for row in rows},
        is_around_zero=True,
        note="In standard deviations from the average customer, who is at 0.",
    )
