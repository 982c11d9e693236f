"""What is shown of clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.clusters.job import MODEL
from rfm_spark.results.clusters.settings import Clusters
from rfm_spark.results.clusters.tables import CLUSTER_MODELS, CLUSTER_TIERS, CLUSTERS
from rfm_spark.results.clusters.tiers import NEAR_IDEAL, TIERS
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run

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
            PanelColumn("tier"),
            PanelColumn("persona"),
        ),
        [
            (
                str(row["cluster"]),
                f"{row['customers']:,}",
                percent(row["customer_share"]),
                money.rounded(row["revenue_cents"]),
                money.rounded(row["revenue_per_customer_cents"]),
                told_tier(row["tier"]),
                row["persona"],
            )
            for row in rows
        ],
    )
    yield from tier_panels(request.run, request.as_of)


def told_tier(tier: str | None) -> str:
    """A tier as a person reads it; nothing of a release that told none."""
    return (tier or "").replace("_", " ")


def tier_panels(run: Run, as_of: date) -> Iterator[Panel]:
    """Tiers, what near-ideal clusters lack, and micro-groups."""
    where = {"model": MODEL, "as_of": as_of}
    money = run.settings.business.money_format
    found = {row["tier"]: row for row in run.warehouse.rows(CLUSTER_TIERS, where)}
    if found:
        columns = ("tier", ">clusters", ">customers", ">revenue", ">half-way", ">micro-groups",
                   ">customers", ">half-way")  # fmt: skip
        yield Panel(
            "Tiers of clusters",
            f", revenue in {money.currency}; half-way: what those nearly ideal would bring more if "
            "they came half-way to the ideal cluster they are like, and no forecast",
            [PanelColumn(one.removeprefix(">"), one.startswith(">")) for one in columns],
            [_tier_row(found[tier], money) for tier in TIERS if tier in found],
        )
    rows = run.warehouse.rows(CLUSTERS, where)
    lacking = [
        (str(row["cluster"]), str(row["ideal_cluster"]), gaps_told(row["improve"]))
        for row in sorted(rows, key=lambda one: one["cluster"])
        if row["tier"] == NEAR_IDEAL
    ]
    if lacking:
        columns = ("cluster", "like", "what its mean lacks")
        yield Panel("Near ideal", "", [PanelColumn(one) for one in columns], lacking)
    yield from _groups(run, where)


def gaps_told(improve: Mapping[str, float]) -> str:
    """Gaps of features, in their own units.

    >>> gaps_told({"frequency": 4.25, "recency_days": -31.0})
    'frequency +4.25, recency_days -31'
    """
    return ", ".join(f"{name} {gap:+,.3g}" for name, gap in sorted(improve.items()))


def _tier_row(row: Mapping[str, Any], money: MoneyFormat) -> tuple[str, ...]:
    def rounded(cents: int | None) -> str:
        return "" if cents is None else money.rounded(cents)

    return (
        told_tier(row["tier"]),
        f"{row['clusters']:,}",
        f"{row['customers']:,}",
        money.rounded(row["revenue_cents"]),
        rounded(row["half_way_cents"]),
        f"{row['micro_groups']:,}",
        f"{row['micro_group_customers']:,}",
        rounded(row["micro_group_half_way_cents"]),
    )


def _groups(run: Run, where: Mapping[str, Any]) -> Iterator[Panel]:
    """How many micro-groups are occupied."""
    for row in run.warehouse.rows(CLUSTER_MODELS, where):
        if row["micro_groups"] is not None:
            possible, clusters = row["possible_micro_groups"], len(row["centres"])
            yield Panel(
                f"{row['micro_groups']:,} of {possible:,.0f} possible micro-groups are occupied",
                f", and merged into {clusters} clusters (table micro_groups)",
            )
