"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.facts.asks import Ask
from rfm_spark.ingest.files.deliveries import UNFINISHED
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.boundaries.sets import boundaries_told, boundary_sets
from rfm_spark.results.rfm.notes import population_notes
from rfm_spark.results.rfm.populations import (
    Population,
    ProfileDay,
    population_totals,
)
from rfm_spark.results.rfm.reconciliation import (
    RAW,
    Delivered,
    all_terms,
    delivered_terms,
    event_terms,
    totals_terms,
)
from rfm_spark.results.rfm.scoring import (
    Scoring,
    cell_results,
    cell_sums,
    scored_customers,
    segment_results,
)
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RECONCILIATION, RFM, RFM_CELLS, SEGMENTS
from rfm_spark.results.rfm.to_score import (
    counted_events,
    known_customers,
    scored_populations,
)
from rfm_spark.results.rfm.values import Basis, rfm_values
from rfm_spark.run import Run, note_of_days
from rfm_spark.settings.shop import ShopSettings

Profiles = Mapping[str, Profile]


def profile_asks(profiles: Profiles, _: ShopSettings) -> list[Ask]:
    """What scores are made of."""
    return [ask for profile in profiles.values() for ask in profile.basis.asks()]


def score_profiles(request: Request[Profiles], sums: DataFrame | None) -> None:
    """Scores every profile as of a day; see `score_days`.

    Args:
        request: the run, the profiles and the day.
        sums: `customer_sums` as of that day, with `profile_asks`.
    """
    score_days(request.run, request.rules, {request.as_of: required(sums)})


def score_days(run: Run, profiles: Profiles, sums: Mapping[date, DataFrame]) -> list[date]:
    """Scores every profile as of each day, and accounts for every receipt and every cent.

    Args:
        run: the run.
        profiles: by name.
        sums: by day, in their order, `customer_sums` as of that day, with `profile_asks`.

    Returns:
        The days that were scored: those on which every profile has somebody to score.

    Raises:
        NobodyToScore: if there is no such day; then nothing has been written.
        UserError: if there is no interaction of a kind that a profile names; the same.
        RunFailure: if customers, receipts or money do not add up.
    """
    bases = {name: profile.basis for name, profile in profiles.items()}
    with run.progress.step("rfm values") as step:
        by_kind = counted_events(run, profiles)
        totals = population_totals(sums, bases).collect()
        populations = scored_populations(profiles, list(sums), totals)
        scored = {one.as_of for one in populations}
        step.says(f"{known_customers(totals):,} customers added up{_told_without(sums, scored)}")
        sums = {day: of_day for day, of_day in sums.items() if day in scored}
        if len(sums) == 1 and run.settings.customer_totals is None:
            run.notes.extend(population_notes(profiles, totals, populations))
    with run.progress.step("rfm boundaries") as step:
        boundaries = boundary_sets(run, profiles, sums, populations)
        step.says("; ".join(boundaries_told(boundaries)))
    scorings = [scoring_of(one, profiles[one.profile], boundaries[one]) for one in populations]
    with run.progress.step("rfm scores") as step:
        step.says(_score(run, scorings, sums, populations))
    with run.progress.step("rfm cells and segments"):
        scored_cents = _add_up(run, scorings, populations)
    with run.progress.step("reconcile") as step:
        step.says(_reconcile(run, bases, totals, by_kind, scored_cents))
    return list(sums)


def _told_without(days: Iterable[date], scored: Collection[date]) -> str:
    """The days that are left out, because a profile scores nobody on them."""
    without = [day for day in days if day not in scored]
    if not without:
        return ""
    more = f" and {len(without) - 1} more" if len(without) > 1 else ""
    return f"; {without[0]}{more} left out: a profile has nobody to score"


def scoring_of(one: ProfileDay, profile: Profile, boundaries: BoundarySet) -> Scoring:
    """The rules that a profile scores a day by."""
    return Scoring(
        profile=one.profile,
        as_of=one.as_of,
        basis=profile.basis,
        scores=profile.scores,
        cuts=boundaries.cuts,
        boundary_version=boundaries.version.day,
        boundary_edition=boundaries.version.stored_edition,
        total_weights=profile.total_weights,
        ratio_weights=profile.ratio_weights,
        grid=profile.segment_grid,
    )


def _score(
    run: Run,
    scorings: Sequence[Scoring],
    sums: Mapping[date, DataFrame],
    populations: Mapping[ProfileDay, Population],
) -> str:
    scored = [
        scored_customers(
            rfm_values(sums[one.as_of], one.as_of, one.basis), populations[one.profile_day], one
        )
        for one in scorings
    ]
    # The sums are in the order of customers, so each task has rows of one profile and day in it.
    rows = reduce(DataFrame.unionByName, scored)
    commit = run.replace(RFM, rows, _slice(populations), note_of_days(sums), is_in_order=True)
    profiles = {one.profile for one in scorings}
    return f"{commit.rows:,} of {len(profiles)} profiles as of {_told_days(sums)}"


