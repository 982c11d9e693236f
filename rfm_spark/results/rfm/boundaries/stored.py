"""Stored boundary sets: decisions that scores refer to, found and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from itertools import chain
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet, Rows, sets_of_rows
from rfm_spark.results.rfm.populations import ProfileDay
from rfm_spark.results.rfm.tables import RFM, RFM_BOUNDARIES, RFM_DRIFT, SEGMENTS
from rfm_spark.run import Run, note_of_days


def stored_sets(run: Run, profile: str) -> list[BoundarySet]:
    """All sets of a profile, the oldest first."""
    return sets_of_rows(run.warehouse.rows(RFM_BOUNDARIES, {"profile": profile}))


def sets_of_rules(run: Run, profile: str, fitted_by: str, as_of: date) -> list[BoundarySet]:
    """Sets of a profile that were fitted by the same rules up to a day, the oldest first."""
    rows = run.read_or_empty(RFM_BOUNDARIES).where(
        (F.col("profile") == profile)
        & (F.col("version") <= F.lit(as_of))
        & (F.col("settings_digest") == fitted_by)
    )
    # One that was fitted on nobody tells nothing.
    return [
        one for one in sets_of_rows(row.asDict() for row in rows.collect()) if one.customers > 0
    ]


def find_set(run: Run, profile: str, version: DayVersion) -> BoundarySet | None:
    """The set of a profile that stored scores were given by; None where it is gone."""
    where = {"profile": profile, "version": version.day}
    found = sets_of_rows(run.warehouse.rows(RFM_BOUNDARIES, where))
    return next((one for one in found if one.version == version), None)


def stored_set(run: Run, profile: str, version: DayVersion) -> BoundarySet:
    """The set of a profile that stored scores were given by.

    Raises:
        UserError: if it is not there.
    """
    if (found := find_set(run, profile, version)) is not None:
        return found
    raise UserError(
        f"{run.warehouse.path(RFM_BOUNDARIES)}: has no set of {profile} fitted on {version}, by "
        "which stored scores were given: score the days that refer to it again, with "
        "`rfm-spark rfm --as-of DAY`"
    )


def set_of_day(run: Run, profile: str, as_of: date) -> BoundarySet | None:
    """The set that the stored scores of a day were given by; None where nothing tells.

    Days that a release before 0.2.0 scored do not tell: theirs is the newest set up to the day.
    """
    columns = ["boundary_version", "boundary_edition"]
    rows = run.warehouse.rows(SEGMENTS, {"profile": profile, "as_of": as_of}, columns)
    if not rows:
        return None
    day, edition = (rows[0][name] for name in columns)
    if day is not None:
        return stored_set(run, profile, DayVersion.of_columns(day, edition))
    by_then = [one for one in stored_sets(run, profile) if one.version.day <= as_of]
    return by_then[-1] if by_then else None


def write_sets(run: Run, fitted: Mapping[ProfileDay, Rows]) -> dict[ProfileDay, BoundarySet]:
    """Stores the sets that were fitted on some days, each in the place of those of its day.

    A set by which scores of other days were given, or from which their drift was told, stays beside
    the new one, of whatever rules it is: those scores keep the cut points they were given by.

    Args:
        run: the run.
        fitted: of every profile on every day, the rows of `rfm_boundaries` but for `edition`.

    Returns:
        By profile and day the set.
    """
    days = sorted({one.as_of for one in fitted})
    where = F.col("profile").isin([one.profile for one in fitted]) & F.col("version").isin(days)
    there: defaultdict[ProfileDay, defaultdict[DayVersion, list[dict[str, Any]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in chain.from_iterable(
        run.warehouse.rows(RFM_BOUNDARIES, {"version": day}) for day in days
    ):
        of_day = there[ProfileDay(row["profile"], row["version"])]
        of_day[DayVersion.of_columns(row["version"], row["edition"])].append(row)
    named = {one.profile: _editions_named(run, one.profile) for one in fitted}
    found, rows, outdated = {}, list[Mapping[str, Any]](), list[ProfileDay]()
    for one, new in fitted.items():
        version, others = _version_of(run, one, new, there[one], named[one.profile])
        if there[one].keys() - {version, *others} or _is_changed(there[one].get(version), new):
            outdated.append(one)
        placed = [{**row, "edition": version.stored_edition} for row in new]
        rows += [*placed, *(row for other in others for row in there[one][other])]
        [found[one]] = sets_of_rows(placed)
    _drop_scores(run, outdated)
    run.replace_by(RFM_BOUNDARIES, rows, where, note_of_days(days))
    return found


def _editions_named(run: Run, profile: str) -> dict[date, set[int]]:
    """By the day of a set, editions by which the segments of other days were given.

    Sets can be gone to which these refer, as after a RESTORE: no other set takes their number.
    """
    columns = ["as_of", "boundary_version", "boundary_edition"]
    found: defaultdict[date, set[int]] = defaultdict(set)
    for row in run.warehouse.rows(SEGMENTS, {"profile": profile}, columns):
        day = row["boundary_version"]
        if day is not None and day != row["as_of"]:
            found[day].add(DayVersion.of_columns(day, row["boundary_edition"]).edition)
    return found


def _version_of(
    run: Run,
    one: ProfileDay,
    new: Rows,
    there: Mapping[DayVersion, Rows],
    named: Mapping[date, set[int]],
) -> tuple[DayVersion, list[DayVersion]]:
    """Which version a new set is, the highest of its day, and those that stay beside it."""
    same = [version for version, rows in there.items() if _content(rows) == _content(new)]
    stay = [other for other in there if other not in same and _is_used_elsewhere(run, one, other)]
    if same:
        return same[0], stay
    taken = {other.edition for other in stay} | named.get(one.as_of, set())
    return DayVersion(one.as_of, 1 + max(taken, default=0)), stay


def _is_changed(old: Rows | None, new: Rows) -> bool:
    return old is not None and _content(old) != _content(new)


def _drop_scores(run: Run, outdated: Sequence[ProfileDay]) -> None:
    """Removes the scores of days that were given by sets which are about to go.

    They are made again at once. Where that is not reached, a day without scores can be told from
    one whose scores are not those of the cut points they name.
    """
    if not outdated:
        return
    where = reduce(
        Column.__or__,
        [(F.col("profile") == name) & (F.col("as_of") == F.lit(day)) for name, day in outdated],
    )
    for table in (SEGMENTS, RFM):  # a day counts as scored where both are there
        if run.warehouse.is_there(table):
            run.replace_by(table, [], where, note_of_days({day for _, day in outdated}))


def _content(rows: Rows) -> set[tuple[Any, ...]]:
    names = [name for name in RFM_BOUNDARIES.column_names if name != "edition"]
    return {tuple(row[name] for name in names) for row in rows}


def _is_used_elsewhere(run: Run, one: ProfileDay, version: DayVersion) -> bool:
    """Whether a day other than its own refers to a set."""
    where = {"profile": one.profile, "version": version.day}
    if any(
        DayVersion.of_columns(row["version"], row["edition"]) == version
        for row in run.warehouse.rows(RFM_DRIFT, where, ["version", "edition"])
    ):
        return True
    if not run.warehouse.is_there(RFM):
        return False
    rows = run.warehouse.read(RFM).where(
        (F.col("profile") == one.profile)
        & (F.col("as_of") != F.lit(version.day))
        & (F.col("boundary_version") == F.lit(version.day))
        & (F.coalesce("boundary_edition", F.lit(1)) == version.edition)
    )
    return not rows.isEmpty()
