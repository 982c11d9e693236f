"""Stored boundary sets: decisions that scores refer to, found and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

from pyspark.sql import functions as F

from rfm_spark.core.cuts import Cut
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError
from rfm_spark.results.rfm.populations import ProfileDay
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.tables import RFM, RFM_BOUNDARIES, RFM_DRIFT, SEGMENTS
from rfm_spark.run import Run, note_of_days

Indices = Mapping[str, float]
"""Population stability index by dimension."""
_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class BoundarySet:
    """Cut points of every dimension.

    Attributes:
        version: the day they were fitted on, and which of its sets this is.
        cuts: ascending cut points by dimension.
        shares: of the customers in each bin at fit, by dimension.
        collapsed: which scores nobody had and why, by dimension, in words; only where there are
            any.
        methods: how the cuts were found, by dimension.
        explained: share of the sum of squares that cuts by `natural` explain, by dimension.
        customers: that they were fitted to.
        fitted_by: digest of the rules they were fitted by.
        drift: indices on the day described of the set that was kept from before it; none where
            there was none, or the rules keep none.
    """

    version: DayVersion
    cuts: Mapping[str, Sequence[Cut]]
    shares: Mapping[str, Sequence[float]]
    collapsed: Mapping[str, str]
    methods: Mapping[str, str]
    explained: Mapping[str, float]
    customers: int
    fitted_by: str
    drift: Indices = field(default_factory=dict)

    @property
    def scores(self) -> int:
        """How many scores the cuts give."""
        return 1 + len(self.cuts["recency"])


def stored_sets(run: Run, profile: str) -> list[BoundarySet]:
    """All sets of a profile, the oldest first."""
    return _sets(run.warehouse.rows(RFM_BOUNDARIES, {"profile": profile}))


def sets_of_rules(run: Run, profile: str, fitted_by: str, as_of: date) -> list[BoundarySet]:
    """Sets of a profile that were fitted by the same rules up to a day, the oldest first."""
    rows = run.read_or_empty(RFM_BOUNDARIES).where(
        (F.col("profile") == profile)
        & (F.col("version") <= F.lit(as_of))
        & (F.col("settings_digest") == fitted_by)
        & (F.col("customers") > 0)  # one that was fitted on nobody tells nothing
    )
    return _sets(row.asDict() for row in rows.collect())


def stored_set(run: Run, profile: str, version: DayVersion) -> BoundarySet:
    """The set of a profile that stored scores were given by.

    Raises:
        UserError: if it is not there.
    """
    where = {"profile": profile, "version": version.day}
    for one in _sets(run.warehouse.rows(RFM_BOUNDARIES, where)):
        if one.version == version:
            return one
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


def write_sets(run: Run, fitted: Mapping[ProfileDay, _Rows]) -> dict[ProfileDay, BoundarySet]:
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
    found, rows = {}, list[Mapping[str, Any]]()
    for one, new in fitted.items():
        version, others = _version_of(run, one, new, there[one], named[one.profile])
        placed = [{**row, "edition": version.stored_edition} for row in new]
        rows += [*placed, *(row for other in others for row in there[one][other])]
        [found[one]] = _sets(placed)
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
    new: _Rows,
    there: Mapping[DayVersion, _Rows],
    named: Mapping[date, set[int]],
) -> tuple[DayVersion, list[DayVersion]]:
    """Which version a new set is, the highest of its day, and those that stay beside it."""
    same = [version for version, rows in there.items() if _content(rows) == _content(new)]
    stay = [other for other in there if other not in same and _is_used_elsewhere(run, one, other)]
    if same:
        return same[0], stay
    taken = {other.edition for other in stay} | named.get(one.as_of, set())
    return DayVersion(one.as_of, 1 + max(taken, default=0)), stay


def _content(rows: _Rows) -> set[tuple[Any, ...]]:
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


def _sets(rows: Iterable[Mapping[str, Any]]) -> list[BoundarySet]:
    """The sets of one profile, the oldest first."""
    by_version: defaultdict[DayVersion, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_version[DayVersion.of_columns(row["version"], row["edition"])].append(row)
    return [_set(version, by_version[version]) for version in sorted(by_version)]


def _set(version: DayVersion, rows: _Rows) -> BoundarySet:
    cuts: dict[str, list[Cut]] = {dimension: [] for dimension in DIMENSIONS}
    shares: dict[str, list[float]] = {dimension: [] for dimension in DIMENSIONS}
    for row in sorted(rows, key=lambda one: one["cut"]):
        shares[row["dimension"]].append(row["share"])
        if row["cut"] > 0:
            cuts[row["dimension"]].append(row["value"])
    return BoundarySet(
        version,
        cuts,
        shares,
        collapsed={r["dimension"]: r["collapsed"] for r in rows if r["collapsed"] is not None},
        methods={row["dimension"]: row["method"] for row in rows},
        explained={r["dimension"]: r["explained"] for r in rows if r["explained"] is not None},
        customers=rows[0]["customers"],
        fitted_by=rows[0]["settings_digest"],
    )
