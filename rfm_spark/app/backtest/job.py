"""The backtest: scores days of the past, looks at the days after each, and writes down the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.backtest.counts import counted
from rfm_spark.app.backtest.outcomes import columns_of, outcomes_of
from rfm_spark.app.backtest.results import (
    ALL,
    CLUSTER,
    TIER,
    Row,
    added_up,
    group_rows,
    groups_of,
    ranking_rows,
)
from rfm_spark.app.backtest.sources import (
    cluster_groups,
    known_models,
    known_profiles,
    require_methods,
    with_methods,
    without_undated,
)
from rfm_spark.app.backtest.tables import (
    BACKTEST,
    BACKTEST_GAINS,
    BACKTEST_RANKINGS,
    BACKTEST_TABLES,
)
from rfm_spark.app.recording import recorded
from rfm_spark.core.errors import UserError
from rfm_spark.facts.as_of import days_of_data, resolved_as_of
from rfm_spark.facts.job import refresh_facts
from rfm_spark.facts.kept_sums import days_a_pass, sums_by_day
from rfm_spark.results.rfm.job import Profiles, profile_asks
from rfm_spark.results.rfm.past_scores import past_scores
from rfm_spark.results.rfm.to_score import NobodyToScore
from rfm_spark.run import Run

NAME = "backtest"


@dataclass
class Found:
    """Rows of the tables.

    Attributes:
        groups: of `backtest`.
        rankings: of `backtest_rankings`.
        gains: of `backtest_gains`.
    """

    groups: list[Row] = field(default_factory=list)
    rankings: list[Row] = field(default_factory=list)
    gains: list[Row] = field(default_factory=list)


def backtest(run: Run, as_of: Sequence[date], days: int, methods: Sequence[str] = ()) -> Found:
    """Scores some days as `rfm` would, and tells what customers did in the days after each.

    Nothing else is written: no scores and no boundaries. The same days with as many days after
    take the place of what was stored of them.

    Args:
        run: session, settings and warehouse.
        as_of: the days to score, in any order.
        days: after each, that customers are watched.
        methods: that boundaries of every profile are found by as well; see `with_methods`.

    Returns:
        The rows, by day, then by profile.

    Raises:
        UserError: if there is no such method, receipts are not known by their days, fewer days of
            data follow one of them, or a profile scores nobody on all of them.
    """
    if run.settings.customer_totals is not None:
        raise UserError(
            "backtest: tells who came again day by day, which [customer_totals] do not know; it "
            "needs [receipts] or [interactions.NAME]"
        )
    require_methods(methods)
    ordered = sorted(set(as_of))
    with recorded(run, NAME, ordered[-1], BACKTEST_TABLES, makes_facts=True):
        refresh_facts(run)
        resolved_as_of(run, ordered[0])
        _require_watched(run, ordered, days)
        profiles = with_methods(known_profiles(run), methods)
        found, nobody = Found(), None
        watched = outcomes_of(run.settings, profiles, days).values()
        asks = [*profile_asks(profiles, run.settings), *(one.ask for one in watched)]
        size = days_a_pass(asks, run.settings)
        for start in range(0, len(ordered), size):
            some = ordered[start : start + size]
            with sums_by_day(run, some, asks, kept=True) as sums:
                try:
                    _look_back(run, profiles, sums, days, found)
                except NobodyToScore as error:
                    nobody = error
        if not found.rankings and nobody is not None:
            raise nobody
        _write(run, ordered, days, found)
    return found


def _require_watched(run: Run, as_of: Sequence[date], days: int) -> None:
    """Makes sure that the data hold all the days that customers are watched."""
    bounds = days_of_data(run)
    last = None if bounds is None else bounds[1]
    problems = [
        f"--as-of {day}: the data end on {last}, {max((last - day).days, 0)} days later, and "
        f"--days {days} are watched: days that are not there yet would count as days without a "
        f"visit; the last possible day is {last - timedelta(days=days)}"
        for day in as_of
        if last is not None and day + timedelta(days=days) > last
    ]
    if problems:
        raise UserError(problems)


def _look_back(
    run: Run, profiles: Profiles, sums: Mapping[date, DataFrame], days: int, found: Found
) -> None:
    """Adds what is found of some days."""
    known = {day: without_undated(run.settings, of_day) for day, of_day in sums.items()}
    told = f"{min(sums)}" if len(sums) == 1 else f"{len(sums)} days, {min(sums)} to {max(sums)}"
    with run.progress.step("score as it would have been") as step:
        outcomes = outcomes_of(run.settings, profiles, days)
        scores = past_scores(run, profiles, known, columns_of(outcomes.values()))
        step.says(f"{len(profiles)} profiles as of {told}")
    with run.progress.step(f"look at the {days} days after") as step:
        counts = counted(scores, outcomes)
        for one, of_day in counts.items():
            key = {"as_of": one.as_of, "days": days, "profile": one.profile}
            found.groups += group_rows(key, groups_of(of_day))
            rankings, gains = ranking_rows(key, of_day.rankings)
            found.rankings += rankings
            found.gains += gains
        scored = sorted({one.as_of for one in counts})
        for day, model in known_models(run, scored, profiles):
            found.groups += _rows_of_clusters(run, model, day, known[day], days)
        customers = sum(row["customers"] for row in found.groups if row["breakdown"] == ALL)
        step.says(f"{customers:,} scores of customers")


def _rows_of_clusters(
    run: Run, model: str, as_of: date, sums: DataFrame, days: int
) -> Iterator[Row]:
    rows = [row.asDict() for row in cluster_groups(run, model, as_of, sums, days).collect()]
    rows.sort(key=lambda row: row["cluster"])
    by = {
        CLUSTER: added_up(rows, lambda row: str(row["cluster"])),
        TIER: added_up(rows, lambda row: str(row["tier"])),
    }
    return group_rows({"as_of": as_of, "days": days, "profile": model}, by)


def _write(run: Run, as_of: Sequence[date], days: int, found: Found) -> None:
    where = F.col("as_of").isin(list(as_of)) & (F.col("days") == days)
    with run.progress.step("write the backtest"):
        run.replace_by(BACKTEST_GAINS, found.gains, where)
        run.replace_by(BACKTEST, found.groups, where)
        run.replace_by(BACKTEST_RANKINGS, found.rankings, where)