def _told_days(days: Collection[date]) -> str:
    return f"{min(days)}" if len(days) == 1 else f"{len(days)} days, {min(days)} to {max(days)}"


def _add_up(
    run: Run, scorings: Sequence[Scoring], populations: Mapping[ProfileDay, Population]
) -> dict[ProfileDay, int]:
    """Writes cells and segments; returns the money of the stored scores of each profile and day."""
    stored = run.warehouse.read(RFM).where(_slice(populations))
    sums: defaultdict[ProfileDay, list[Row]] = defaultdict(list)
    for row in cell_sums(stored).collect():
        sums[ProfileDay(row["profile"], row["as_of"])].append(row)
    for one, population in populations.items():
        scored = sum(row["customers"] for row in sums[one])
        if scored != population.customers:
            raise RunFailure(
                f"[rfm.{one.profile}] as of {one.as_of} {population.customers:,} customers were to "
                f"be scored, {scored:,} were: report this as a bug"
            )
    note = note_of_days({one.as_of for one in populations})
    for table, results in ((RFM_CELLS, cell_results), (SEGMENTS, segment_results)):
        rows = [row for one in scorings for row in results(sums[one.profile_day], one)]
        run.replace_by(table, rows, _slice(populations), note)
    return {one: sum(row["revenue_cents"] for row in sums[one]) for one in populations}


def _reconcile(
    run: Run,
    bases: Mapping[str, Basis],
    totals: Sequence[Row],
    by_kind: Mapping[str, int],
    scored_cents: Mapping[ProfileDay, int],
) -> str:
    rows, days = [], sorted({one.as_of for one in scored_cents})
    delivered = _delivered(run, days, bases, by_kind)
    for day in days:
        of_day = [row for row in totals if row["as_of"] == day]
        cents = {name: scored_cents[ProfileDay(name, day)] for name in bases}
        rows += [{"as_of": day, **row} for row in all_terms(delivered, of_day, bases, cents)]
    run.replace_by(RECONCILIATION, rows, _slice(scored_cents), note_of_days(days))
    for one in scored_cents:
        told = _what_differs(one, [row for row in rows if (row["profile"], row["as_of"]) == one])
        if told:
            raise RunFailure(
                f"{told}; nothing of it is published; `rfm-spark sql --newest` shows the table "
                f"{RECONCILIATION.name}. {_remedy(run)}"
            )
    raw = [row for row in rows if row["term"] == RAW]
    events = max((row["events"] or 0 for row in raw), default=0)
    told = f"all {raw[0]['receipts']:,} {run.settings.purchase_word}s"
    told += f", {events:,} events" if events else ""
    if delivered.unknown_amount_rows:
        return f"{told} accounted for, {delivered.unknown_amount_rows:,} rows of unknown amount"
    return f"{told} and every cent accounted for"


def _what_differs(one: ProfileDay, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The first measure of which raw is not the sum of all other terms; None if there is none."""
    for measure in ("receipts", "net_cents", "events"):
        terms = {row["term"]: row[measure] or 0 for row in rows}
        raw = terms.pop(RAW)
        if raw != sum(terms.values()):
            told = " + ".join(f"{term} {value:,}" for term, value in terms.items())
            return (
                f"{measure} of {one.profile} do not add up as of {one.as_of}: raw {raw:,} is not "
                f"{told}"
            )
    return None


def _remedy(run: Run) -> str:
    half_read = run.read(DELIVERIES).where(F.col("fingerprint").startswith(UNFINISHED)).count()
    if half_read:
        return f"A replay was interrupted ({half_read:,} deliveries): run `rfm-spark replay` again"
    return "If an ingest was interrupted, run `rfm-spark ingest`"


def _delivered(
    run: Run, days: Sequence[date], bases: Mapping[str, Basis], by_kind: Mapping[str, int]
) -> Delivered:
    """What was delivered; interactions where a profile counts some."""
    deliveries, quarantine = run.read(DELIVERIES), run.read(QUARANTINE)
    if run.settings.customer_totals is not None:
        (day,) = days  # as for the sums of customers
        terms = totals_terms(deliveries, quarantine, run.read(CUSTOMER_TOTALS), day)
    else:
        terms = delivered_terms(deliveries, quarantine, run.read(RECEIPTS))
    receipts, unknown = terms.collect(), quarantine.where("is_amount_unknown").count()
    if not any(basis.interactions for basis in bases.values()):
        return Delivered(receipts, unknown)
    events = event_terms(run.read_or_empty(INTERACTIONS), quarantine).collect()
    return Delivered(receipts, unknown, events, by_kind)


def _slice(scored: Collection[ProfileDay]) -> Column:
    """The rows of all profiles on all days."""
    profiles, days = ({one[place] for one in scored} for place in (0, 1))
    return F.col("profile").isin(sorted(profiles)) & F.col("as_of").isin(sorted(days))
