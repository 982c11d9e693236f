"""RFM: values, ratios, scores, segments and what is summed up from them."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import product

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.tables import CUSTOMER_DAYS, CUSTOMER_YEARS, RFM
from rfm_spark.transforms.rfm_results import (
    Scoring,
    cell_results,
    scored_customers,
    segment_results,
)
from rfm_spark.transforms.rfm_values import first_visits, population_means, ratios, rfm_values
from rfm_spark.transforms.scores import cell, score
from rfm_spark.transforms.segments import DEFAULT_GRID, SegmentRule, grid_problems, segment
from rfm_spark.transforms.window import Window

AS_OF = date(2026, 1, 31)
ALL = Window(None)


def day(customer, on, visits=1, net_cents=10_00):
    return {"customer_id": customer, "day": on, "visits": visits, "net_cents": net_cents}


def rfm(customer, recency_days, frequency, monetary_cents):
    return {
        "customer_id": customer,
        "recency_days": recency_days,
        "frequency": frequency,
        "monetary_cents": monetary_cents,
    }


def values_of(spark, days, window=ALL):
    return rfm_values(rows_of(spark, CUSTOMER_DAYS, days), AS_OF, window)


def test_a_return_lowers_money_but_is_not_a_visit(spark):
    days = [
        day("anna", "2026-01-02"),
        day("anna", "2026-01-20", visits=0, net_cents=-4_00),
        day("ben", "2026-01-10", visits=2, net_cents=30_00),
        day("ben", "2025-12-01", net_cents=-50_00),
    ]
    assert_rows(
        values_of(spark, days),
        [rfm("anna", 29, 1, 6_00), rfm("ben", 21, 3, -20_00)],
    )


def test_later_days_are_never_in_a_result(spark):
    days = [
        day("anna", "2026-01-31"),
        day("anna", "2026-02-01", net_cents=99_00),
        day("ben", "2026-02-01"),
        day("cleo", "2027-01-01"),
    ]
    assert_rows(values_of(spark, days), [rfm("anna", 0, 1, 10_00)])


def test_a_window_holds_the_days_after_as_of_less_n_up_to_as_of(spark):
    days = [
        day("inside", "2026-01-31"),
        day("edge", "2026-01-02"),  # as_of - 29
        day("before", "2026-01-01"),  # as_of - 30
        day("both", "2026-01-02", net_cents=1_00),
        day("both", "2026-01-01", net_cents=2_00),
    ]
    in_30_days = [rfm("inside", 0, 1, 10_00), rfm("edge", 29, 1, 10_00), rfm("both", 29, 1, 1_00)]
    assert_rows(values_of(spark, days, Window(30)), in_30_days)
    assert_rows(values_of(spark, days, Window(1)), [rfm("inside", 0, 1, 10_00)])


def test_a_window_reaches_into_the_year_before(spark):
    days = [day("anna", "2025-02-01"), day("ben", "2025-01-31")]
    assert_rows(values_of(spark, days, Window(365)), [rfm("anna", 364, 1, 10_00)])


def test_guests_and_customers_with_returns_only_are_outside_the_population(spark):
    days = [
        day(None, "2026-01-05", visits=40),
        day("returner", "2026-01-05", visits=0, net_cents=-5_00),
        day("bought_long_ago", "2024-01-05"),
        day("bought_long_ago", "2026-01-05", visits=0, net_cents=-5_00),
    ]
    assert values_of(spark, days, Window(365)).isEmpty()


def test_the_first_visit_ever_is_the_earliest_of_all_years(spark):
    years = [
        {"customer_id": "anna", "year": 2024, "first_visit": "2024-05-01"},
        {"customer_id": "anna", "year": 2023, "first_visit": "2023-07-09"},
        {"customer_id": "anna", "year": 2022, "first_visit": None},  # a return only
        {"customer_id": "returner", "year": 2024, "first_visit": None},
        {"customer_id": None, "year": 2020, "first_visit": "2020-01-01"},
    ]
    assert_rows(
        first_visits(rows_of(spark, CUSTOMER_YEARS, years)),
        [{"customer_id": "anna", "first_visit": "2023-07-09"}],
    )


def ratios_of(spark, customers, weights=(1.0, 1.0, 1.0)):
    schema = "customer_id string, recency_days int, frequency bigint, monetary_cents bigint"
    values = spark.createDataFrame([tuple(one.values()) for one in customers], schema)
    beside = values.crossJoin(population_means(values))
    return {
        row["customer_id"]: row for row in beside.select("customer_id", *ratios(weights)).collect()
    }


def test_ratios_are_to_the_average_customer(spark):
    # Means: 14 days, 2 visits, 40.00 (ben's -20.00 counts as 0).
    found = ratios_of(
        spark, [rfm("anna", 4, 3, 120_00), rfm("ben", 29, 2, -20_00), rfm("cleo", 9, 1, 0)]
    )
    assert found["anna"] == Row("anna", 3.0, 1.5, 3.0, round(13.5 ** (1 / 3), 6))
    assert found["ben"] == Row("ben", 0.5, 1.0, 0.01, round(0.005 ** (1 / 3), 6))
    assert found["cleo"] == Row("cleo", 1.5, 0.5, 0.01, round(0.0075 ** (1 / 3), 6))


def test_the_average_customer_has_ratios_of_one(spark):
    found = ratios_of(spark, [rfm("anna", 7, 2, 5_00), rfm("ben", 7, 2, 5_00)], (3.0, 1.0, 0.5))
    assert found["anna"][1:] == found["ben"][1:] == (1.0, 1.0, 1.0, 1.0)


def test_ratios_are_clipped_and_rounded(spark):
    # Means: 400 days, 1 visit, 250.00; 401/1 and 1000_00/... stay within 0.01 to 100.
    far = [rfm(f"c{n}", 500, 1, 0) for n in range(4)]
    found = ratios_of(spark, [rfm("anna", 0, 1, 1_250_00), *far])
    assert found["anna"][1:4] == (100.0, 1.0, 5.0)
    assert found["c0"][1:4] == (round(401 / 501, 6), 1.0, 0.01)


def test_a_mean_of_zero_leaves_its_ratio_out(spark):
    found = ratios_of(spark, [rfm("anna", 1, 3, -5), rfm("ben", 1, 1, 0)])
    assert found["anna"] == Row("anna", 1.0, 1.5, None, round(1.5**0.5, 6))
    assert found["ben"] == Row("ben", 1.0, 0.5, None, round(0.5**0.5, 6))


def test_the_score_weighs_the_ratios_geometrically(spark):
    customers = [rfm("anna", 4, 3, 120_00), rfm("ben", 24, 1, 40_00)]
    found = ratios_of(spark, customers, (2.0, 1.0, 0.0))
    # Ratios of anna: 15/5 = 3, 3/2 = 1.5, and money does not count.
    assert found["anna"]["rfmr_score"] == pytest.approx((3.0**2 * 1.5) ** (1 / 3), abs=1e-6)


def scores_of(spark, values, cuts, scores=5, low_is_best=False):
    rows = spark.createDataFrame([(value,) for value in values], "x bigint")
    found = rows.select("x", score(F.col("x"), cuts, scores, low_is_best).alias("score"))
    return [row["score"] for row in found.orderBy("x").collect()]


def test_bins_are_lower_inclusive(spark):
    values = [1, 2, 3, 4, 5, 100]
    assert scores_of(spark, values, [2, 3, 4, 5]) == [1, 2, 3, 4, 5, 5]


def test_recency_is_scored_the_other_way_round(spark):
    days = [0, 1, 9, 10, 11, 400]
    assert scores_of(spark, days, [1, 10, 20, 300], low_is_best=True) == [5, 4, 4, 3, 3, 1]


def test_a_cut_that_does_not_exist_is_never_passed(spark):
    assert scores_of(spark, [1, 7, 900], [2, 5, None, None]) == [1, 3, 3]
    assert scores_of(spark, [-9, 7], [None] * 4) == [1, 1]
    assert scores_of(spark, [-9, 7], [None] * 4, low_is_best=True) == [5, 5]


def test_equal_cuts_are_passed_together(spark):
    assert scores_of(spark, [1, 2], [2, 2, 2, 2]) == [1, 5]


def test_a_cell_is_the_three_digits(spark):
    row = spark.range(1).select(cell(F.lit(5), F.lit(1), F.lit(3)).alias("cell")).first()
    assert row["cell"] == "513"


EXPECTED_GRID = {
    "Champions": {(5, 4), (5, 5)},
    "Loyal": set(product((3, 4), (4, 5))),
    "Potential Loyalist": set(product((4, 5), (2, 3))),
    "New": {(5, 1)},
    "Promising": {(4, 1)},
    "Need Attention": {(3, 3)},
    "About to Sleep": {(3, 1), (3, 2)},
    "At Risk": set(product((1, 2), (3, 4))),
    "Can't Lose": set(product((1, 2), (5,))),
    "Hibernating": set(product((1, 2), (1, 2))),
}


def segments_of(spark, grid, cells, inside=True):
    rows = spark.createDataFrame(cells, "r_score int, f_score int, m_score int")
    found = rows.select("*", segment(grid, F.lit(inside)).alias("segment"))
    return {(r["r_score"], r["f_score"], r["m_score"]): r["segment"] for r in found.collect()}


def test_the_default_grid_is_that_of_the_definitions_in_all_125_cells(spark):
    cells = list(product(range(1, 6), repeat=3))
    expected = {
        (r, f, m): name
        for name, taken in EXPECTED_GRID.items()
        for r, f in taken
        for m in range(1, 6)
    }
    assert segments_of(spark, DEFAULT_GRID, cells) == expected
    returned = {cell: "Returned" if name == "New" else name for cell, name in expected.items()}
    assert segments_of(spark, DEFAULT_GRID, cells, inside=False) == returned


def test_each_of_the_25_cells_is_taken_by_exactly_one_rule():
    taken = Counter(
        (r, f, side)
        for r, f, side in product(range(1, 6), range(1, 6), ("inside", "before"))
        for rule in DEFAULT_GRID
        if rule.takes(r, f, 3, side)
    )
    assert len(taken) == 50
    assert set(taken.values()) == {1}
    assert grid_problems(DEFAULT_GRID, 5) == []
    assert all(rule.action for rule in DEFAULT_GRID)


def test_an_own_grid_may_use_money(spark):
    grid = [
        SegmentRule("Big", "Call", None, None, frozenset({4, 5})),
        SegmentRule("Small", "Write", None, None, frozenset({1, 2, 3})),
    ]
    found = segments_of(spark, grid, [(1, 1, 4), (5, 5, 3)])
    assert found == {(1, 1, 4): "Big", (5, 5, 3): "Small"}


SCORING = Scoring(
    profile="purchase",
    as_of=AS_OF,
    window=Window(30),
    scores=5,
    cuts={
        "recency": [1, 5, 10, 20],
        "frequency": [2, 3, 4, 5],
        "monetary": [0, 10_00, 20_00, None],
    },
    boundary_version=date(2026, 1, 1),
    total_weights=(100.0, 10.0, 1.0),
    ratio_weights=(1.0, 1.0, 1.0),
    grid=DEFAULT_GRID,
)


def test_a_scored_customer_has_values_scores_cell_and_segment(spark):
    days = [
        day("new", "2026-01-31", net_cents=-1),
        day("returned", "2026-01-31", net_cents=0),
        day("champion", "2026-01-31", visits=7, net_cents=500_00),
        day("asleep", "2026-01-21", visits=2, net_cents=10_00),
    ]
    years = [
        {"customer_id": "new", "year": 2026, "first_visit": "2026-01-02"},
        {"customer_id": "returned", "year": 2026, "first_visit": "2026-01-01"},
        {"customer_id": "champion", "year": 2019, "first_visit": "2019-01-01"},
        {"customer_id": "asleep", "year": 2026, "first_visit": "2026-01-21"},
    ]
    values = values_of(spark, days, SCORING.window)
    firsts = first_visits(rows_of(spark, CUSTOMER_YEARS, years))
    scored = scored_customers(values, population_means(values), firsts, SCORING)
    assert set(scored.columns) == set(RFM.column_names)
    names = ("customer_id", "rfm_cell", "rfm_total", "segment", "first_visit", "last_visit")
    rows = [
        ("new", "511", 511.0, "New", "2026-01-02", "2026-01-31"),
        ("returned", "512", 512.0, "Returned", "2026-01-01", "2026-01-31"),
        ("champion", "554", 554.0, "Champions", "2019-01-01", "2026-01-31"),
        ("asleep", "223", 223.0, "Hibernating", "2026-01-21", "2026-01-21"),
    ]
    common = {"profile": "purchase", "as_of": "2026-01-31", "boundary_version": "2026-01-01"}
    assert_rows(scored, [dict(zip(names, row, strict=True)) | common for row in rows])


def scored_row(customer, rfm_cell, name, recency_days, frequency, monetary_cents):
    return rfm(customer, recency_days, frequency, monetary_cents) | {
        "rfm_cell": rfm_cell,
        "segment": name,
    }


SCORED = [
    scored_row("anna", "555", "Champions", 1, 9, 90_00),
    scored_row("ben", "555", "Champions", 3, 7, 30_00),
    scored_row("cleo", "111", "Hibernating", 29, 1, -20_00),
    scored_row("dora", "411", "Promising", 6, 1, 0),
]


def test_all_125_cells_are_there_empty_ones_too(spark):
    found = cell_results(rows_of(spark, RFM, SCORED), SCORING, spark).collect()
    cells = {row["rfm_cell"]: row for row in found}
    assert len(found) == len(cells) == 125
    assert set(cells) == {f"{r}{f}{m}" for r, f, m in product(range(1, 6), repeat=3)}
    assert all(f"{c.r_score}{c.f_score}{c.m_score}" == name for name, c in cells.items())
    measures = ("customers", "revenue_cents", "average_recency_days", "average_frequency",
                "average_monetary_cents")  # fmt: skip
    assert [cells["555"][name] for name in measures] == [2, 120_00, 2.0, 8.0, 60_00.0]
    assert [cells["554"][name] for name in measures] == [0, 0, None, None, None]
    assert sum(row["customers"] for row in found) == len(SCORED)


def test_segments_have_shares_of_customers_and_revenue(spark):
    found = segment_results(rows_of(spark, RFM, SCORED), SCORING, spark).collect()
    assert {row["segment"] for row in found} == {rule.name for rule in DEFAULT_GRID}
    assert_rows(
        [row for row in found if row["customers"]],
        [
            {"segment": "Champions", "customers": 2, "customer_share": 0.5, "revenue_share": 1.2},
            {
                "segment": "Hibernating",
                "customers": 1,
                "customer_share": 0.25,
                "revenue_share": -0.2,
            },
            {"segment": "Promising", "customers": 1, "customer_share": 0.25, "revenue_share": 0.0},
        ],
    )
    empty = next(row for row in found if row["segment"] == "New")
    assert (empty["customer_share"], empty["revenue_share"]) == (0.0, 0.0)
    assert empty["suggested_action"].startswith("Welcome them")


def test_without_revenue_there_is_no_share_of_it(spark):
    rows = rows_of(spark, RFM, [scored_row("dora", "411", "Promising", 6, 1, 0)])
    assert {row["revenue_share"] for row in segment_results(rows, SCORING, spark).collect()} == {
        None
    }
