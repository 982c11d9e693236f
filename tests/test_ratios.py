"""RFMR: the average customer of a population, and ratios to it."""

from __future__ import annotations

import pytest
from pyspark.sql import Row

from rfm_spark.results.rfm.populations import population_aggregates, population_of
from rfm_spark.results.rfm.ratios import ratios, rfmr_score


def rfm(customer, recency_days, frequency, value_units):
    return (customer, recency_days, frequency, value_units)


def rows_of_values(spark, customers):
    schema = "customer_id string, recency_days int, frequency bigint, value_units bigint"
    return spark.createDataFrame(customers, schema)


def test_a_population_is_told_by_its_spans_and_its_average_customer(spark):
    values = rows_of_values(
        spark, [rfm("anna", 1, 3, 50_00), rfm("ben", 11, 1, -20_00), rfm("cleo", 31, 2, 10_00)]
    )
    found = population_of(values.agg(*population_aggregates()).first())
    assert found.customers == 3
    assert found.spans == {
        "recency_days": (1, 31),
        "frequency": (1, 3),
        "value_units": (-20_00, 50_00),
    }
    means = (found.mean_recency, found.mean_frequency, found.mean_value)
    assert means == ((1 + 11 + 31) / 3, 2.0, 20_00.0)  # ben's money counts as 0


def test_values_whose_sum_no_bigint_holds_have_their_mean(spark):
    most = 2**63 - 1
    values = rows_of_values(spark, [rfm("anna", 1, 1, most), rfm("ben", 1, 1, most - 2)])
    assert population_of(values.agg(*population_aggregates()).first()).mean_value == float(most)


def ratios_of(spark, customers, weights=(1.0, 1.0, 1.0)):
    values = rows_of_values(spark, customers)
    population = population_of(values.agg(*population_aggregates()).first())
    three = values.select("customer_id", *ratios(population))
    found = three.withColumn("rfmr_score", rfmr_score(weights)).collect()
    return {row["customer_id"]: row for row in found}


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
    # Means: 400 days, 1 visit, 250.00. The recency ratio of anna would be 401.
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
