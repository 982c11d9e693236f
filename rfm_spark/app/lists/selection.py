"""Selections: what a person picks (a segment, cells, scores, lost), written as a condition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.results.clusters.tiers import TIERS
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.segments import PROSPECT
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.tables import SEGMENTS
from rfm_spark.run import Run

_SCORES = re.compile(r"([1-9])(?:-([1-9]))?")


@dataclass(frozen=True)
class Selection:
    """Who is picked: those who meet all of it, and one of each list; everybody, where it is empty.

    Attributes:
        profile: whose segments, cells and scores; None for the one that leads `customer_360`.
        segments: names.
        cells: such as 555.
        scores: by column, such as `r_score`, one or a range: 4 or 4-5.
        clusters: numbers.
        tiers: of clusters.
        cohorts: months of the first visit, such as 2025-01.
        is_lost: last visit longer ago than the shop says (`lost_after_days`).
        where: a condition of their own.
    """

    profile: str | None = None
    segments: Sequence[str] = ()
    cells: Sequence[str] = ()
    scores: Sequence[tuple[str, str]] = ()
    clusters: Sequence[int] = ()
    tiers: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    is_lost: bool = False
    where: str | None = None

    def conditions(self, as_of: date, lost_after_days: int) -> list[str]:
        """Conditions that all have to be met, that of `where` last.

        Raises:
            UserError: if something is not written as it should be.
        """
        return [*self._parts(as_of, lost_after_days), *([] if self.where is None else [self.where])]

    def _parts(self, as_of: date, lost_after_days: int) -> Iterator[str]:
        def of_profile(column: str) -> str:
            return column if self.profile is None else f"profiles[{self.profile!r}].{column}"

        for column, picked in (
            (of_profile("segment"), self.segments),
            (of_profile("rfm_cell"), self.cells),
            ("cluster", self.clusters),
            ("cluster_tier", self.tiers),
        ):
            if picked:
                yield _one_of(column, picked)
        for column, text in self.scores:
            least, most = _score_range(column, text)
            yield f"{of_profile(column)} >= {least} and {of_profile(column)} <= {most}"
        if self.cohorts:
            yield _one_of("cohort_month", [_month(text) for text in self.cohorts])
        if self.is_lost:
            yield f"last_visit < '{as_of - timedelta(days=lost_after_days)}'"


def _one_of(column: str, picked: Sequence[str] | Sequence[int]) -> str:
    return f"{column} == {picked[0]!r}" if len(picked) == 1 else f"{column} in {list(picked)!r}"


def _score_range(column: str, text: str) -> tuple[str, str]:
    found = _SCORES.fullmatch(text.strip())
    if found is None or (found[2] or found[1]) < found[1]:
        option = column.replace("_", "-")
        raise UserError(f"--{option} {text}: write one score, or a range such as 4-5")
    return found[1], found[2] or found[1]


def _month(text: str) -> str:
    try:
        return str(date.fromisoformat(f"{text}-01"))
    except ValueError:
        raise UserError(f"--cohort {text}: write the month of the first visit: 2025-01") from None


def require_names(run: Run, selection: Selection, day: date) -> None:
    """Makes sure that tiers are some, and that the profile and the segments were there on a day.

    Raises:
        UserError: with the nearest name, for each that was not.
    """
    if wrong := [
        f"--tier {one}: there is no such tier; {did_you_mean(one, list(TIERS))}"
        for one in selection.tiers
        if one not in TIERS
    ]:
        raise UserError(wrong)
    profiles = BY_COMMAND["rfm"].rules(run.settings)
    if selection.profile is not None and selection.profile not in profiles:
        near = did_you_mean(selection.profile, list(profiles))
        raise UserError(f"--profile {selection.profile}: there is no such profile; {near}")
    name = selection.profile or leading_profile(profiles)
    stored = run.warehouse.rows(SEGMENTS, {"as_of": day, "profile": name}, ["segment"])
    known = [row["segment"] for row in stored]
    if selection.profile is None:
        known += [profiles[name].segment_grid.lapsed, PROSPECT]
    if problems := [
        f"--segment {one}: {name} has no such segment on {day}; {did_you_mean(one, known)}"
        for one in selection.segments
        if one not in known
    ]:
        raise UserError(problems)
