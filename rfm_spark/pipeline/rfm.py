"""RFM: values, boundaries, scores, cells and segments of every profile, reconciled."""

from __future__ import annotations

from datetime import date

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from rfm_spark.errors import RunFailure, UserError
from rfm_spark.pipeline.boundaries import boundary_set
from rfm_spark.pipeline.context import Job
from rfm_spark.session import in_parts
from rfm_spark.settings.model import Profile
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
from rfm_spark.transforms.local_rows import local_rows
from rfm_spark.transforms.reconciliation import RAW, delivered_terms, placed_terms
from rfm_spark.transforms.rfm_results import (
    Scoring,
    cell_results,
    scored_customers,
    segment_results,
)
from rfm_spark.transforms.rfm_values import customer_sums, population_means, rfm_values


def score_profiles(job: Job, as_of: date) -> None:
    """Scores every profile as of a day, and accounts for every receipt and every cent.

    Raises:
        UserError: if nobody bought in a profile's window.
        RunFailure: if receipts or money do not add up.
    """
    profiles = job.settings.rfm
    windows = {profile.window for profile in profiles.values()}
    days, years = job.read(CUSTOMER_DAYS), job.read(CUSTOMER_YEARS)
    sums = customer_sums(days, years, as_of, sorted(windows, key=lambda window: window.label))
    with in_parts(job.spark, job.warehouse.detail(CUSTOMER_DAYS)[1]):
        sums.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        with job.progress.step("rfm values") as step:
            customers = sums.where(F.col("customer_id").isNotNull()).count()
            step.says(f"{customers:,} customers added up")
            delivered = _delivered(job)
        for name, profile in profiles.items():
            with job.progress.step(f"rfm {name}") as step:
                scored = _score(job, name, profile, as_of, sums)
                step.says(f"{scored:,} customers scored as of {as_of}")
            with job.progress.step(f"reconcile {name}") as step:
                step.says(_reconcile(job, name, profile, as_of, sums, delivered))
    finally:
        sums.unpersist()


def _delivered(job: Job) -> DataFrame:
    """The terms of the reconciliation that all profiles share, counted once."""
    terms = delivered_terms(job.read(DELIVERIES), job.read(QUARANTINE), job.read(RECEIPTS))
    return local_rows(job.spark, [row.asDict() for row in terms.collect()], terms.schema)


def _score(job: Job, name: str, profile: Profile, as_of: date, sums: DataFrame) -> int:
    values = rfm_values(sums, as_of, profile.window)
    if values.isEmpty():
        raise UserError(
            f"[rfm.{name}] nobody bought in the {profile.window_days} days up to {as_of}: "
            "choose another --as-of or a longer window_days"
        )
    boundaries = boundary_set(job, name, profile, values, as_of)
    scoring = Scoring(
        profile=name,
        as_of=as_of,
        window=profile.window,
        scores=profile.scores,
        cuts=boundaries.cuts,
        boundary_version=boundaries.version,
        total_weights=profile.total_weights,
        ratio_weights=profile.ratio_weights,
        grid=profile.grid,
    )
    where = profile_slice(name, as_of)
    scored = scored_customers(values, population_means(values), scoring)
    commit = job.replace(RFM, scored, where)
    rfm = job.warehouse.read(RFM).where(where)
    job.replace(RFM_CELLS, cell_results(rfm, scoring), where)
    job.replace(SEGMENTS, segment_results(rfm, scoring), where)
    return commit.rows


def _reconcile(
    job: Job, name: str, profile: Profile, as_of: date, sums: DataFrame, delivered: DataFrame
) -> str:
    where = profile_slice(name, as_of)
    rfm = job.warehouse.read(RFM).where(where)
    terms = delivered.unionByName(placed_terms(sums, rfm, profile.window))
    named = terms.select(F.lit(name).alias("profile"), F.lit(as_of).alias("as_of"), "*")
    job.replace(RECONCILIATION, named, where)
    stored = job.warehouse.read(RECONCILIATION).where(where).collect()
    for measure in ("receipts", "net_cents"):
        raw = sum(row[measure] for row in stored if row["term"] == RAW)
        parts = {row["term"]: row[measure] for row in stored if row["term"] != RAW}
        if raw != sum(parts.values()):
            told = " + ".join(f"{term} {value:,}" for term, value in parts.items())
            raise RunFailure(
                f"{measure} do not add up as of {as_of}: raw {raw:,} is not {told}; "
                "see the table reconciliation. If an ingest was interrupted, run `rfm-spark ingest`"
            )
    receipts = sum(row["receipts"] for row in stored if row["term"] == RAW)
    return f"all {receipts:,} receipts and every cent accounted for"


def profile_slice(name: str, as_of: date) -> Column:
    """The rows of one profile on one day."""
    return (F.col("profile") == name) & (F.col("as_of") == F.lit(as_of))
