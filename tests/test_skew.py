"""Skew and size: no task has much more rows than the others, nor more than it can hold."""

from __future__ import annotations

import re

import pytest
from pyspark.sql import functions as F
from support.sessions import as_in_use, session_settings

from rfm_spark.generator.market import Market
from rfm_spark.generator.receipts import GUEST, delivered_receipts
from rfm_spark.pipeline.facts import by_customer
from rfm_spark.session import in_parts
from rfm_spark.tables import INTERACTIONS, RECEIPTS
from rfm_spark.transforms.facts import (
    customer_day_categories,
    customer_day_events,
    customer_days,
)

PARTITIONS = 8
MARKET = Market(
    receipts=40_000, customers=500, days=365, guest_share=0.3, largest_customer_receipts=4_000
)


@pytest.fixture(scope="module")
def receipts(spark):
    rows = delivered_receipts(spark, MARKET).where("time IS NOT NULL")
    customer = F.nullif(F.col("customer_id").cast("string"), F.lit(str(GUEST)))
    found = rows.select(customer.alias("customer_id"), F.to_date("time").alias("business_date"))
    yield found.persist()
    found.unpersist()


def largest_share(rows):
    """Rows of the largest partition, as a multiple of the mean."""
    sizes = [row["count"] for row in rows.groupBy(F.spark_partition_id()).count().collect()]
    return max(sizes) * PARTITIONS / sum(sizes)


def test_no_task_of_the_facts_has_much_more_than_the_others(spark, receipts):
    with session_settings(spark, {"spark.sql.shuffle.partitions": str(PARTITIONS)}):
        assert largest_share(receipts.repartitionByRange("customer_id")) > 2
        # Bounds come from a sample of about 100 rows a task, so a task's share has a standard
        # deviation of a tenth.
        assert largest_share(by_customer(receipts)) < 1.6


@pytest.mark.parametrize(
    ("transform", "source"),
    [
        (customer_days, RECEIPTS),
        (customer_day_categories, RECEIPTS),
        (customer_day_events, INTERACTIONS),
    ],
)
def test_facts_are_added_up_where_the_order_of_customers_put_them(spark, transform, source):
    # Not of local rows: nothing would be planned for those.
    rows = spark.createDataFrame(spark.sparkContext.emptyRDD(), source.schema)
    with session_settings(spark, {"spark.sql.shuffle.partitions": str(PARTITIONS)}):
        plan = transform(by_customer(rows))._jdf.queryExecution().executedPlan().toString()
    assert "rangepartitioning(customer_id" in plan
    assert "hashpartitioning" not in plan


def test_a_large_shuffle_goes_to_more_tasks(spark, receipts):
    def tasks(size, least=1):
        with in_parts(spark, size, least):
            plan = by_customer(receipts)._jdf.queryExecution().executedPlan().toString()
        return int(re.search(r"rangepartitioning\(.*, (\d+)\)", plan)[1])

    with as_in_use(spark):
        assert tasks(2**20 * 32 * 50) == 50
        assert tasks(2**20) < 50
        assert tasks(2**20 * 32 * 50, least=160) == 160
