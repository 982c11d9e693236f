"""Customer 360: one wide row per known customer as of a day."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.errors import UserError
from rfm_spark.pipeline.clusters import MODEL
from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.rfm import profile_slice
from rfm_spark.settings import Settings
from rfm_spark.storage.warehouse import as_of_slice
from rfm_spark.tables import (
    CLUSTER_ASSIGNMENTS,
    CLUSTERS,
    CUSTOMER_360,
    CUSTOMER_DAY_EVENTS,
    CUSTOMERS,
    RFM,
)
from rfm_spark.transforms.customer_360 import CustomerSources, customer_360
from rfm_spark.transforms.customer_sums import VALUE_SUMS, Wanted
from rfm_spark.transforms.window import EVER


def wanted_by_customer_360(_: Settings) -> Wanted:
    """What lifetimes are made of."""
    return {EVER: VALUE_SUMS}


def refresh_customer_360(job: Job, as_of: date, sums: DataFrame) -> None:
    """Puts together everything known of each customer; scores are of the first profile.

    Args:
        job: the run.
        as_of: the day described.
        sums: `customer_sums` as of that day, with what is `wanted_by_customer_360`.

    Raises:
        UserError: if scores or clusters of the day are not there.
    """
    with job.progress.step("customer 360") as step:
        profile = next(iter(job.settings.rfm))
        of_model = as_of_slice(as_of) & (F.col("model") == MODEL)
        sources = CustomerSources(
            sums=sums,
            events=job.read_or_empty(CUSTOMER_DAY_EVENTS),
            attributes=job.read_or_empty(CUSTOMERS),
            rfm=job.read(RFM).where(profile_slice(profile, as_of)),
            clusters=job.read(CLUSTERS).where(of_model),
            assignments=job.read(CLUSTER_ASSIGNMENTS).where(of_model),
        )
        for table, rows in ((RFM, sources.rfm), (CLUSTER_ASSIGNMENTS, sources.assignments)):
            if rows.isEmpty():
                raise UserError(
                    f"{job.warehouse.path(table)}: has no rows as of {as_of}: run "
                    f"`rfm-spark {'rfm' if table is RFM else 'clusters'}` for that day first"
                )
        commit = job.replace(CUSTOMER_360, customer_360(sources, as_of), as_of_slice(as_of))
        step.says(f"{commit.rows:,} known customers")
