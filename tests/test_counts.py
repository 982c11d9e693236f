"""Counts: what deliveries of receipts held, and the rows that are kept beside."""

from __future__ import annotations

from datetime import date

import pytest
from support import assert_rows

from rfm_spark.ingest.counts import DeliveryCounts, daily_receipt_counts, kept_rows, receipt_counts

SCHEMA = (
    "source string, delivery string, business_date date, receipt_id string, cents bigint, "
    "reasons string, is_dropped boolean, is_single boolean"
)


def row(receipt_id, day=1, cents=100, reasons="", single=True, delivery="a", dropped=False):
    business_date = day and date(2026, 1, day)
    return ("receipts", delivery, business_date, receipt_id, cents, reasons, dropped, single)


ROWS = [
    row("r1"),
    row("r2", day=2),
    row("twice", cents=5, single=False),
    row("twice", cents=7, single=False, delivery="b"),
    row("bad", day=None, reasons="time_missing"),
    row(None, cents=3, reasons="receipt_id_missing", single=False),
    row(None, cents=3, reasons="receipt_id_missing", single=False),
    row(None, cents=3, reasons="receipt_id_missing", single=False, dropped=True),
]
DELIVERIES = [("receipts", name) for name in ("a", "b", "empty")]


@pytest.fixture
def found(spark):
    return daily_receipt_counts(spark.createDataFrame(ROWS, SCHEMA))


def test_single_rows_are_counted_kept_or_not(found):
    counts = receipt_counts(found, DELIVERIES)
    assert counts.counts == {
        DELIVERIES[0]: DeliveryCounts(
            rows=3, rejected_rows=1, receipts=3, rejected_receipts=1, net_cents=300
        ),
        DELIVERIES[1]: DeliveryCounts(),
        DELIVERIES[2]: DeliveryCounts(),
    }
    assert counts.single_days == {date(2026, 1, 1), date(2026, 1, 2)}


def test_rows_that_are_rejected_or_not_single_are_kept_equal_ones_each(found):
    kept = kept_rows(found)
    assert kept.columns == [name.split()[0] for name in SCHEMA.split(", ")]
    names = ("receipt_id", "cents", "delivery")
    expected = [("twice", 5, "a"), ("twice", 7, "b"), ("bad", 100, "a"), *[(None, 3, "a")] * 3]
    assert_rows(kept, [dict(zip(names, values, strict=True)) for values in expected])
