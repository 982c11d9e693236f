"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.errors import RunFailure, UserError
from rfm_spark.pipeline.boundaries import boundary_sets
from rfm_spark.pipeline.context import Job
from rfm_spark.settings import Settings
from rfm_spark.tables import (
    DELIVERIES,
    QUARANTINE,
    RECEIPTS,
    RECONCILIATION,
    RFM,
    RFM_CELLS,
    SEGMENTS,
)
from rfm_spark.transforms.customer_sums import VALUE_SUMS, Wanted
from rfm_spark.transforms.populations import (
    GUESTS,
    SCORED,
    Population,
    population_of,
    window_totals,
)
from rfm_spark.transforms.reconciliation import RAW, all_terms, delivered_terms
from rfm_spark.transforms.rfm_results import (
    Scoring,
    cell_results,
    cell_sums,
    scored_customers,
    segment_results,
)
from rfm_spark.transforms.rfm_values import rfm_values


def wanted_by_profiles(settings: Settings) -> Wanted:
    """What scores are made of."""
    return {profile.window: VALUE_SUMS for profile in settings.rfm.values()}


def score_profiles(job: Job, as_of: date, sums: DataFrame) -> None:
    """Scores every profile as of a day, and accounts for every receipt and every cent.

    Args:
        job: the run.
        as_of: the day described.
        sums: `customer_sums` as of that day, with what is `wanted_by_profiles`.

    Raises:
        UserError: if nobody bought in a profile's window; then nothing has been written.
        RunFailure: if customers, receipts or money do not add up.
    """
    windows = sorted(wanted_by_profiles(job.settings), key=lambda window: window.label)
    with job.progress.step("rfm values") as step:
        totals = window_totals(sums, as_of, windows).collect()
        populations = _populations(job, as_of, totals)
        step.says(f"{_customers(totals):,} customers added up")
    with job.progress.step("rfm boundaries") as step:
        boundaries = boundary_sets(job, sums, populations, as_of)
        held = sum(found.version < as_of for found in boundaries.values())
        step.says(f"{len(boundaries)} sets, {held} of them of earlier days")
    scorings = [
        Scoring(
            profile=name,
            as_of=as_of,
            window=profile.window,
            scores=profile.scores,
            cuts=boundaries[name].cuts,
            boundary_version=boundaries[name].version,
            total_weights=profile.total_weights,
            ratio_weights=profile.ratio_weights,
            grid=profile.grid,
        )
        for name, profile in job.settings.rfm.items()
    ]
    with job.progress.step("rfm scores") as step:
        step.says(_score(job, as_of, scorings, sums, populations))
    with job.progress.step("rfm cells and segments"):
        scored_cents = _add_up(job, as_of, scorings, populations)
    with job.progress.step("reconcile") as step:
        step.says(_reconcile(job, as_of, totals, scored_cents))


def _populations(job: Job, as_of: date, totals: Sequence[Row]) -> dict[str, Population]:
    """Who bought in each profile's window."""
    profiles = job.settings.rfm
    found = {row["window"]: row for row in totals if row["who"] == SCORED}
    problems = [
        f"[rfm.{name}] nobody bought in the {profile.window_days} days up to {as_of}: "
        "choose another --as-of or a longer window_days"
        for name, profile in profiles.items()
        if profile.window.label not in found
    ]
    if problems:
        raise UserError(problems)
    return {name: population_of(found[one.window.label]) for name, one in profiles.items()}


def _customers(totals: Sequence[Row]) -> int:
    """All of them: each is scored or not, in any of the windows."""
    some = totals[0]["window"]
    known = [row for row in totals if row["window"] == some and row["who"] != GUESTS]
    return sum(row["customers"] for row in known)


def _score(
    job: Job,
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
    commit = job.replace(RFM, rows, _profiles_slice(job, as_of), is_in_order=True)
    return f"{commit.rows:,} of {len(scorings)} profiles as of {as_of}"


def _add_up(
    job: Job, as_of: date, scorings: Sequence[Scoring], populations: Mapping[str, Population]
) -> dict[str, int]:
    """Writes cells and segments; returns the money of each profile's stored scores."""
    where = _profiles_slice(job, as_of)
    sums = cell_sums(job.warehouse.read(RFM).where(where)).collect()
    for name, population in populations.items():
        scored = sum(row["customers"] for row in sums if row["profile"] == name)
        if scored != population.customers:
            raise RunFailure(
                f"[rfm.{name}] {population.customers:,} customers bought, "
                f"{scored:,} were scored: report this as a bug"
            )
    for table, results in ((RFM_CELLS, cell_results), (SEGMENTS, segment_results)):
        rows = [row for scoring in scorings for row in results(sums, scoring)]
        job.replace_by(table, rows, where)
    return {
        name: sum(row["revenue_cents"] for row in sums if row["profile"] == name)
        for name in populations
    }


def _reconcile(
    job: Job, as_of: date, totals: Sequence[Row], scored_cents: Mapping[str, int]
) -> str:
    where = _profiles_slice(job, as_of)
    windows = {name: profile.window for name, profile in job.settings.rfm.items()}
    delivered = delivered_terms(job.read(DELIVERIES), job.read(QUARANTINE), job.read(RECEIPTS))
    rows = all_terms(delivered.collect(), totals, windows, scored_cents)
    job.replace_by(RECONCILIATION, [{"as_of": as_of, **row} for row in rows], where)
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


def _profiles_slice(job: Job, as_of: date) -> Column:
    """The rows of all profiles on one day."""
    return F.col("profile").isin(list(job.settings.rfm)) & (F.col("as_of") == F.lit(as_of))
