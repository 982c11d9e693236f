"""Versions of receipts: lines added up, and what rejects a version."""

from __future__ import annotations

from datetime import date

from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DateType,
    LongType,
    StringType,
    StructField,
    StructType,
)
from support import assert_rows

from rfm_spark.ingest.counts import DeliveryCounts, add_receipt_version_counts
from rfm_spark.ingest.rows.rules import SEPARATOR
from rfm_spark.ingest.versions.receipt_versions import receipt_versions, rows_to_quarantine

BASE = {
    "delivery": "a.csv",
    "file": "a.csv",
    "raw": "{}",
    "reasons": "",
    "is_dropped": False,
    "receipt_id": "r1",
    "customer_id": "anna",
    "receipt_ts": "2026-01-15 10:00:00",
    "business_date": date(2026, 1, 15),
    "cents": 1_00,
    "items": 1,
    "category": "tea",
    "is_return": False,
    "is_visit": True,
    "has_promotion": False,
    "is_void": False,
    "store_id": None,
    "channel": None,
}
TYPES = {date: DateType, int: LongType, bool: BooleanType}
SCHEMA = StructType([StructField(n, TYPES.get(type(v), StringType)()) for n, v in BASE.items()])


def line(**fields):
    assert not set(fields) - set(BASE), f"no such field in {fields}"
    return BASE | fields


def lines(spark, *rows):
    written = spark.createDataFrame([tuple(row.values()) for row in rows], SCHEMA)
    return written.withColumn("receipt_ts", F.col("receipt_ts").cast("timestamp"))


def versions(spark, *rows, with_categories=True, zero_is_visit=True):
    return receipt_versions(lines(spark, *rows), with_categories, zero_is_visit)


def test_lines_are_added_up_and_the_earliest_time_is_the_receipts(spark):
    after_midnight = {"receipt_ts": "2026-02-01 00:05:00", "business_date": date(2026, 2, 1)}
    before = {"receipt_ts": "2026-01-31 23:55:00", "business_date": date(2026, 1, 31)}
    found = versions(
        spark,
        line(**after_midnight, cents=5_00, items=2),
        line(**before, cents=-1_00, is_visit=False, has_promotion=True),
        line(**after_midnight, cents=-2_00, items=-1, is_return=True, is_visit=False, store_id="7"),
    )
    assert_rows(
        found.withColumn("receipt_ts", F.col("receipt_ts").cast("string")),
        [
            {
                "receipt_id": "r1",
                "delivery": "a.csv",
                "customer_id": "anna",
                "receipt_ts": "2026-01-31 23:55:00",
                "business_date": "2026-01-31",
                "month": "2026-01",
                "net_cents": 2_00,
                "gross_cents": 4_00,
                "items": 2,
                "lines": 3,
                "is_visit": True,
                "is_return": True,
                "has_promotion": True,
                "is_void": False,
                "store_id": "7",
                "is_rejected": False,
            },
        ],
    )


def test_a_receipt_of_returns_only_is_no_visit(spark):
    back = line(cents=-2_00, is_return=True, is_visit=False)
    assert_rows(
        versions(spark, back, back),
        [{"is_visit": False, "is_return": True, "net_cents": -4_00, "gross_cents": 0, "lines": 2}],
    )


def test_equal_lines_are_separate_lines(spark):
    assert_rows(versions(spark, line(), line(), line()), [{"lines": 3, "net_cents": 3_00}])


def test_deliveries_are_versions_of_their_own(spark):
    found = versions(spark, line(), line(delivery="b.csv", cents=7_00), line(receipt_id="r2"))
    assert_rows(
        found,
        [
            {"delivery": "a.csv", "receipt_id": "r1", "net_cents": 1_00},
            {"delivery": "b.csv", "receipt_id": "r1", "net_cents": 7_00},
            {"delivery": "a.csv", "receipt_id": "r2", "net_cents": 1_00},
        ],
    )


def test_one_bad_line_rejects_its_version_and_no_other(spark):
    found = versions(spark, line(), line(reasons="time_missing"), line(delivery="b.csv"))
    names = ("delivery", "lines", "rejected_lines", "is_rejected")
    rows = [("a.csv", 2, 1, True), ("b.csv", 1, 0, False)]
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in rows])


def test_two_customers_reject_a_receipt(spark):
    found = versions(
        spark, line(), line(customer_id="ben"), line(customer_id=None, receipt_id="r2")
    )
    assert_rows(
        found,
        [
            {"receipt_id": "r1", "two_customers": True, "is_rejected": True},
            {"receipt_id": "r2", "two_customers": False, "is_rejected": False},
        ],
    )


def test_lines_of_a_guest_and_of_a_customer_are_the_customers(spark):
    found = versions(spark, line(customer_id=None), line(), line(receipt_id="r2", customer_id=None))
    assert_rows(
        found,
        [
            {"receipt_id": "r1", "customer_id": "anna", "lines": 2, "is_rejected": False},
            {"receipt_id": "r2", "customer_id": None, "lines": 1, "is_rejected": False},
        ],
    )


