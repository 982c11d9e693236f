"""The reference computation itself: worked examples, brute force and published facts."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
import reference

# 100 customers by visits: half came once. Sizes 50, 20, 10, 10, 5, 5.
VISITS = [1] * 50 + [2] * 20 + [3] * 10 + [4] * 10 + [5] * 5 + [10] * 5


def test_a_quantile_cut_is_the_smallest_value_with_enough_customers_below():
    # Below 2, 3, 4, 5, 10 are 50, 70, 80, 90, 95 customers; 20, 40, 60 and 80 are asked for.
    assert reference.quantile_cuts(VISITS, 5) == [2, 2, 3, 4]
    assert reference.score_ascending([1, 2, 3, 4, 5, 10], [2, 2, 3, 4]).tolist() == [
        1, 3, 4, 5, 5, 5,
    ]  # fmt: skip


def test_quantile_cuts_of_different_values_are_even():
    values = list(range(10))
    assert reference.quantile_cuts(values, 5) == [2, 4, 6, 8]
    assert reference.score_ascending(values, [2, 4, 6, 8]).tolist() == [
        1, 1, 2, 2, 3, 3, 4, 4, 5, 5,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "cuts", "scores"),
    [
        ([7, 7, 7], [None, None, None, None], [1, 1, 1]),
        ([1, 2, 2, 2, 2], [2, None, None, None], [1, 2, 2, 2, 2]),
        ([1] * 9 + [2], [2, 2, 2, 2], [1] * 9 + [5]),
    ],
)
def test_a_quantile_cut_that_does_not_exist_is_never_passed(values, cuts, scores):
    assert reference.quantile_cuts(values, 5) == cuts
    assert reference.score_ascending(values, cuts).tolist() == scores


def test_balanced_cuts_merge_the_neighbours_that_leave_sizes_nearest_to_equal():
    # Five bins merge one pair of neighbours; against 20 a bin, 5+5 costs 1200, 10+5 costs 1250.
    assert reference.balanced_cuts(VISITS, 5) == [2, 3, 4, 5]


def test_of_equally_balanced_cuts_the_lexicographically_smallest_wins():
    # One bin of three holds two of the four customers, whichever it is.
    assert reference.balanced_cuts([10, 20, 30, 40], 3) == [20, 30]


@pytest.mark.parametrize(
    ("values", "cuts", "scores"),
    [
        ([4, 4, 4], [None, None, None, None], [1, 1, 1]),
        ([1, 1, 2], [2, 2, 2, 2], [1, 1, 5]),
        ([1, 2, 3], [2, 2, 3, 3], [1, 3, 5]),
        ([1, 2, 3, 4], [2, 3, 4, 4], [1, 2, 3, 5]),
        ([1, 2, 3, 4, 5], [2, 3, 4, 5], [1, 2, 3, 4, 5]),
    ],
)
def test_fewer_values_than_scores_are_spread_from_worst_to_best(values, cuts, scores):
    assert reference.balanced_cuts(values, 5) == cuts
    assert reference.score_ascending(values, cuts).tolist() == scores


def test_recency_counts_cuts_down_from_the_best_score():
    cuts = reference.quantile_cuts([0, 1, 2, 3, 4], 5)
    assert reference.score_descending([0, 1, 2, 3, 4], cuts).tolist() == [5, 4, 3, 2, 1]
    assert reference.score_descending([9, 9], reference.balanced_cuts([9, 9], 5)).tolist() == [5, 5]


@pytest.mark.parametrize("seed", range(40))
def test_balanced_cuts_are_those_of_brute_force(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(3, 7))
    top = int(random.integers(1, 15))
    values = random.integers(0, top, size=int(random.integers(1, 60)))
    cuts = reference.balanced_cuts(values, n)
    assert cuts == reference.brute_force_balanced_cuts(values, n)
    assert len(cuts) == n - 1


@pytest.mark.parametrize("method", ["quantile", "balanced"])
def test_neither_order_nor_copies_of_the_population_move_a_cut(method):
    values = np.random.default_rng(7).geometric(0.2, size=200)
    cuts = reference.cut_points(values, method, 5)
    assert reference.cut_points(values[::-1], method, 5) == cuts
    assert reference.cut_points(np.repeat(values, 3), method, 5) == cuts


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(ValueError, match="'halves' has no reference"):
        reference.cut_points([1, 2], "halves", 5)


@pytest.fixture
def shop() -> duckdb.DuckDBPyConnection:
    """Anna comes, returns and comes again, Ben came once long ago, Carl only returned; a guest."""
    con = duckdb.connect()
    con.execute("""
        CREATE TABLE receipts AS
        SELECT *, net_cents AS gross_cents, 1 AS items, 1 AS lines, false AS has_promotion,
               NOT is_visit AS is_return
        FROM (VALUES
            ('1', 'anna', DATE '2026-01-05', 1000, true),
            ('2', 'anna', DATE '2026-01-20', -400, false),
            ('3', 'anna', DATE '2026-03-02', 3000, true),
            ('4', 'ben', DATE '2026-01-10', 2000, true),
            ('5', 'carl', DATE '2026-03-03', -700, false),
            ('6', NULL, DATE '2026-03-04', 500, true),
            ('7', 'ben', DATE '2026-04-01', 900, true)
        ) AS shop(receipt_id, customer_id, business_date, net_cents, is_visit)
    """)
    con.execute("""
        CREATE TABLE lines AS SELECT *, 'food' AS category FROM receipts;
        CREATE TABLE raw_counts AS
        SELECT count(*) AS raw_receipts, CAST(sum(net_cents) AS BIGINT) AS raw_net_cents,
               0 AS rejected_receipts, 0 AS rejected_net_cents, 0 AS superseded_receipts,
               0 AS superseded_net_cents
        FROM receipts;
    """)
    return con


def test_returns_lower_money_and_later_receipts_are_not_seen(shop):
    frame = reference.rfm(shop, date(2026, 3, 15), None)
    columns = ["customer_id", "recency_days", "frequency", "monetary_cents", "rfm_cell", "segment"]
    # Of two customers one is below the larger value: enough for the first two quantile cuts only.
    assert frame[columns].to_numpy().tolist() == [
        ["anna", 13, 2, 3600, "553", "Champions"],
        ["ben", 64, 1, 2000, "311", "About to Sleep"],
    ]


def test_a_day_without_customers_gives_an_empty_result(shop):
    assert reference.rfm(shop, date(2025, 1, 1), 365).empty
    assert reference.cohorts(shop, date(2025, 1, 1), "month").empty
    assert reference.features(shop, date(2025, 1, 1), 365).empty


def test_the_segment_grid_covers_every_cell_and_knows_who_came_before():
    cells = [reference.segment_of(r, f, True) for r in range(1, 6) for f in range(1, 6)]
    assert [cells[i : i + 5] for i in range(0, 25, 5)] == [
        ["Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"],
        ["Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"],
        ["About to Sleep", "About to Sleep", "Need Attention", "Loyal", "Loyal"],
        ["Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"],
        ["New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"],
    ]
    assert reference.segment_of(5, 1, False) == "Returned"


def test_ratios_compare_with_the_average_customer(shop):
    anna, ben = reference.rfm(shop, date(2026, 3, 15), None).to_dict("records")
    assert anna["recency_ratio"] == round(39.5 / 14, 6)
    assert ben["frequency_ratio"] == round(1 / 1.5, 6)
    assert ben["monetary_ratio"] == round(2000 / 2800, 6)
    product = anna["recency_ratio"] * anna["frequency_ratio"] * anna["monetary_ratio"]
    assert anna["rfmr_score"] == pytest.approx(product ** (1 / 3), rel=1e-12)


def test_every_cent_is_accounted_for(shop):
    assert reference.reconciliation(shop, date(2026, 3, 15), 31) == {
        "raw": (7, 6300),
        "rejected": (0, 0),
        "dropped": (0, 0),
        "superseded": (0, 0),
        "void": (0, 0),
        "guests": (1, 500),
        "outside_window": (4, 3500),
        "unscored": (1, -700),
        "scored": (1, 3000),
    }


def test_a_running_period_has_no_retention_and_a_skipped_one_is_zero(shop):
    frame = reference.cohorts(shop, date(2026, 3, 15), "month")
    columns = ["period_index", "eligible", "active", "active_so_far", "retained", "reactivated",
               "skipped", "revenue_cents"]  # fmt: skip
    assert set(frame["cohort"]) == {date(2026, 1, 1)}
    assert frame[columns].to_numpy().tolist() == [
        [0, 2, 2, 2, 0, 0, 0, 2600],
        [1, 2, 0, 0, 0, 0, 2, 0],
        [2, 0, 0, 1, 0, 1, 0, 3000],
    ]
    assert frame["retention"].tolist()[:2] == [1.0, 0.0]
    assert math.isnan(frame["retention"].tolist()[2])
    assert frame["is_left_censored"].all()


def test_a_week_begins_on_the_configured_day(shop):
    monday = reference.cohorts(shop, date(2026, 1, 31), "week")
    sunday = reference.cohorts(shop, date(2026, 1, 31), "week", week_start="sunday")
    assert set(monday["cohort"]) == {date(2026, 1, 5)}
    assert set(sunday["cohort"]) == {date(2026, 1, 4)}
    assert monday["period_index"].max() == 3


def test_one_visit_day_has_the_window_as_its_gap(shop):
    anna, ben = reference.features(shop, date(2026, 3, 15), None).to_dict("records")
    assert (anna["visit_gap_days"], ben["visit_gap_days"]) == (56.0, 70.0)
    assert (anna["tenure_days"], anna["return_share"]) == (69.0, 1 / 3)


def loaded(dataset: str, folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    reference.receipts(con, dataset, folder)
    reference.customer_days(con)
    return con


def only_row(con: duckdb.DuckDBPyConnection, query: str) -> tuple:
    (row,) = con.execute(query).fetchall()
    return row


def test_cdnow_has_the_published_totals(shared_data):
    con = loaded("cdnow", shared_data)
    assert only_row(
        con,
        "SELECT count(*), count(DISTINCT receipt_id), count(DISTINCT customer_id), "
        "sum(net_cents), sum(items), count(*) FILTER (is_visit) FROM receipts",
    ) == (69_659, 69_659, 23_570, 2_500_315_63, 167_881, 69_659)
    assert only_row(con, "SELECT count(*) FROM customer_days") == (67_591,)
    assert len(reference.rfm(con, date(1998, 6, 30), None)) == 23_570


def test_online_retail_keeps_one_version_of_the_invoices_in_both_files(shared_data):
    con = loaded("online_retail_ii", shared_data)
    counts = con.execute("SELECT * FROM raw_counts").df().iloc[0]
    assert (counts["raw_rows"], counts["rejected_rows"]) == (1_067_371, 6)
    assert counts["superseded_receipts"] == 1_088
    assert only_row(con, "SELECT count(*) FROM raw_lines WHERE customer_id IS NULL") == (243_007,)
    assert only_row(con, "SELECT count(*) FROM raw_lines WHERE returned") == (22_950,)
    assert only_row(con, "SELECT count(*) FROM receipts WHERE receipt_id LIKE 'C%'") == (8_292,)
    assert only_row(con, "SELECT count(*), sum(lines) FROM receipts") == (
        54_716 - 6 - 1_088,
        1_067_371 - 6 - 22_523,
    )
    terms = reference.reconciliation(con, date(2011, 12, 9), 365)
    assert terms["rejected"] == (6, -147_614_08)


def test_the_complete_journey_has_the_published_rows_on_the_shops_own_days(shared_data):
    con = loaded("complete_journey", shared_data)
    assert only_row(con, "SELECT raw_rows FROM raw_counts") == (1_469_307,)
    assert only_row(
        con, "SELECT count(DISTINCT customer_id), count(*) FILTER (is_return) FROM receipts"
    ) == (2_469, 0)
    assert only_row(con, "SELECT count(*) FROM lines WHERE category = 'unknown'") == (4_836,)
    assert only_row(
        con,
        "SELECT count(*) FROM raw_rows JOIN receipts ON receipt_id = CAST(basket_id AS VARCHAR) "
        "WHERE business_date <> CAST(timezone('UTC', transaction_ts) AS DATE)",
    ) == (250_533,)
    assert only_row(con, "SELECT min(day), max(day) FROM customer_days") == (
        date(2017, 1, 1),
        date(2017, 12, 31),
    )
