"""Reconciliation: every receipt and every cent is in exactly one term."""

from __future__ import annotations

from datetime import date

from support import assert_rows, rows_of

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import united
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.facts.transforms import customer_years
from rfm_spark.ingest.rows.rules import EQUAL_LINE
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.results.rfm.populations import population_totals
from rfm_spark.results.rfm.reconciliation import Delivered, all_terms, delivered_terms
from rfm_spark.results.rfm.values import Basis

AS_OF = date(2026, 1, 31)


def day(customer, on, receipts=1, net_cents=10_00):
    facts = {"customer_id": customer, "day": on, "receipts": receipts, "net_cents": net_cents}
    return {**facts, "visits": int(net_cents > 0)}


MONTH, WEEK = LookBack(30), LookBack(7)


def terms_of(deliveries, quarantine, receipts, days, scored_cents):
    bases = {"month": Basis(MONTH), "week": Basis(WEEK)}
    sums = customer_sums(
        CustomerFacts(days, customer_years(days)),
        AS_OF,
        united(ask for basis in bases.values() for ask in basis.asks()),
    )
    asked = {name: bases[name] for name in scored_cents}
    totals = population_totals({AS_OF: sums}, asked).collect()
    delivered = Delivered(delivered_terms(deliveries, quarantine, receipts).collect())
    return all_terms(delivered, totals, asked, scored_cents)


def test_every_receipt_and_every_cent_is_accounted_for(spark):
    def version(receipt, status, net_cents):
        return {"receipt_id": receipt, "status": status, "net_cents": net_cents}

    days = [
        day("anna", "2026-01-15", receipts=2, net_cents=20_00),
        day("anna", "2026-01-20", net_cents=-3_00),
        day("anna", "2026-01-01", net_cents=7_00),  # as_of - 30
        day("anna", "2026-02-01", net_cents=9_00),
        day("returner", "2026-01-20", net_cents=-4_00),
        day(None, "2026-01-20", receipts=3, net_cents=30_00),
        day(None, "2020-01-01", net_cents=1_00),
    ]
    receipts = [
        *[version(f"r{n}", "current", 6_00) for n in range(10)],
        version("r0", "superseded", 5_00),
        version("r1", "superseded", -1_00),
        version("r98", "void", 2_00),
        version("r97", "forgotten", 3_00),
    ]
    quarantine = [
        {"source": "receipts", "delivery": "a", "receipt_id": "r99", "net_cents": 4_00},
        {"source": "receipts", "delivery": "a", "receipt_id": "r99", "net_cents": 1_00},
        {"source": "receipts", "delivery": "b", "receipt_id": "r99", "net_cents": 1_00},
        {"source": "receipts", "delivery": "a", "receipt_id": None, "net_cents": 10},
        {"delivery": "a", "receipt_id": "r1", "net_cents": 3_00, "reasons": [EQUAL_LINE]},
        {"delivery": "a", "receipt_id": "r99", "net_cents": 50, "reasons": ["x", EQUAL_LINE]},
        {"source": "customers", "delivery": "c", "receipt_id": None, "net_cents": 0},
    ]
    deliveries = [
        {"source": "receipts", "delivery": "a", "receipts": 13, "net_cents": 61_60},
        {"source": "receipts", "delivery": "b", "receipts": 3, "net_cents": 17_00},
        {"source": "customers", "delivery": "c", "receipts": 0, "net_cents": 0},
    ]
    quarantine = [{"source": "receipts", "reasons": ["x"], **row} for row in quarantine]
    found = terms_of(
        rows_of(spark, DELIVERIES, deliveries),
        rows_of(spark, QUARANTINE, quarantine),
        rows_of(spark, RECEIPTS, receipts),
        rows_of(spark, CUSTOMER_DAYS, days),
        {"month": 17_00},
    )
    names = ("term", "receipts", "net_cents")
    rows = [
        ("raw", 16, 78_60),
        ("rejected", 2, 6_60),
        ("dropped", 0, 3_00),
        ("superseded", 2, 4_00),
        ("void", 1, 2_00),
        ("forgotten", 1, 3_00),
        ("guests", 4, 31_00),
        ("outside_window", 2, 16_00),
        ("unscored", 1, -4_00),
        ("scored", 3, 17_00),
    ]
    assert_rows(found, [{"profile": "month", **dict(zip(names, row, strict=True))} for row in rows])
    for place in (1, 2):
        assert rows[0][place] == sum(row[place] for row in rows[1:])


def test_a_term_without_receipts_is_zero(spark):
    tables = (DELIVERIES, QUARANTINE, RECEIPTS, CUSTOMER_DAYS)
    empty = [rows_of(spark, table, []) for table in tables]
    found = terms_of(*empty, {"month": 0})
    assert len(found) == 9
    assert {(row["receipts"], row["net_cents"]) for row in found} == {(0, 0)}


def test_each_profile_has_its_own_window_and_its_own_scores(spark):
    days = [
        day("anna", "2026-01-15", receipts=2, net_cents=20_00),
        day("anna", "2026-01-30", net_cents=5_00),
        day("ben", "2026-01-28", net_cents=-1_00),
        day("cleo", "2026-01-05", net_cents=7_00),
        day(None, "2026-01-26", net_cents=3_00),
    ]
    empty = [rows_of(spark, table, []) for table in (DELIVERIES, QUARANTINE, RECEIPTS)]
    stored = {"month": 32_00, "week": 4_99}
    found = terms_of(*empty, rows_of(spark, CUSTOMER_DAYS, days), stored)
    names = ("profile", "term", "receipts", "net_cents")
    rows = [
        ("month", "guests", 1, 3_00),
        ("month", "outside_window", 0, 0),
        ("month", "unscored", 1, -1_00),
        ("month", "scored", 4, 32_00),
        ("week", "guests", 1, 3_00),
        ("week", "outside_window", 3, 27_00),
        ("week", "unscored", 1, -1_00),
        ("week", "scored", 1, 4_99),  # of what is stored: a cent that was lost shows
    ]
    of_places = [row for row in found if row["term"] in {term for _, term, *_ in rows}]
    assert_rows(of_places, [dict(zip(names, row, strict=True)) for row in rows])