def test_one_void_line_makes_the_version_void(spark):
    assert_rows(versions(spark, line(is_void=True), line()), [{"is_void": True, "lines": 2}])


def test_lines_without_a_receipt_are_in_no_version(spark):
    bad = line(receipt_id=None, reasons="receipt_id_missing")
    found = versions(spark, bad, line()).where("receipt_id IS NOT NULL")
    assert_rows(found, [{"receipt_id": "r1", "lines": 1}])


def test_categories_are_sorted_sums_that_add_up_to_the_receipt(spark):
    found = versions(
        spark,
        line(category="tea", cents=3_00, items=2),
        line(category="cups", cents=9_00),
        line(category="tea", cents=-1_00, items=-1, is_return=True),
        line(category="tea", cents=50, customer_id=None, store_id="7"),
    )
    (row,) = found.collect()
    assert [tuple(one) for one in row["categories"]] == [("cups", 1, 9_00), ("tea", 2, 2_50)]
    assert sum(one["net_cents"] for one in row["categories"]) == row["net_cents"]


def test_categories_that_are_not_mapped_are_null(spark):
    assert_rows(versions(spark, line(), with_categories=False), [{"categories": None, "lines": 1}])


def test_dropped_lines_count_nowhere_but_in_quarantine(spark):
    delivered = lines(
        spark,
        line(raw="milk", cents=1_00),
        line(raw="milk", cents=1_00, is_dropped=True),
        line(raw="bad", receipt_id="r2", reasons="time_missing"),
        line(raw="bread", receipt_id="r2"),
        line(raw="bread", receipt_id="r2", is_dropped=True),
    )
    found = receipt_versions(delivered, True, True)
    assert_rows(
        found.where("receipt_id = 'r1'"), [{"net_cents": 1_00, "lines": 1, "is_rejected": False}]
    )
    rejected = found.where("is_rejected").select(
        "delivery", "receipt_id", "two_customers", "is_untimed"
    )
    another = "another_line_of_the_receipt_rejected"
    assert_rows(
        rows_to_quarantine(delivered, rejected),
        [
            {"raw": "milk", "reasons": "equal_line_dropped"},
            {"raw": "bad", "reasons": "time_missing"},
            {"raw": "bread", "reasons": another},
            {"raw": "bread", "reasons": f"{another}{SEPARATOR}equal_line_dropped"},
        ],
    )


def test_every_row_of_a_rejected_version_goes_to_quarantine_with_its_reason(spark):
    delivered = lines(
        spark,
        line(raw="bad", reasons="time_missing"),
        line(raw="beside it"),
        line(raw="no receipt", receipt_id=None, reasons="receipt_id_missing"),
        line(raw="annas", receipt_id="r2"),
        line(raw="bens", receipt_id="r2", customer_id="ben"),
        line(raw="bens bad one", receipt_id="r2", customer_id="ben", reasons="amount_missing"),
        line(raw="good", receipt_id="r3"),
        line(raw="good version", delivery="b.csv"),
    )
    rejected = receipt_versions(delivered, True, True).where("is_rejected")
    found = rows_to_quarantine(
        delivered, rejected.select("delivery", "receipt_id", "two_customers", "is_untimed")
    )
    two = "two_customers_on_one_receipt"
    assert_rows(
        found,
        [
            {"raw": "bad", "reasons": "time_missing"},
            {"raw": "beside it", "reasons": "another_line_of_the_receipt_rejected"},
            {"raw": "no receipt", "reasons": "receipt_id_missing"},
            {"raw": "annas", "reasons": two},
            {"raw": "bens", "reasons": two},
            {"raw": "bens bad one", "reasons": f"amount_missing{SEPARATOR}{two}"},
        ],
    )
    assert set(found.columns) == set(delivered.columns)


def test_every_line_and_its_money_is_counted_once(spark):
    delivered = lines(
        spark,
        line(cents=1_00),
        line(cents=2_00),
        line(receipt_id="r2", cents=4_00, reasons="time_missing"),
        line(receipt_id="r2", cents=8_00),
        line(receipt_id="r2", cents=8_00, is_dropped=True),
        line(receipt_id=None, cents=16_00, reasons="receipt_id_missing"),
        line(receipt_id=None, cents=16_00, reasons="receipt_id_missing"),
        line(receipt_id=None, cents=16_00, reasons="receipt_id_missing", is_dropped=True),
        line(delivery="b.csv", customer_id="ben", cents=32_00),
    )
    counts = {("shop", name): DeliveryCounts() for name in ("a.csv", "b.csv", "empty.csv")}
    add_receipt_version_counts(counts, "shop", receipt_versions(delivered, True, True))
    assert counts == {
        ("shop", "a.csv"): DeliveryCounts(
            rows=8, rejected_rows=4, dropped_rows=2, receipts=2, rejected_receipts=1,
            net_cents=71_00,
        ),
        ("shop", "b.csv"): DeliveryCounts(rows=1, receipts=1, net_cents=32_00),
        ("shop", "empty.csv"): DeliveryCounts(),
    }  # fmt: skip


