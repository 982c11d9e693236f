"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import RECEIPT_VALUES, Ask
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.rfm.boundaries.sets import boundaries_told, boundary_sets
from rfm_spark.results.rfm.populations import (
    GUESTS,
    SCORED,
    Population,
    population_of,
    window_totals,
)
from rfm_spark.results.rfm.reconciliation import RAW, all_terms, delivered_terms
from rfm_spark.results.rfm.scoring import (
    Scoring,
    cell_results,
    cell_sums,
    scored_customers,
    segment_results,
)
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RECONCILIATION, RFM, RFM_CELLS, SEGMENTS
from rfm_spark.results.rfm.values import rfm_values
from rfm_spark.run import Run
from rfm_spark.settings.shop import ShopSettings

Profiles = Mapping[str, Profile]


def profile_asks(profiles: Profiles, _: ShopSettings) -> list[Ask]:
    """What scores are made of."""
    return [Ask(profile.look_back, RECEIPT_VALUES) for profile in profiles.values()]


def score_profiles(request: Request[Profiles], sums: DataFrame | None) -> None:
    """Scores every profile as of a day, and accounts for every receipt and every cent.

    Args:
        request: the run, the profiles and the day.
        sums: `customer_sums` as of that day, with `profile_asks`.

    Raises:
        UserError: if nobody bought in a profile's window; then nothing has been written.
        RunFailure: if customers, receipts or money do not add up.
    """
    run, profiles, as_of, sums = request.run, request.rules, request.as_of, required(sums)
    windows = _windows(profiles)
    with run.progress.step("rfm values") as step:
        totals = window_totals(sums, as_of, windows).collect()
        populations = _populations(profiles, as_of, totals)
        step.says(f"{_customers(totals):,} customers added up")
    with run.progress.step("rfm boundaries") as step:
        boundaries = boundary_sets(request, sums, populations)
        step.says("; ".join(boundaries_told(boundaries, as_of)))
    scorings = [
        Scoring(
            profile=name,
            as_of=as_of,
            window=profile.look_back,
            scores=profile.scores,
            cuts=boundaries[name].cuts,
            boundary_version=boundaries[name].version,
            total_weights=profile.total_weights,
            ratio_weights=profile.ratio_weights,
            grid=profile.grid,
        )
        for name, profile in profiles.items()
    ]
    with run.progress.step("rfm scores") as step:
        step.says(_score(run, as_of, scorings, sums, populations))
    with run.progress.step("rfm cells and segments"):
        scored_cents = _add_up(run, as_of, scorings, populations)
    with run.progress.step("reconcile") as step:
        step.says(_reconcile(request, totals, scored_cents))


def _windows(profiles: Profiles) -> list[LookBack]:
    return sorted({one.look_back for one in profiles.values()}, key=lambda one: one.label)


def _populations(profiles: Profiles, as_of: date, totals: Sequence[Row]) -> dict[str, Population]:
    """Who bought in each profile's window."""
    found = {row["window"]: row for row in totals if row["who"] == SCORED}
    problems = [
        f"[rfm.{name}] nobody bought in the {profile.window_days} days up to {as_of}: "
        "choose another --as-of or a longer window_days"
        for name, profile in profiles.items()
        if profile.look_back.label not in found
    ]
    if problems:
        raise UserError(problems)
    return {name: population_of(found[one.look_back.label]) for name, one in profiles.items()}


def _customers(totals: Sequence[Row]) -> int:
    """All of them: each is scored or not, in any of the windows."""
    some = totals[0]["window"]
    known = [row for row in totals if row["window"] == some and row["who"] != GUESTS]
    return sum(row["customers"] for row in known)


def _score(
    run: Run,
    as_of: date,
    scorings: Sequence[Scoring],
    sums: DataFrame,
    populations: Mapping[str, Population],
) -> str:
    scored = [
        scored_customers(rfm_values(sums, as_of, one.window), populations[one.profile], one)
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
                f"[rfm.{name}] {population.customers:,} customers bought, "
                f"{scored:,} were scored: report this as a bug"
            )
    for table, results in ((RFM_CELLS, cell_results), (SEGMENTS, segment_results)):
        rows = [row for scoring in scorings for row in results(sums, scoring)]
        run.replace_by(table, rows, where)
    return {
        name: sum(row["revenue_cents"] for row in sums if row["profile"] == name)
        for name in populations
    }


def _reconcile(
    request: Request[Profiles], totals: Sequence[Row], scored_cents: Mapping[str, int]
) -> str:
    run, as_of = request.run, request.as_of
    where = _profiles_slice(request.rules, as_of)
    windows = {name: profile.look_back for name, profile in request.rules.items()}
    delivered = delivered_terms(run.read(DELIVERIES), run.read(QUARANTINE), run.read(RECEIPTS))
    rows = all_terms(delivered.collect(), totals, windows, scored_cents)
    run.replace_by(RECONCILIATION, [{"as_of": as_of, **row} for row in rows], where)
    for name in windows:
        for measure in ("receipts", "net_cents"):
            terms = {row["term"]: row[measure] for row in rows if row["profile"] == name}
            raw = terms.pop(RAW)
            if raw != sum(terms.values()):
                told = " + ".join(f"{term} {value:,}" for term, value in terms.items())
                raise RunFailure(
                    f"{measure} of {name} do not add up as of {as_of}: raw {raw:,} is not {told}; "
                    "see the table reconciliation. If an ingest was interrupted, "
                    "run `rfm-spark ingest`"
                )
    receipts = next(row["receipts"] for row in rows if row["term"] == RAW)
    return f"all {receipts:,} receipts and every cent accounted for"


def profile_slice(name: str, as_of: date) -> Column:
    """The rows of one profile on one day."""
    return (F.col("profile") == name) & (F.col("as_of") == F.lit(as_of))


def _profiles_slice(profiles: Iterable[str], as_of: date) -> Column:
    """The rows of some profiles on one day."""
    return F.col("profile").isin(list(profiles)) & (F.col("as_of") == F.lit(as_of))
