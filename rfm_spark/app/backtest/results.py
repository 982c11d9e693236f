"""Results of a backtest: what was counted, as rows of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.app.backtest.counts import CHANCE, SCORE, Counted, Group, group_of
from rfm_spark.app.backtest.ranking import Ranking
from rfm_spark.app.backtest.resampling import chance, gini_interval

PERCENTS = range(0, 101, 5)
"""At which gains are told."""
ALL, SEGMENT, CELL, DECILE, CLUSTER, TIER = "all", "segment", "cell", "decile", "cluster", "tier"

_SHARES = [percent / 100 for percent in PERCENTS]

Row = dict[str, Any]
Key = Mapping[str, Any]


def group_rows(key: Key, by: Mapping[str, Mapping[str, Group]]) -> Iterator[Row]:
    """Rows of `backtest`.

    Args:
        key: of all of them: `as_of`, `days` and `profile`.
        by: by breakdown, then by value, groups that are of the same customers in each breakdown.
    """
    whole = sum(next(iter(by.values())).values(), Group())
    rate_of_all = whole.responders / whole.customers if whole.customers else 0.0
    for breakdown, groups in by.items():
        for value, group in groups.items():
            rate = group.responders / group.customers
            yield {
                **key,
                "breakdown": breakdown,
                "value": value,
                "customers": group.customers,
                "responders": group.responders,
                "response_rate": rate,
                "lift": rate / rate_of_all if rate_of_all else None,
                "revenue_cents": group.revenue_cents,
                "revenue_per_customer_cents": group.revenue_cents / group.customers,
            }


def groups_of(found: Counted) -> dict[str, dict[str, Group]]:
    """The groups that scores make, by breakdown."""
    totals = sorted({row["rfm_total"] for row in found.cells}, reverse=True)
    deciles = dict(zip(totals, found.rankings[SCORE].deciles().tolist(), strict=True))
    by: dict[str, Callable[[Mapping[str, Any]], str]] = {
        ALL: lambda _: ALL,
        SEGMENT: lambda row: str(row["segment"]),
        CELL: lambda row: str(row["rfm_cell"]),
        DECILE: lambda row: str(deciles[row["rfm_total"]]),
    }
    return {name: added_up(found.cells, value_of) for name, value_of in by.items()}


def added_up(
    rows: Sequence[Mapping[str, Any]], value_of: Callable[[Mapping[str, Any]], str]
) -> dict[str, Group]:
    """The groups of rows with the same value."""
    found: defaultdict[str, Group] = defaultdict(Group)
    for row in rows:
        found[value_of(row)] += group_of(row)
    return dict(found)


def ranking_rows(key: Key, rankings: Mapping[str, Ranking]) -> tuple[list[Row], list[Row]]:
    """Rows of `backtest_rankings`, and of `backtest_gains`.

    Args:
        key: of all of them: `as_of`, `days` and `profile`.
        rankings: by name; that by score is shuffled.
    """
    told, points = list[Row](), list[Row]()
    for name, ranking in rankings.items():
        ends = gini_interval(ranking, _draw(key, name))
        told.append(_told(key, name, ranking, ranking.gini, ends))
        points += [
            {**key, "ranking": name, "customer_percent": percent, "responder_share": share}
            for percent, share in zip(PERCENTS, ranking.gains(_SHARES) or [], strict=False)
        ]
    by_score = rankings[SCORE]
    shuffled = chance(by_score, _draw(key, CHANCE), _SHARES)
    told.append(_told(key, CHANCE, by_score, shuffled.gini, shuffled.interval))
    points += [
        {
            **key,
            "ranking": CHANCE,
            "customer_percent": percent,
            "responder_share": percent / 100,
            "responder_share_low": low,
            "responder_share_high": high,
        }
        for percent, (low, high) in zip(PERCENTS, shuffled.gains, strict=False)
    ]
    return told, points


def _told(
    key: Key, name: str, ranking: Ranking, gini: float | None, ends: tuple[float, float] | None
) -> Row:
    low, high = ends or (None, None)
    return {
        **key,
        "ranking": name,
        "customers": int(ranking.customers.sum()),
        "responders": int(ranking.responders.sum()),
        "gini": gini,
        "gini_low": low,
        "gini_high": high,
    }


def _draw(key: Key, name: str) -> str:
    """What is drawn, so that it is drawn again as it was."""
    return "\0".join([*map(str, key.values()), name])
