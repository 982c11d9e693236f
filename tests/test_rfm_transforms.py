"""RFM: values and scores."""

from __future__ import annotations

from datetime import date

from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import RECEIPT_VALUES, Ask
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.facts.transforms import customer_years
from rfm_spark.results.rfm.cut_points import EVERYBODY
from rfm_spark.results.rfm.scores import cell, score
from rfm_spark.results.rfm.values import Basis, rfm_values

AS_OF = date(2026, 1, 31)
ALL = LookBack(None)


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
    rows = rows_of(spark, CUSTOMER_DAYS, days)
    sums = customer_sums(
        CustomerFacts(rows, customer_years(rows)), AS_OF, [Ask(window, RECEIPT_VALUES)]
    )
    return rfm_values(sums, AS_OF, Basis(window))


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
    assert_rows(values_of(spark, days, LookBack(30)), in_30_days)
    assert_rows(values_of(spark, days, LookBack(1)), [rfm("inside", 0, 1, 10_00)])


def test_a_window_reaches_into_the_year_before(spark):
    days = [day("anna", "2025-02-01"), day("ben", "2025-01-31")]
    assert_rows(values_of(spark, days, LookBack(365)), [rfm("anna", 364, 1, 10_00)])


def test_guests_and_customers_with_returns_only_are_outside_the_population(spark):
    days = [
        day(None, "2026-01-05", visits=40),
        day("returner", "2026-01-05", visits=0, net_cents=-5_00),
        day("bought_long_ago", "2024-01-05"),
        day("bought_long_ago", "2026-01-05", visits=0, net_cents=-5_00),
    ]
    assert values_of(spark, days, LookBack(365)).isEmpty()


def scores_of(spark, values, cuts, scores=5, low_is_best=False):
    rows = spark.createDataFrame([(value,) for value in values], "x bigint")
    found = rows.select(
        "x", score(F.col("x"), {EVERYBODY: cuts}, scores, low_is_best).alias("score")
    )
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
