"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from rfm_spark.errors import RunFailure, UserError
from rfm_spark.pipeline.boundaries import boundary_sets
from rfm_spark.pipeline.context import Job
from rfm_spark.session import in_parts
from rfm_spark.tables import (
    CUSTOMER_DAYS,
    CUSTOMER_YEARS,
    DELIVERIES,
    QUARANTINE,
    RECEIPTS,
    RECONCILIATION,
    RFM,
    RFM_CELLS,
    SEGMENTS,
)
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
from rfm_spark.transforms.rfm_values import customer_sums, rfm_values


def score_profiles(job: Job, as_of: date) -> None:
    """Scores every profile as of a day, and accounts for every receipt and every cent.

    Raises:
        UserError: if nobody bought in a profile's window; then nothing has been written.
        RunFailure: if customers, receipts or money do not add up.
    """
    of_profiles = {profile.window for profile in job.settings.rfm.values()}
    windows = sorted(of_profiles, key=lambda window: window.label)
    days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
    sums = customer_sums(days, years, as_of, windows)
    with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
        sums.persist(StorageLevel.MEMORY_AND_DISK)
    try:
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
        for scoring in scorings:
            with job.progress.step(f"rfm {scoring.profile}") as step:
                scored = _score(job, scoring, sums, populations[scoring.profile])
                step.says(f"{scored:,} customers scored as of {as_of}")
        with job.progress.step("rfm cells and segments"):
            scored_cents = _add_up(job, as_of, scorings)
        with job.progress.step("reconcile") as step:
            step.says(_reconcile(job, as_of, totals, scored_cents))
    finally:
        sums.unpersist()


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


def _score(job: Job, scoring: Scoring, sums: DataFrame, population: Population) -> int:
    values = rfm_values(sums, scoring.as_of, scoring.window)
    scored = scored_customers(values, population, scoring)
    commit = job.replace(RFM, scored, profile_slice(scoring.profile, scoring.as_of))
    if commit.rows != population.customers:
        raise RunFailure(
            f"[rfm.{scoring.profile}] {population.customers:,} customers bought, "
            f"{commit.rows:,} were scored: report this as a bug"
        )
    return commit.rows


def _add_up(job: Job, as_of: date, scorings: Sequence[Scoring]) -> dict[str, int]:
    """Writes cells and segments; returns the money of each profile's stored scores."""
    where = _profiles_slice(job, as_of)
    sums = cell_sums(job.warehouse.read(RFM).where(where)).collect()
    for table, results in ((RFM_CELLS, cell_results), (SEGMENTS, segment_results)):
        rows = [row for scoring in scorings for row in results(sums, scoring)]
        job.replace_by(table, rows, where)
    cents = dict.fromkeys(job.settings.rfm, 0)
    for row in sums:
        cents[row["profile"]] += row["revenue_cents"]
    return cents


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
