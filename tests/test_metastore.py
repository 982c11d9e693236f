"""The metastore: names for the tables of this warehouse, and of no other."""

from __future__ import annotations

import shutil

import pytest
from pyspark.sql import functions as F
from support import people

from rfm_spark.app.tables import ALL_TABLES, RUNS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.storage.locations import is_same_place
from rfm_spark.storage.metastore import name_problems
from rfm_spark.storage.warehouse import Warehouse


def test_tables_are_registered_in_a_metastore_where_one_is_configured(spark, tmp_path):
    place = Warehouse(spark, str(tmp_path / "a warehouse"), "rfm_test_shop")
    try:
        place.replace(CUSTOMERS, people(spark, "anna"), F.lit(True))
        place.replace(CUSTOMERS, people(spark, "bert"), F.lit(True))
        found = spark.sql("SELECT customer_id FROM rfm_test_shop.customers").collect()
        assert [row["customer_id"] for row in found] == ["bert"]
        Warehouse(spark, place.place, "rfm_test_shop").create(RUNS)
        listed = {row["tableName"] for row in spark.sql("SHOW TABLES IN rfm_test_shop").collect()}
        assert listed == {"customers", "runs"}
        assert list(name_problems(spark, "rfm_test_shop", place.place, ALL_TABLES)) == []
        spark.sql("CREATE VIEW rfm_test_shop.cohorts AS SELECT 1 AS size")
        spark.sql("CREATE TABLE rfm_test_shop.segments (name STRING) USING parquet")
        shutil.rmtree(tmp_path / "a warehouse" / "runs")
        another = f"{tmp_path}/another"
        assert sorted(name_problems(spark, "rfm_test_shop", another, ALL_TABLES)) == [
            "[metastore] database: rfm_test_shop.cohorts is a table or view of somebody else: "
            "use another database",
            f"[metastore] database: rfm_test_shop.customers is registered for {place.place}/"
            f"customers, not for {another}/customers: take that name away, or use another database",
            f"[metastore] database: rfm_test_shop.runs is registered for {place.place}/runs, not "
            f"for {another}/runs: take that name away, or use another database",
            "[metastore] database: rfm_test_shop.segments is a table or view of somebody else: "
            "use another database",
        ]
    finally:
        spark.sql("DROP DATABASE IF EXISTS rfm_test_shop CASCADE")
    assert place.is_there(CUSTOMERS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/shop/runs", "/shop/runs", True),
        ("/shop/runs", "/shop/run", False),
        ("/shop/runs", "hdfs://host/shop/runs", False),
        ("hdfs:///shop/runs", "hdfs://host:8020/shop/runs", True),
        ("s3a://one/shop/runs", "s3a://two/shop/runs", False),
        ("s3a://one/shop/runs", "gs://one/shop/runs", False),
    ],
)
def test_a_place_is_the_same_on_the_same_host_only(one, other, same):
    assert is_same_place(one, other) == same


def test_a_place_is_the_same_by_another_way(tmp_path):
    (tmp_path / "way").symlink_to(tmp_path)
    assert is_same_place(f"{tmp_path}/way/shop", f"{tmp_path}/shop")