def test_whether_zero_is_a_visit_is_decided_on_the_receipt(spark):
    rows = [
        line(receipt_id="free", cents=30_00),
        line(receipt_id="free", cents=-30_00, is_visit=False),
        line(receipt_id="paid", cents=30_00),
        line(receipt_id="paid", cents=-29_99, is_visit=False),
    ]
    for zero_is_visit in (True, False):
        found = versions(spark, *rows, zero_is_visit=zero_is_visit)
        visits = {row["receipt_id"]: row["is_visit"] for row in found.collect()}
        assert visits == {"free": zero_is_visit, "paid": True}


def test_lines_brought_back_on_a_later_day_are_a_return_of_that_day(spark):
    later = {"is_return": True, "is_visit": False, "items": -1}
    on = {day: {"business_date": date(2026, 2, day), "receipt_ts": f"2026-02-{day} 09:00:00"}
          for day in (14, 20)}  # fmt: skip
    found = versions(
        spark,
        line(cents=40_00),
        line(cents=5_00, category="cups"),
        line(cents=-2_00, **later),  # at once: of the purchase
        line(cents=-12_00, **later, **on[14]),
        line(cents=-1_00, category="cups", **later, **on[14]),
        line(cents=-3_00, **later, **on[20]),
        line(receipt_id="alone", cents=-4_00, **later, **on[14]),
        line(receipt_id="alone", cents=-5_00, **later, **on[20]),
        line(receipt_id="bought later", cents=6_00, **on[20]),
        line(receipt_id="bought later", cents=-6_00, **later, **on[14]),
        line(receipt_id="bad", cents=7_00),
        line(receipt_id="bad", cents=-7_00, reasons="time_missing", **later, **on[14]),
        line(receipt_id="two", cents=8_00),
        line(receipt_id="two", cents=-8_00, customer_id="ben", **later, **on[14]),
    )
    names = ("receipt_id", "business_date", "net_cents", "gross_cents", "lines", "is_rejected",
             "is_visit", "is_return")  # fmt: skip
    expected = [
        ("r1", "2026-01-15", 43_00, 45_00, 3, False, True, True),
        ("r1", "2026-02-14", -13_00, 0, 2, False, False, True),
        ("r1", "2026-02-20", -3_00, 0, 1, False, False, True),
        ("alone", "2026-02-14", -4_00, 0, 1, False, False, True),
        ("alone", "2026-02-20", -5_00, 0, 1, False, False, True),
        ("bought later", "2026-02-14", 0, 6_00, 2, False, True, True),
        ("bad", "2026-01-15", 0, 7_00, 2, True, True, True),
        ("two", "2026-01-15", 0, 8_00, 2, True, True, True),
    ]
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in expected])


def test_lines_without_a_time_take_that_of_their_receipt(spark):
    """As exports write it that tell of an order on its first line only."""
    no_time = {"receipt_ts": None, "business_date": None}
    back = {"is_return": True, "is_visit": False, "items": -1}
    on = {day: {"business_date": date(2026, 2, day), "receipt_ts": f"2026-02-{day} 09:00:00"}
          for day in (14, 20)}  # fmt: skip
    rows = [
        line(cents=1_00),
        line(cents=2_00, category="cups", **no_time),
        line(cents=-1_00, **back, **no_time),  # of the purchase
        line(cents=-3_00, **back, **on[20]),
        line(receipt_id="returns", cents=-4_00, **back, **on[20]),
        line(receipt_id="returns", cents=-5_00, **back, **on[14]),
        line(receipt_id="returns", cents=-6_00, **back, **no_time),
        line(receipt_id="returns", cents=-7_00, category="cups", **back, **on[14])
        | {"receipt_ts": "2026-02-14 09:01:00"},  # one return, which took a minute
        line(receipt_id="none", raw="first", **no_time),
        line(receipt_id="none", raw="second", reasons="amount_missing", **no_time),
        line(receipt_id="never read", raw="third", reasons="time_unreadable", **no_time),
        line(receipt_id="partly read", raw="fourth", reasons="time_unreadable", **no_time),
        line(receipt_id="partly read", raw="fifth"),
    ]
    found = versions(spark, *rows)
    names = ("receipt_id", "business_date", "net_cents", "lines", "is_rejected", "is_untimed")
    expected = [
        ("r1", "2026-01-15", 2_00, 3, False, False),
        ("r1", "2026-02-20", -3_00, 1, False, False),
        ("returns", "2026-02-14", -18_00, 3, False, False),
        ("returns", "2026-02-20", -4_00, 1, False, False),
        ("none", None, 2_00, 2, True, True),
        ("never read", None, 1_00, 1, True, True),
        ("partly read", "2026-01-15", 2_00, 2, True, False),
    ]
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in expected])
    kept_out = rows_to_quarantine(lines(spark, *rows), found.where("is_rejected"))
    by_raw = {row["raw"]: row["reasons"].split(SEPARATOR) for row in kept_out.collect()}
    assert by_raw == {
        "first": ["time_missing"],
        "second": ["amount_missing", "time_missing"],
        "third": ["time_unreadable"],
        "fourth": ["time_unreadable"],
        "fifth": ["another_line_of_the_receipt_rejected"],
    }
