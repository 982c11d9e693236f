"""Merged members: who became one customer after an audience was built counts once, or not."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.facts.merging import rows_of_customers
from rfm_spark.run import Run


def members_by_now(run: Run, built: DataFrame) -> DataFrame:
    """The members of an audience, as the customers that they are by now.

    What was bought before and after counts for the new id. Who was treated under one id and held
    out under another tells nothing of either group, and is left out with a note.

    Args:
        run: session, settings and warehouse.
        built: rows of `audiences`, as it was built for one day.

    Returns:
        One row per customer: `customer_id`, `audience_group`, `segment` (of several the first by
        name).
    """
    by_customer = (
        rows_of_customers(run, built)
        .groupBy("customer_id")
        .agg(
            F.min("audience_group").alias("audience_group"),
            F.min("segment").alias("segment"),
            (F.min("audience_group") != F.max("audience_group")).alias("is_in_both"),
        )
    )
    in_both = by_customer.where("is_in_both").count()
    if in_both:
        run.notes.append(
            f"{in_both:,} customers were merged who had been treated under one id and held out "
            "under another: they are in neither group"
        )
    return by_customer.where("NOT is_in_both").drop("is_in_both")
