"""Skew and size: no task has much more rows than the others, nor more than it can hold."""

from __future__ import annotations

import re
import shutil
from datetime import date
from itertools import pairwise

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F
from support.sessions import as_in_use
from support.shop import INTERACTIONS as CLICKS
from support.shop import RECEIPTS as TILL
from support.shop import Shop, click, line, stored

from rfm_spark.facts.job import by_customer
from rfm_spark.facts.transforms import customer_day_categories, customer_day_events, customer_days
from rfm_spark.generator.market import Market
from rfm_spark.generator.receipts import GUEST, delivered_receipts
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.cohorts import job
from rfm_spark.session import in_parts
from rfm_spark.storage.session_settings import session_settings

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


def test_files_of_facts_hold_customers_of_their_own(spark, run, tmp_path):
    shop = Shop(tmp_path)
    customers = [f"c{n:02}" for n in range(60)]
    days = [f"2025-0{month}-10" for month in (1, 2, 3)]
    bought = [line(f"{c} {day}", c, day, "1.00") for day in days for c in customers]
    shop.csv("receipts1.csv", bought)
    shop.csv("clicks1.csv", [click(f"{c} {day}", c, day) for day in days for c in customers])
    shop.configure(TILL + CLICKS)
    small = {
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }
    with session_settings(spark, small):
        run(shop.config, shop.raw, shop.warehouse, "ingest")
    for name in ("customer_days", "customer_day_categories", "customer_day_events"):
        actions = DeltaTable(str(shop.warehouse / name)).get_add_actions(flatten=True)
        files = pa.table(actions).to_pylist()
        folded = sorted(
            (file["min.customer_id"], file["max.customer_id"])
            for file in files
            if file["max.day"] < date(2025, 2, 1)
        )
        assert len(folded) > 1
        assert all(one[1] < other[0] for one, other in pairwise(folded)), name


def test_a_large_shuffle_goes_to_more_tasks(spark, receipts):
    def tasks(size, least=1):
        with in_parts(spark, size, least):
            plan = by_customer(receipts)._jdf.queryExecution().executedPlan().toString()
        return int(re.search(r"rangepartitioning\(.*, (\d+)\)", plan)[1])

    with as_in_use(spark):
        assert tasks(2**20 * 32 * 50) == 50
        assert tasks(2**20) < 50
        assert tasks(2**20 * 32 * 50, least=160) == 160


def test_many_cohorts_are_written_by_several_tasks_and_few_to_one_file(
    spark, run, tmp_path, monkeypatch
):
    shop = Shop(tmp_path)
    shop.configure(TILL, {'grains = ["month"]': 'grains = ["day"]'})
    days = [f"2025-01-{day:02}" for day in range(1, 29)]
    shop.csv("receipts1.csv", [line(day, f"c {day}", day, "1.00") for day in days])
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    found, files = [], []
    for rows in (job.ROWS_A_PART, 100):
        monkeypatch.setattr(job, "ROWS_A_PART", rows)
        place = tmp_path / str(rows)
        shutil.copytree(shop.warehouse, place)
        with session_settings(spark, {"spark.sql.shuffle.partitions": "4"}):
            run(shop.config, shop.raw, place, "cohorts")
        found.append(stored(place, "cohorts"))
        files.append(len(DeltaTable(str(place / "cohorts")).file_uris()))
    assert files == [1, 4]
    assert len(found[0]) == 28 * 29 / 2
    assert found[0] == found[1]
