"""RFM results: scored customers, and what cells and segments hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import product

from support import assert_rows, rows_of
from support.sessions import as_in_use

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.grids import LIFECYCLE_5, LIFECYCLE_11
from rfm_spark.results.rfm.populations import population_aggregates, population_of
from rfm_spark.results.rfm.scoring import (
    Scoring,
    cell_results,
    cell_sums,
    scored_customers,
    segment_results,
)
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.results.rfm.values import Basis, rfm_values

AS_OF = date(2026, 1, 31)


def day(customer, on, visits=1, net_cents=10_00):
    return {"customer_id": customer, "day": on, "visits": visits, "net_cents": net_cents}


SCORING = Scoring(
    profile="purchase",
    as_of=AS_OF,
    basis=Basis(LookBack(30)),
    scores=5,
    cuts=CutPoints.plain(
        {
            "recency": [1, 5, 10, 20],
            "frequency": [2, 3, 4, 5],
            "monetary": [0, 10_00, 20_00, None],
        }
    ),
    boundary_version=date(2026, 1, 1),
    total_weights=(100.0, 10.0, 1.0),
    ratio_weights=(1.0, 1.0, 1.0),
    grid=LIFECYCLE_11,
)


def test_a_scored_customer_has_values_scores_cell_and_segment(spark):
    days = [
        day("new", "2026-01-31", net_cents=-1),
        day("returned", "2026-01-31", net_cents=0),
        day("returned", "2026-01-01"),
        day("champion", "2026-01-31", visits=7, net_cents=500_00),
        day("asleep", "2026-01-21", visits=2, net_cents=10_00),
    ]
    years = [{"customer_id": "champion", "year": 2019, "first_visit": "2019-01-01"}]
    facts = rows_of(spark, CUSTOMER_DAYS, days), rows_of(spark, CUSTOMER_YEARS, years)
    sums = customer_sums(CustomerFacts(*facts), AS_OF, [*SCORING.basis.asks()])
    values = rfm_values(sums, AS_OF, SCORING.basis)
    population = population_of(values.agg(*population_aggregates()).first())
    scored = scored_customers(values, population, SCORING)
    assert set(scored.columns) == set(RFM.column_names)
    names = ("customer_id", "rfm_cell", "rfm_total", "segment", "first_visit", "last_visit")
    rows = [
        ("new", "511", 511.0, "New", "2026-01-31", "2026-01-31"),
        ("returned", "512", 512.0, "Returned", "2026-01-01", "2026-01-31"),
        ("champion", "554", 554.0, "Champions", "2019-01-01", "2026-01-31"),
        ("asleep", "223", 223.0, "Hibernating", "2026-01-21", "2026-01-21"),
    ]
    common = {"profile": "purchase", "as_of": "2026-01-31", "boundary_version": "2026-01-01"}
    assert_rows(scored, [dict(zip(names, row, strict=True)) | common for row in rows])


def test_the_jvm_compiles_the_code_that_scores(spark, capsys):
    """Of a longer method it compiles nothing, and Spark gives the code of the whole step up."""
    values = spark.range(1).selectExpr(
        "string(id) AS customer_id",
        "int(id) AS recency_days",
        *[f"id AS {name}" for name in ("frequency", "value_units", "monetary_cents")],
        *[f"date_add('2026-01-01', int(id)) AS {name}" for name in ("first_visit", "last_visit")],
    )
    population = population_of(values.agg(*population_aggregates()).first())
    with as_in_use(spark):
        scored_customers(values, population, SCORING).explain(mode="codegen")
    [size] = re.findall(r"maxMethodCodeSize:(\d+)", capsys.readouterr().out)
    assert int(size) < 5_000, "of 8,000; what writes the rows is in the same method"


def scored_row(customer, rfm_cell, name, recency_days, frequency, monetary_cents):
    return {
        "profile": "purchase",
        "customer_id": customer,
        "rfm_cell": rfm_cell,
        "segment": name,
        "recency_days": recency_days,
        "frequency": frequency,
        "monetary_cents": monetary_cents,
    }


SCORED = [
    scored_row("anna", "555", "Champions", 1, 9, 90_00),
    scored_row("ben", "555", "Champions", 3, 7, 30_00),
    scored_row("cleo", "111", "Hibernating", 29, 1, -20_00),
    scored_row("dora", "411", "Promising", 6, 1, 0),
    {**scored_row("anna", "555", "Champions", 1, 2, 70_00), "profile": "another"},
]


def sums_of(spark, rows):
    found = cell_sums(rows_of(spark, RFM, rows)).collect()
    return [row for row in found if row["profile"] == SCORING.profile]


def test_all_125_cells_are_there_empty_ones_too(spark):
    found = cell_results(sums_of(spark, SCORED), SCORING)
    cells = {row["rfm_cell"]: row for row in found}
    assert len(found) == len(cells) == 125
    assert set(cells) == {f"{r}{f}{m}" for r, f, m in product(range(1, 6), repeat=3)}
    assert all(f"{c['r_score']}{c['f_score']}{c['m_score']}" == n for n, c in cells.items())
    measures = ("customers", "revenue_cents", "average_recency_days", "average_frequency",
                "average_monetary_cents")  # fmt: skip
    assert [cells["555"][name] for name in measures] == [2, 120_00, 2.0, 8.0, 60_00.0]
    assert [cells["554"][name] for name in measures] == [0, 0, None, None, None]
    assert sum(row["customers"] for row in found) == len(SCORED) - 1


def test_a_cell_names_its_segment_and_both_where_the_first_visit_decides():
    segments = {row["rfm_cell"]: row["segment"] for row in cell_results([], SCORING)}
    assert (segments["555"], segments["215"], segments["333"]) == (
        "Champions",
        "Hibernating",
        "Need Attention",
    )
    assert {segments[f"51{m}"] for m in range(1, 6)} == {"New / Returned"}
    assert sum(" / " in name for name in segments.values()) == 5


def test_where_the_window_is_all_history_nobody_came_before_it():
    ever = replace(SCORING, basis=Basis(LookBack(None)))
    segments = {row["rfm_cell"]: row["segment"] for row in cell_results([], ever)}
    assert segments["511"] == "New"
    assert not any("Returned" in name for name in segments.values())


def test_a_segment_of_several_rules_is_one_row():
    found = segment_results([], replace(SCORING, grid=LIFECYCLE_5))
    names = [row["segment"] for row in found]
    assert names == ["New", "Active", "At Risk", "Lapsed", "Lost"]
    assert found[1]["suggested_action"].startswith("Keep them coming")


def test_segments_have_shares_of_customers_and_revenue(spark):
    found = segment_results(sums_of(spark, SCORED), SCORING)
    assert {row["segment"] for row in found} == {rule.name for rule in LIFECYCLE_11.rules}
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
    sums = sums_of(spark, [scored_row("dora", "411", "Promising", 6, 1, 0)])
    assert {row["revenue_share"] for row in segment_results(sums, SCORING)} == {None}


def test_revenue_below_zero_is_part_of_the_whole(spark):
    rows = [
        scored_row("anna", "555", "Champions", 1, 9, 60_00),
        scored_row("cleo", "111", "Hibernating", 29, 1, -20_00),
        scored_row("dora", "112", "Hibernating", 29, 1, 10_00),
    ]
    shares = {
        row["segment"]: (row["revenue_cents"], row["revenue_share"])
        for row in segment_results(sums_of(spark, rows), SCORING)
    }
    assert shares["Champions"] == (60_00, 1.2)
    assert shares["Hibernating"] == (-10_00, -0.2)
