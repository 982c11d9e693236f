"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure, UserError, did_you_mean
from rfm_spark.facts.asks import Ask
from rfm_spark.facts.tables import CUSTOMER_YEAR_EVENTS
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.rfm.boundaries.sets import boundaries_told, boundary_sets
from rfm_spark.results.rfm.notes import population_notes
from rfm_spark.results.rfm.populations import (
    GUESTS,
    SCORED,
    Population,
    population_of,
    population_totals,
)
from rfm_spark.results.rfm.reconciliation import (
    RAW,
    Delivered,
    all_terms,
    delivered_terms,
    event_terms,
    events_by_kind,
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
from rfm_spark.results.rfm.values import Basis, rfm_values
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings

Profiles = Mapping[str, Profile]


def profile_asks(profiles: Profiles, _: ShopSettings) -> list[Ask]:
    """What scores are made of."""
    return [ask for profile in profiles.values() for ask in profile.basis.asks()]


def score_profiles(request: Request[Profiles], sums: DataFrame | None) -> None:
    """Scores every profile as of a day, and accounts for every receipt and every cent.

    Args:
        request: the run, the profiles and the day.
        sums: `customer_sums` as of that day, with `profile_asks`.

    Raises:
        UserError: if there is nobody to score in a profile, or no interaction of a kind it names;
            then nothing has been written.
        RunFailure: if customers, receipts or money do not add up.
    """
    run, profiles, as_of, sums = request.run, request.rules, request.as_of, required(sums)
    bases = {name: profile.basis for name, profile in profiles.items()}
    with run.progress.step("rfm values") as step:
        by_kind = _events_by_kind(run, profiles)
        totals = population_totals(sums, as_of, bases).collect()
        populations = _populations(profiles, as_of, totals)
        step.says(f"{_customers(totals):,} customers added up")
        run.notes.extend(population_notes(profiles, totals, populations))
    with run.progress.step("rfm boundaries") as step:
        boundaries = boundary_sets(request, sums, populations)
        step.says("; ".join(boundaries_told(boundaries, as_of)))
    scorings = [
        Scoring(
            profile=name,
            as_of=as_of,
            basis=bases[name],
            scores=profile.scores,
            cuts=boundaries[name].cuts,
            boundary_version=boundaries[name].version.day,
            boundary_edition=boundaries[name].version.stored_edition,
            total_weights=profile.total_weights,
            ratio_weights=profile.ratio_weights,
            grid=profile.segment_grid,
        )
        for name, profile in profiles.items()
    ]
    with run.progress.step("rfm scores") as step:
        step.says(_score(run, as_of, scorings, sums, populations))
    with run.progress.step("rfm cells and segments"):
        scored_cents = _add_up(run, as_of, scorings, populations)
    with run.progress.step("reconcile") as step:
        step.says(_reconcile(request, totals, by_kind, scored_cents))


def _events_by_kind(run: Run, profiles: Profiles) -> dict[str, int]:
    """Number of interactions by kind, of profiles that count some.

    Raises:
        UserError: if there is none of a kind that a profile names.
    """
    if not any(profile.basis.interactions for profile in profiles.values()):
        return {}
    found = events_by_kind(run.read_or_empty(CUSTOMER_YEAR_EVENTS))
    problems = [
        f"[rfm.{name}] events: there is no interaction of the kind '{kind}'; "
        f"{did_you_mean(kind, sorted(found))}"
        for name, profile in profiles.items()
        for kind in profile.kinds
        if kind not in found
    ]
    if problems:
        raise UserError(problems)
    return found


def _populations(profiles: Profiles, as_of: date, totals: Sequence[Row]) -> dict[str, Population]:
    """Whom each profile scores.

    Raises:
        UserError: if there is nobody, or somebody with a value that cannot be counted.
    """
    found = {row["profile"]: row for row in totals if row["who"] == SCORED}
    problems = [
        f"[rfm.{name}] nobody {_what_counts(profile)} in the {profile.window_days} days up to "
        f"{as_of}: choose another --as-of or a longer window_days"
        for name, profile in profiles.items()
        if name not in found
    ]
    if problems:
        raise UserError(problems)
    problems = [
        f"[rfm.{name}] {found[name]['too_large']:,} customers have more points in the window "
        "than can be counted: give `value` of their [interactions] in a larger unit"
        for name in profiles
        if found[name]["too_large"]
    ]
    if problems:
        raise UserError(problems)
    return {name: population_of(found[name]) for name in profiles}


def _what_counts(profile: Profile) -> str:
    did = "bought" if profile.basis.is_money else "did anything"
    return did if profile.filter is None else f"{did} and meets the filter"


def _customers(totals: Sequence[Row]) -> int:
    """All of them: each is scored or not, in any of the profiles."""
    some = totals[0]["profile"]
    known = [row for row in totals if row["profile"] == some and row["who"] != GUESTS]
    return sum(row["customers"] for row in known)


def _score(
    run: Run,
    as_of: date,
    scorings: Sequence[Scoring],
    sums: DataFrame,
    populations: Mapping[str, Population],
) -> str:
    scored = [
        scored_customers(rfm_values(sums, as_of, one.basis), populations[one.profile], one)
        for one in scorings
    ]
    # The sums are in the order of customers, so each task has rows of one profile in that order.
    rows = reduce(DataFrame.unionByName, scored)
    where = _profiles_slice((one.profile for one in scorings), as_of)
    commit = run.replace(RFM, rows, where, is_in_order=True)
    return f"{commit.rows:,} of {len(scorings)} profiles as of {as_of}"


def _add_up(
    run: Run, as_of: date, scorings: Sequence[Scoring], populations: Mapping[str, Population]
) -> dict[str, int]:
    """Writes cells and segments; returns the money of each profile's stored scores."""
    where = _profiles_slice(populations, as_of)
    sums = cell_sums(run.warehouse.read(RFM).where(where)).collect()
    for name, population in populations.items():
        scored = sum(row["customers"] for row in sums if row["profile"] == name)
        if scored != population.customers:
            raise RunFailure(
                f"[rfm.{name}] {population.customers:,} customers were to be scored, "
                f"{scored:,} were: report this as a bug"
            )
    for table, results in ((RFM_CELLS, cell_results), (SEGMENTS, segment_results)):
        rows = [row for scoring in scorings for row in results(sums, scoring)]
        run.replace_by(table, rows, where)
    return {
        name: sum(row["revenue_cents"] for row in sums if row["profile"] == name)
        for name in populations
    }


def _reconcile(
    request: Request[Profiles],
    totals: Sequence[Row],
    by_kind: Mapping[str, int],
    scored_cents: Mapping[str, int],
) -> str:
    run, as_of = request.run, request.as_of
    where = _profiles_slice(request.rules, as_of)
    bases = {name: profile.basis for name, profile in request.rules.items()}
    rows = all_terms(_delivered(run, bases, by_kind), totals, bases, scored_cents)
    run.replace_by(RECONCILIATION, [{"as_of": as_of, **row} for row in rows], where)
    for name in bases:
        for measure in ("receipts", "net_cents", "events"):
            terms = {row["term"]: row[measure] or 0 for row in rows if row["profile"] == name}
            raw = terms.pop(RAW)
            if raw != sum(terms.values()):
                told = " + ".join(f"{term} {value:,}" for term, value in terms.items())
                raise RunFailure(
                    f"{measure} of {name} do not add up as of {as_of}: raw {raw:,} is not {told}; "
                    "see the table reconciliation. If an ingest was interrupted, "
                    "run `rfm-spark ingest`"
                )
    raw = [row for row in rows if row["term"] == RAW]
    events = max((row["events"] or 0 for row in raw), default=0)
    told = f"all {raw[0]['receipts']:,} receipts"
    told += f", {events:,} events" if events else ""
    return f"{told} and every cent accounted for"


def _delivered(run: Run, bases: Mapping[str, Basis], by_kind: Mapping[str, int]) -> Delivered:
    """What was delivered; interactions where a profile counts some."""
    quarantine = run.read(QUARANTINE)
    receipts = delivered_terms(run.read(DELIVERIES), quarantine, run.read(RECEIPTS)).collect()
    if not any(basis.interactions for basis in bases.values()):
        return Delivered(receipts)
    events = event_terms(run.read_or_empty(INTERACTIONS), quarantine).collect()
    return Delivered(receipts, events, by_kind)


def _profiles_slice(profiles: Iterable[str], as_of: date) -> Column:
    """The rows of some profiles on one day."""
    return F.col("profile").isin(list(profiles)) & (F.col("as_of") == F.lit(as_of))
