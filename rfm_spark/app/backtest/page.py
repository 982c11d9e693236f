"""What backtests tell the report: gains beside the band of chance, Ginis, and what groups did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from rfm_spark.app.backtest.counts import CHANCE, SCORE
from rfm_spark.app.backtest.panels import RANKING_WORDS, chance_warning, order
from rfm_spark.app.backtest.results import CELL, CLUSTER, DECILE, SEGMENT, TIER
from rfm_spark.app.backtest.tables import BACKTEST, BACKTEST_GAINS, BACKTEST_RANKINGS
from rfm_spark.core.page import Block, Chart, Choice, Data, Field, Grid, Page, Words
from rfm_spark.run import Run

PAGE = "Backtest"

_CELLS = 25
_OF_SCORES = (SEGMENT, DECILE, CELL)
_OF_CLUSTERS = (CLUSTER, TIER)
_GINIS = (
    Field("gini", "Gini", "number"),
    Field("gini_low", "at least", "number"),
    Field("gini_high", "at most", "number"),
    Field("responders", "came", "count"),
    Field("customers", "of", "count"),
)

Rows = Sequence[Mapping[str, Any]]


def backtest_pages(run: Run, day: date) -> Iterator[Page]:
    """The newest backtest of every profile and number of days that was over by a day."""
    if not run.warehouse.is_there(BACKTEST_RANKINGS):
        return
    rankings = _over(run.warehouse.rows(BACKTEST_RANKINGS), day)
    if not rankings:
        return
    groups = _over(run.warehouse.rows(BACKTEST), day)
    gains = _over(run.warehouse.rows(BACKTEST_GAINS), day)
    profiles: dict[str, list[Block]] = {}
    for profile, days in sorted({(row["profile"], row["days"]) for row in rankings}):
        own = [row for row in rankings if (row["profile"], row["days"]) == (profile, days)]
        newest = max(row["as_of"] for row in own)
        of_day = [row for row in own if row["as_of"] == newest]
        told, points = (
            [row for row in rows if _key(row) == (newest, days, profile)]
            for rows in (groups, gains)
        )
        blocks = [*_ranked(of_day, points), *_grids(told, _OF_SCORES), *_history(own)]
        profiles[f"{profile}, {days} days"] = blocks
    models = [row for row in groups if row["breakdown"] in _OF_CLUSTERS]
    blocks = [block for of_model in _newest(models) for block in _of_clusters(of_model)]
    yield Page(PAGE, [Choice("Profile and days seen", profiles), *blocks])


def _over(rows: Sequence[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    return [row for row in rows if row["as_of"] + timedelta(days=row["days"]) <= day]


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["as_of"], row["days"], row["profile"]


def _newest(rows: Rows) -> Iterator[Rows]:
    """Rows of the newest day of each number of days and name."""
    for name, days in sorted({(row["profile"], row["days"]) for row in rows}):
        own = [row for row in rows if (row["profile"], row["days"]) == (name, days)]
        newest = max(row["as_of"] for row in own)
        yield [row for row in own if row["as_of"] == newest]


def _ranked(rankings: Rows, gains: Rows) -> Iterator[Block]:
    """How well the customers of one day were ordered."""
    first = rankings[0]
    yield Words(
        f"Scored as of {first['as_of']} as it would have been, without anything later; "
        f"{first['responders']:,} of {first['customers']:,} customers came in the "
        f"{first['days']} days after."
    )
    if (warning := chance_warning(rankings)) is not None:
        yield Words(f"Warning: {warning}.")
    if gains:
        yield _gains(gains)
    names = list(RANKING_WORDS)
    told = [
        {**row, "name": RANKING_WORDS[row["ranking"]]}
        for row in sorted(rankings, key=lambda row: names.index(row["ranking"]))
    ]
    yield Grid(
        "How well customers were ordered",
        Data((Field("name", "ordered by"), *_GINIS), told),
        "A Gini of 1 has all who came first, one of 0 tells nothing. At least and at most: 95 % of "
        "200 draws of customers, or of 200 shuffles. The regression is fitted to what the other "
        "half of the customers did in these days, which no score could know.",
    )


def _gains(gains: Rows) -> Chart:
    names = list(RANKING_WORDS)
    points = sorted(gains, key=lambda row: (names.index(row["ranking"]), row["customer_percent"]))
    return Chart(
        "Who came, the best customers first",
        Data(
            (
                Field("name", "ordered by"),
                Field("customer_percent", "percent of customers", "count"),
                Field("responder_share", "of all who came", "share"),
                Field("responder_share_low", "chance: at least", "share"),
                Field("responder_share_high", "chance: at most", "share"),
            ),
            [{**row, "name": RANKING_WORDS[row["ranking"]]} for row in points],
            size=None,
        ),
        "lines",
        "customer_percent",
        "responder_share",
        series="name",
        low="responder_share_low",
        high="responder_share_high",
        note="The band is where 95 % of 200 shuffles of the scores come to.",
    )


def _grids(groups: Rows, breakdowns: Sequence[str]) -> Iterator[Grid]:
    """What the customers of each group did."""
    for breakdown in breakdowns:
        told = sorted((row for row in groups if row["breakdown"] == breakdown), key=order)
        fields = (
            Field("value", breakdown),
            Field("customers", "customers", "count"),
            Field("response_rate", "share that came", "share"),
            Field("lift", "lift", "number"),
            Field("revenue_cents", "revenue in these days", "money"),
            Field("revenue_per_customer_cents", "a customer", "money"),
        )
        if told:
            yield Grid(
                f"What they did, by {breakdown}",
                Data(fields, told[:_CELLS] if breakdown == CELL else told),
                _note(breakdown, len(told)),
            )


def _note(breakdown: str, number: int) -> str:
    if breakdown == DECILE:
        return "1 are the best scores; customers with one score are in one tenth."
    if breakdown == CELL and number > _CELLS:
        return f"The {_CELLS} cells of {number} that came most; all are in the table backtest."
    return ""


def _of_clusters(groups: Rows) -> Iterator[Block]:
    first = groups[0]
    yield Words(f"Clusters {first['profile']} of {first['as_of']}, {first['days']} days later:")
    yield from _grids(groups, _OF_CLUSTERS)


def _history(rankings: Rows) -> Iterator[Grid]:
    """The scores of one profile as of several days, the newest first."""
    days = sorted({row["as_of"] for row in rankings}, reverse=True)
    if len(days) < 2:
        return
    by = {(row["as_of"], row["ranking"]): row for row in rankings}
    told = [{**by[day, SCORE], "chance": by[day, CHANCE]["gini_high"]} for day in days]
    yield Grid(
        "The same on other days",
        Data(
            (
                Field("as_of", "scored as of", "date"),
                *_GINIS,
                Field("chance", "chance: at most", "number"),
            ),
            told,
        ),
    )
