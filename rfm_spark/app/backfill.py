"""Backfill: the scores of many days, made from few passes over the facts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime

from rfm_spark.app.jobs import taken_in, told_failure, writing
from rfm_spark.app.publishing import publish, take_back_unpublished
from rfm_spark.app.run_record import (
    SUCCEEDED,
    Outcome,
    ResultRecord,
    record_days,
    record_run,
    results_that_stand,
)
from rfm_spark.core.errors import UserError
from rfm_spark.core.periods import Step, every
from rfm_spark.facts.as_of import resolved_as_of
from rfm_spark.facts.job import refresh_facts
from rfm_spark.facts.kept_sums import days_a_pass, sums_by_day
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.job import profile_asks, score_days
from rfm_spark.results.rfm.to_score import NobodyToScore
from rfm_spark.run import Run

NAME = "backfill"
_SCORES = BY_COMMAND["rfm"]


def backfill(run: Run, first: date, last: date, step: Step) -> list[date]:
    """Scores the days between two, a week or a month apart, as `rfm` would one after another.

    Days that stand are left as they are. The others are made in groups, each with one pass over the
    facts and a record of each of its days when it is whole: a backfill that was stopped goes on
    with the first group that is not.

    Args:
        run: session, settings and places.
        first: the first day to describe.
        last: no day after it is described.
        step: how far the days are apart; see `every`.

    A day on which a profile scores nobody is left out, as a run of that day alone would refuse it.

    Returns:
        The days that are scored, in their order.

    Raises:
        UserError: if there is no such day, one before the data, or on all of them a profile scores
            nobody.
        RunFailure: if a group could not be finished.
    """
    days = every(step, first, last)
    if not days:
        raise UserError(f"--from {first}: must not be after --to {last}")
    started, clock = datetime.now(UTC), time.monotonic()
    with writing(run, NAME):
        try:
            refresh_facts(run)
            resolved_as_of(run, first, "--from")
            take_back_unpublished(run, days)
            to_make = _not_standing(run, days)
            made, refused = set[date](), None
            for group in _groups(run, to_make):
                try:
                    made.update(_make(run, group))
                except NobodyToScore as error:
                    refused = refused or error
            scored = [day for day in days if day in made or day not in to_make]
            if refused and not scored:
                raise refused
        except BaseException as error:
            if run.versions.written:
                outcome = Outcome(told_failure(error), started, time.monotonic() - clock)
                with suppress(Exception):  # a record of the failure must not hide the failure
                    record_run(run, NAME, str(uuid.uuid4()), None, outcome)
            raise
    return scored


def _not_standing(run: Run, days: Sequence[date]) -> list[date]:
    """Days that would come out otherwise now, or after those before them are made."""
    with run.progress.step("compare with earlier runs") as step:
        to_make = [day for day in days if not results_that_stand(run, [_SCORES], day)]
        if to_make and _SCORES.has_kept_decisions(
            run.settings
        ):  # what is kept on a day depends on the days before
            to_make = [day for day in days if day >= to_make[0]]
        stand = len(days) - len(to_make)
        step.says(f"{len(to_make)} days to be made, {stand} stand")
    return to_make


def _groups(run: Run, days: Sequence[date]) -> Iterator[Sequence[date]]:
    """As many days at a time as one pass over the facts adds up."""
    size = days_a_pass(profile_asks(_SCORES.rules(run.settings), run.settings), run.settings)
    for start in range(0, len(days), size):
        yield days[start : start + size]


def _make(run: Run, days: Sequence[date]) -> list[date]:
    """Scores some days, as far as they have somebody to score, and records each of them."""
    started, clock = datetime.now(UTC), time.monotonic()
    profiles = _SCORES.rules(run.settings)
    asks = profile_asks(profiles, run.settings)
    with (
        run.tracking() as own,
        run.warehouse.describing(days),
        sums_by_day(run, days, asks, kept=True) as sums,
    ):
        scored = score_days(run, profiles, sums)
    together = f"{len(scored)} days made together, {scored[0]} to {scored[-1]}"
    outcome = Outcome(SUCCEEDED, started, time.monotonic() - clock, together)
    made = ResultRecord.of(run, _SCORES, own.read, own.written)
    ids = record_days(run, NAME, outcome, own, dict.fromkeys(scored, made))
    publish(run, [*taken_in(), *_SCORES.tables], ids[scored[-1]], scored[-1])
    return scored
