"""What is shown of a backtest: how well each profile ranks, and what its groups did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rfm_spark.app.backtest.counts import CHANCE, LOGISTIC, RECENCY, SCORE
from rfm_spark.app.backtest.job import Found
from rfm_spark.app.backtest.results import ALL, CLUSTER, DECILE, SEGMENT, TIER
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent

RANKING_WORDS = {
    SCORE: "the profile's score",
    RECENCY: "recency alone",
    LOGISTIC: "logistic regression",
    CHANCE: "scores shuffled",
}
"""Rankings as people read them, in the order in which they are told."""
_SHOWN = (SEGMENT, DECILE, CLUSTER, TIER)

Rows = Sequence[Mapping[str, Any]]


def backtest_panels(found: Found, money: MoneyFormat) -> Iterator[Panel]:
    """Of each day and profile its rankings, with a warning where due; of the last day the groups.

    Cells are many: they are in the table.
    """
    by_key = {key: list(rows) for key, rows in groupby(found.rankings, _key)}
    for (day, days, profile), rows in by_key.items():
        yield Panel(
            f"{profile}: scored as of {day}, seen {days} days later",
            f", {rows[0]['responders']:,} of {rows[0]['customers']:,} customers came",
            (
                PanelColumn("ranked by"),
                PanelColumn("Gini", is_number=True),
                PanelColumn("95 % from", is_number=True),
                PanelColumn("to", is_number=True),
            ),
            [
                (RANKING_WORDS[row["ranking"]], *map(number, (row[n] for n in _GINI)))
                for row in sorted(rows, key=lambda row: list(RANKING_WORDS).index(row["ranking"]))
            ],
        )
        if (warning := chance_warning(rows)) is not None:
            yield Panel("Warning: ", warning)
    last = max(row["as_of"] for row in found.rankings)
    newest = [row for row in found.groups if row["as_of"] == last]
    for (day, days, profile), rows_of in groupby(newest, _key):
        yield from _groups(f"{profile} as of {day}, {days} days later", list(rows_of), money)


_GINI = ("gini", "gini_low", "gini_high")


def chance_warning(rankings: Rows) -> str | None:
    """What to say of a profile that ranks no better than chance; None where it does.

    It does where the interval of its Gini lies above that of shuffled scores.

    Args:
        rankings: rows of `backtest_rankings` of one profile, day and number of days.
    """
    by_name = {row["ranking"]: row for row in rankings}
    score, chance = by_name[SCORE], by_name[CHANCE]
    came, customers = score["responders"], score["customers"]
    if score["gini"] is None:
        who = "nobody" if not came else "everybody"
        return f"{who} of {customers:,} came in these days: no order is better than another"
    if score["gini_low"] <= chance["gini_high"]:
        return (
            f"{score['profile']} ranks no better than chance: its Gini of {number(score['gini'])} "
            f"can be as low as {number(score['gini_low'])}, and that of shuffled scores as high as "
            f"{number(chance['gini_high'])}"
        )
    return None


def number(gini: float | None) -> str:
    """A Gini as people read it; a dash where there is none."""
    return "-" if gini is None else f"{gini:.3f}"


def _groups(title: str, rows: Rows, money: MoneyFormat) -> Iterator[Panel]:
    for breakdown in _SHOWN:
        own = [row for row in rows if row["breakdown"] == breakdown]
        if own:
            yield Panel(
                f"{title}, by {breakdown}",
                f", money in {money.currency}",
                (
                    PanelColumn(breakdown),
                    *(
                        PanelColumn(one, is_number=True)
                        for one in ("customers", "came", "lift", "revenue", "per customer")
                    ),
                ),
                [_told(row, money) for row in sorted(own, key=order)],
            )


def order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Deciles as they are numbered, other groups by their response, the best first."""
    if row["breakdown"] in (ALL, DECILE):
        return (len(row["value"]), row["value"])
    return (-row["response_rate"], row["value"])


def _told(row: Mapping[str, Any], money: MoneyFormat) -> tuple[str, ...]:
    return (
        row["value"],
        f"{row['customers']:,}",
        percent(row["response_rate"]),
        "-" if row["lift"] is None else f"{row['lift']:.2f}",
        money.rounded(row["revenue_cents"]),
        money.rounded(row["revenue_per_customer_cents"]),
    )


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["as_of"], row["days"], row["profile"]
