"""What is shown of clusters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.clusters.settings import Models, models_of
from rfm_spark.results.clusters.tables import (
    CLUSTER_MODELS,
    CLUSTER_MOVES,
    CLUSTER_REPRESENTATIVES,
    CLUSTER_TIERS,
    CLUSTERS,
)
from rfm_spark.results.clusters.tiers import NEAR_IDEAL, TIERS
from rfm_spark.results.declaration import Request
from rfm_spark.run import Run

_SHOWN = 10
_CAUSES = (
    ("stayed", "stayed in their cluster"),
    ("behaviour", "moved by their own behaviour"),
    ("model", "because the model changed"),
    ("both", "by both"),
    ("entered", "came in"),
    ("left", "went out of the window"),
)


def cluster_panels(request: Request[Models]) -> Iterator[Panel]:
    """Every model of a day."""
    names = list(models_of(request.rules))
    for name in names:
        yield from model_panels(request.run, name, request.as_of, len(names) > 1, _SHOWN)


def model_panels(
    run: Run, name: str, as_of: date, is_named: bool, most: int | None = None
) -> Iterator[Panel]:
    """The clusters of one model, their tiers, what near-ideal ones lack, and moves.

    Args:
        run: the run.
        name: of the model.
        as_of: a day that is stored.
        is_named: whether to tell which model it is.
        most: clusters shown, the largest first; by default all.
    """
    money = run.settings.business.money_format
    where = {"model": name, "as_of": as_of}
    found = run.warehouse.rows(CLUSTERS, where)
    rows = sorted(found, key=lambda one: (-one["customers"], one["cluster"]))[:most]
    if not rows:
        return
    title = "Clusters" if len(rows) == len(found) else f"{len(rows)} of {len(found)} clusters"
    yield Panel(
        title + (f" of {name}" if is_named else "") + ", the largest first",
        f", revenue in {money.currency}",
        (
            PanelColumn("cluster", is_number=True),
            PanelColumn("customers", is_number=True),
            PanelColumn("share", is_number=True, is_long=True),
            PanelColumn("revenue", is_number=True),
            PanelColumn("a customer", is_number=True, is_long=True),
            PanelColumn("tier"),
            PanelColumn("persona"),
            PanelColumn("means against those of all (standard deviations)", is_long=True),
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
                row["description"] or "",
            )
            for row in rows
        ],
    )
    yield from tier_panels(run, where)


def representative_panel(run: Run, name: str, as_of: date) -> Panel:
    """Whom each cluster can be pictured by: for who asks, as it names customers."""
    rows = run.warehouse.rows(CLUSTER_REPRESENTATIVES, {"model": name, "as_of": as_of})
    nearest: defaultdict[int, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: (one["cluster"], one["place"])):
        nearest[row["cluster"]].append(row["customer_id"])
    return Panel(
        "Customers nearest to the centres",
        " (table cluster_representatives)",
        (PanelColumn("cluster", is_number=True), PanelColumn("customers")),
        [(str(cluster), ", ".join(customers)) for cluster, customers in nearest.items()],
    )


def told_tier(tier: str | None) -> str:
    """A tier as a person reads it; nothing of a release that told none."""
    return (tier or "").replace("_", " ")


def tier_panels(run: Run, where: Mapping[str, Any]) -> Iterator[Panel]:
    """Tiers, what near-ideal clusters lack, micro-groups and moves."""
    money = run.settings.business.money_format
    found = {row["tier"]: row for row in run.warehouse.rows(CLUSTER_TIERS, where)}
    if found:
        columns = ("tier", ">clusters", ">customers", ">revenue", ">half-way")
        yield Panel(
            "Tiers of clusters",
            f", revenue in {money.currency}; half-way: what those nearly ideal would bring more if "
            "they came half-way to the ideal cluster they are like, and no forecast",
            [PanelColumn(one.removeprefix(">"), one.startswith(">")) for one in columns],
            [_tier_row(found[tier], money) for tier in TIERS if tier in found],
        )
        yield from _near_groups(found[NEAR_IDEAL], money)
    rows = run.warehouse.rows(CLUSTERS, where)
    lacking = [
        (str(row["cluster"]), str(row["ideal_cluster"]), gaps_told(row["improve"]))
        for row in sorted(rows, key=lambda one: one["cluster"])
        if row["tier"] == NEAR_IDEAL
    ]
    if lacking:
        titles = ("cluster", "like", "what its mean lacks")
        yield Panel("Near ideal", "", [PanelColumn(one) for one in titles], lacking)
    yield from _groups(run, where)
    yield from _moves(run, where)


def _moves(run: Run, where: Mapping[str, Any]) -> Iterator[Panel]:
    """Who moved since the last stored day, in one line."""
    rows = run.warehouse.rows(CLUSTER_MOVES, where)
    causes: Counter[str] = Counter()
    for row in rows:
        causes[row["cause"]] += row["customers"]
    if rows:
        told = ", ".join(f"{causes[cause]:,} {words}" for cause, words in _CAUSES if causes[cause])
        yield Panel(f"Since {rows[0]['since']}", f": {told} (table cluster_moves)")


def gaps_told(improve: Mapping[str, float]) -> str:
    """Gaps of features, in their own units.

    >>> gaps_told({"frequency": 4.25, "recency_days": -31.0})
    'frequency +4.25, recency_days -31'
    """
    return ", ".join(f"{name} {gap:+,.3g}" for name, gap in sorted(improve.items()))


def _tier_row(row: Mapping[str, Any], money: MoneyFormat) -> tuple[str, ...]:
    half_way = row["half_way_cents"]
    return (
        told_tier(row["tier"]),
        f"{row['clusters']:,}",
        f"{row['customers']:,}",
        money.rounded(row["revenue_cents"]),
        "" if half_way is None else money.rounded(half_way),
    )


def _near_groups(row: Mapping[str, Any], money: MoneyFormat) -> Iterator[Panel]:
    """Micro-groups that are near ideal though their cluster is not, in one line."""
    if row["micro_groups"]:
        half_way = money.rounded(row["micro_group_half_way_cents"])
        yield Panel(
            f"{row['micro_groups']:,} micro-groups inside other clusters are near ideal as well",
            f": {row['micro_group_customers']:,} customers, half-way {half_way} {money.currency}",
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
        if row["k_reason"] is not None:
            yield Panel(f"Why {row['k']} clusters", f": {row['k_reason']}")
