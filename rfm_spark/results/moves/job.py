"""Moves between segments, of every profile, since each of some earlier days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.kept_sums import sums_of_customers
from rfm_spark.facts.merging import merged_customers
from rfm_spark.results.declaration import Made, Request
from rfm_spark.results.moves.balance import require_balance
from rfm_spark.results.moves.causes import segment_moves
from rfm_spark.results.moves.days import (
    StoredDays,
    not_stored,
    require_before,
    stored_days,
    usual_days,
)
from rfm_spark.results.moves.rules import have_facts_changed, two_days
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.rfm.boundaries.stored import find_set
from rfm_spark.results.rfm.job import Profiles, profile_asks
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM, SEGMENTS
from rfm_spark.results.rfm.values import rfm_values
from rfm_spark.run import Run

_SCORES = "rfm"
"""The name of the result whose days are compared."""


def refresh_moves(request: Request[Profiles], _: DataFrame | None = None) -> None:
    """Tells who moved, and why, since the day asked for.

    Without `run.since`: since the usual days, and those asked for before, as far as they are
    stored.

    Raises:
        UserError: if a day that was asked for is not stored, or is not an earlier one.
        RunFailure: if the moves do not add up to the segments of both days.
    """
    run, as_of, profiles = request.run, request.as_of, list(request.rules)
    with run.progress.step("moves") as step:
        for table in (RFM, SEGMENTS):
            run.version_read(table)
        asked = _asked(run, as_of)
        stored = stored_days(run, profiles, [as_of, *asked])
        described = [name for name in profiles if (name, as_of) in stored]
        if not described:
            raise not_stored(run, "--as-of", as_of, profiles)
        both = {
            day: names
            for day in asked
            if (names := [name for name in described if _can_be_told(run, name, day, stored)])
        }
        if run.since is not None and not both:
            raise not_stored(run, "--since", run.since, described)
        rows = [row for day, names in both.items() for row in _since(request, day, names, stored)]
        run.replace_by(SEGMENT_MOVES, rows, _slice(request))
        step.says(_told(both, profiles))


def _can_be_told(run: Run, name: str, day: date, stored: StoredDays) -> bool:
    """Whether an earlier day can be compared with.

    A day by whose boundaries it was scored can be gone, as after a RESTORE. A night goes on without
    it; who asks for that day is told.
    """
    if (name, day) not in stored:
        return False
    version = stored[name, day].boundary_version
    return run.since is not None or find_set(run, name, version) is not None


def _asked(run: Run, as_of: date) -> list[date]:
    if run.since is not None:
        require_before(run.since, as_of)
        return [run.since]
    kept = run.warehouse.rows(SEGMENT_MOVES, {"as_of": as_of}, ["since"])
    return sorted({*usual_days(as_of), *(row["since"] for row in kept)}, reverse=True)


def profile_slice(name: str, as_of: date) -> Column:
    """The rows of one profile on one day."""
    return (F.col("profile") == name) & (F.col("as_of") == F.lit(as_of))


def _slice(request: Request[Profiles]) -> Column:
    of_day = F.col("profile").isin(*request.rules) & (F.col("as_of") == F.lit(request.as_of))
    since = request.run.since
    return of_day if since is None else of_day & (F.col("since") == F.lit(since))


def _told(both: Mapping[date, Sequence[str]], profiles: Sequence[str]) -> str:
    told = []
    for day, names in both.items():
        without = [name for name in profiles if name not in names]
        of = f" (not stored of {', '.join(without)}, or not its boundaries)" if without else ""
        told.append(f"{day}{of}")
    return f"since {', '.join(told)}" if told else "no earlier day is stored"


def _since(
    request: Request[Profiles], since: date, names: Sequence[str], stored: StoredDays
) -> Iterator[dict[str, Any]]:
    """Rows of `segment_moves` of the profiles that both days have."""
    run, as_of = request.run, request.as_of
    old, new = (request.how_made(_SCORES, day) for day in (since, as_of))
    rules = {name: profile_of(new, name) or request.rules[name] for name in names}
    days = {
        name: two_days(
            run,
            name,
            rules[name],
            profile_of(old, name),
            {day: stored[name, day].boundary_version for day in (since, as_of)},
        )
        for name in names
    }
    alike = {name: rules[name] for name in names if not days[name].have_rules_changed}
    scored, merged = run.read(RFM), merged_customers(run)
    with _values_today(run, old, since, alike) as today:
        for name in names:
            before, after = (scored.where(profile_slice(name, day)) for day in (since, as_of))
            found = segment_moves(before, after, days[name], today.get(name), merged)
            moves = [row.asDict() for row in found.collect()]
            require_balance(name, moves, stored[name, since], stored[name, as_of])
            for row in moves:
                yield {"profile": name, "as_of": as_of, "since": since, **row}


@contextmanager
def _values_today(
    run: Run, made: Made | None, day: date, profiles: Mapping[str, Profile]
) -> Iterator[dict[str, DataFrame]]:
    """What the facts of now say of an earlier day, by profile; nothing where they say the same."""
    if not profiles or not have_facts_changed(run, made, day):
        yield {}
        return
    asks = profile_asks(profiles, run.settings)
    with sums_of_customers(run, day, asks, kept=len(profiles) > 1) as sums:
        # Filters are rules: what they look at is no correction of a value.
        yield {
            name: rfm_values(sums, day, replace(one.basis, filter=None))
            for name, one in profiles.items()
        }
