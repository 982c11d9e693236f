"""Cohorts by attributes of their members add up to those of all, and are those of each alone."""

from __future__ import annotations

from datetime import date

import pytest
from support import assert_rows, rows_of
from support.cohorts import FIRST_VISIT, facts_of
from support.receipts import sums
from support.shop import EVERYTHING, Shop, click, person, some_lines, stored

from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.cohorts.activity import CELL, cells
from rfm_spark.results.cohorts.cuts import KEY, cube, cut_columns, cut_problems, uncut
from rfm_spark.results.cohorts.members import DAY_KEY, members, members_by_day
from rfm_spark.results.cohorts.periods import Periods
from rfm_spark.results.cohorts.retention import cohorts, data_begin

AS_OF = date(2026, 3, 31)
CUTS = ("city", "age group")
DAYS = [
    ("anna", "2026-01-05", 10_00), ("anna", "2026-02-10", 5_00), ("ben", "2026-01-31", 30_00),
    ("cleo", "2026-01-15", 10_00), ("cleo", "2026-03-28", 15_00), ("dora", "2026-03-03", 8_00),
]  # fmt: skip
PEOPLE = {"anna": ("Ulm", "30"), "ben": ("Ulm", "40"), "cleo": ("Bonn", None)}


BY_MONTH = (Periods("month", "monday"),)


def cut_cohorts(spark, as_of=AS_OF, periods=BY_MONTH):
    days = [
        {"customer_id": customer, "day": day, "visits": 1, "net_cents": cents}
        for customer, day, cents in DAYS
    ]
    people = [
        {"customer_id": name, "delivery": "d", "attributes": dict(zip(CUTS, values, strict=True))}
        for name, values in PEOPLE.items()
    ]
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, days), None, rows_of(spark, CUSTOMERS, people))
    followed, by = [FIRST_VISIT], cut_columns(CUTS)
    known = members(facts, as_of, followed, cuts=CUTS)
    by_day = members_by_day(known, followed, by)
    found = cells(facts.days, None, known, as_of, followed, periods, by)
    begin = data_begin(facts.years, None)
    whole = cohorts(
        uncut(found, CUTS, CELL), uncut(by_day, CUTS, DAY_KEY), begin, as_of, followed, periods
    )
    cut = cohorts(
        cube(found, CUTS, CELL), cube(by_day, CUTS, DAY_KEY), begin, as_of, followed, periods, KEY
    )
    return whole, cut


def test_every_attribute_and_all_together_cut_the_same_customers(spark):
    whole, cut = cut_cohorts(spark)
    cut.persist()
    names = ("cut", "value", "period_index", "cohort_size", "active", "revenue_cents")
    assert_rows(
        cut.where("cohort = '2026-01-01' AND period_index < 2"),
        sums(
            names,
            ("city", "Ulm", 0, 2, 2, 40_00), ("city", "Ulm", 1, 2, 1, 5_00),
            ("city", "Bonn", 0, 1, 1, 10_00), ("city", "Bonn", 1, 1, 0, 0),
            ("age group", "30", 0, 1, 1, 10_00), ("age group", "30", 1, 1, 1, 5_00),
            ("age group", "40", 0, 1, 1, 30_00), ("age group", "40", 1, 1, 0, 0),
            ("age group", "unknown", 0, 1, 1, 10_00), ("age group", "unknown", 1, 1, 0, 0),
            ("city x age group", "Ulm x 30", 0, 1, 1, 10_00),
            ("city x age group", "Ulm x 30", 1, 1, 1, 5_00),
            ("city x age group", "Ulm x 40", 0, 1, 1, 30_00),
            ("city x age group", "Ulm x 40", 1, 1, 0, 0),
            ("city x age group", "Bonn x unknown", 0, 1, 1, 10_00),
            ("city x age group", "Bonn x unknown", 1, 1, 0, 0),
        ),
    )  # fmt: skip
    assert list(cut_problems(whole, cut)) == []
    assert list(cut_problems(whole, cut.where("value <> 'Bonn'"))) == [
        "3 cells by city are not those of all customers"
    ]


def test_a_value_is_not_taken_for_none_or_for_several(spark):
    rows = spark.createDataFrame(
        [("unknown", "b", 1), (None, "b", 2), ("a x b", "c", 4), ("a", "b x c", 8)],
        "cut_0 string, cut_1 string, n long",
    )
    told = {(row["cut"], row["value"]): row["n"] for row in cube(rows, CUTS, ()).collect()}
    assert told["city", '"unknown"'] == 1
    assert told["city", "unknown"] == 2
    assert told["city x age group", '"a x b" x c'] == 4
    assert told["city x age group", 'a x "b x c"'] == 8


def test_cuts_add_up_where_some_values_have_not_begun_a_period(spark):
    own = (Periods("month", "monday", span_days=28), Periods("month", "monday", last_days=(0, 40)))
    whole, cut = cut_cohorts(spark, date(2026, 2, 12), own)  # ben began on the last of January
    assert list(cut_problems(whole, cut)) == []
    wrong = cut.withColumn("begun", cut["begun"] + 1)
    assert list(cut_problems(whole, wrong)) != []


@pytest.mark.parametrize("limit", [None, 3])
def test_cuts_of_a_shop(run, cli, tmp_path, capsys, limit):
    shop = Shop(tmp_path)
    shop.config.write_text(
        EVERYTHING.replace("[cohorts]", "[cohorts]\ncuts = ['city']"), encoding="utf-8"
    )
    shop.csv("receipts1.csv", some_lines())
    shop.csv("clicks1.csv", [click("k1", "c1", "2025-01-02")])
    shop.csv(
        "customers1.csv", [person("c0", "Ulm", "2025-02-01"), person("c1", "Bonn", "2025-01-01")]
    )
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    where = ("--config", shop.config, "--warehouse", shop.warehouse)
    if limit:
        assert cli("cohorts", *where, "--set", f"cohorts.max_cut_cells={limit}") == 2
        assert "city make" in " ".join(capsys.readouterr().err.split())
        assert not (shop.warehouse / "cohorts").exists()
        return
    run(shop.config, shop.raw, shop.warehouse, "cohorts")
    cut = stored(shop.warehouse, "cohort_cuts")
    assert {row["value"] for row in cut} == {"Ulm", "Bonn", "unknown"}
    run(shop.config, shop.raw, shop.warehouse, "cohorts", overrides=["cohorts.cuts=[]"])
    assert stored(shop.warehouse, "cohort_cuts") == []
