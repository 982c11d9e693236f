"""Ids: the same whether they came as text, whole numbers or decimal ones."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, DoubleType, FloatType, LongType, StringType

from rfm_spark.app.audiences.members import listed_ids, without
from rfm_spark.ingest.rows.identifiers import (
    id_text,
    identified_customer_id,
    is_inexact_id,
    key_text,
    trimmed_text,
)


def read(spark, values, data_type, text_of):
    rows = spark.createDataFrame([(value,) for value in values], f"id {data_type.simpleString()}")
    return [row[0] for row in rows.select(text_of(F.col("id"), data_type)).collect()]


@pytest.mark.parametrize(
    ("data_type", "values", "texts"),
    [
        (LongType(), [12, None], ["12", None]),
        (DoubleType(), [12.0, 12345678.0, float("nan"), None], ["12", "12345678", None, None]),
        (FloatType(), [12.0], ["12"]),
        (DecimalType(12, 2), [Decimal("12.00")], ["12"]),
        (
            StringType(),
            [" 12.0", "-1.0", "12.00", "012.0", "12.0a", "1.12.0", "NaN", "nan", "NAN", " "],
            ["12", "-1", "12", "012", "12.0a", "1.12.0", None, None, "NAN", None],
        ),
    ],
)
def test_an_id_is_one_text_in_whatever_type_it_came(spark, data_type, values, texts):
    assert read(spark, values, data_type, id_text) == texts
    assert not any(read(spark, values, data_type, is_inexact_id))


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        (DoubleType(), [12.5, 2.0**53, float("inf"), -float("inf")]),
        (FloatType(), [2.0**24]),
        (DecimalType(12, 2), [Decimal("12.50")]),
        (StringType(), ["1.23457E+11", " 1e+07 "]),
    ],
)
def test_an_id_that_has_lost_digits_is_none(spark, data_type, values):
    assert all(read(spark, values, data_type, is_inexact_id))


def test_labels_keep_their_digits_and_keys_match(spark):
    assert read(spark, [3.0, 0.19, float("nan")], DoubleType(), trimmed_text) == ["3", "0.19", None]
    assert read(spark, [Decimal("2.50")], DecimalType(5, 2), trimmed_text) == ["2.50"]
    assert read(spark, ["3.0", " 3"], StringType(), trimmed_text) == ["3.0", "3"]
    assert read(spark, [3.0, 0.19], DoubleType(), key_text) == ["3", "0.19"]
    assert read(spark, ["3.0", "3"], StringType(), key_text) == ["3", "3"]


@pytest.mark.parametrize("guest", ["-1", "-1.0", " -1.00"])
def test_a_guest_is_the_same_id_however_it_is_written(spark, guest):
    def customers(value, data_type):
        return identified_customer_id(value, data_type, [guest])

    assert read(spark, [-1.0, 12.0], DoubleType(), customers) == [None, "12"]
    assert read(spark, ["-1.0", "-1", "12"], StringType(), customers) == [None, None, "12"]


def test_who_is_on_an_exclusion_list_is_left_out_however_the_id_is_written(spark):
    # An older release may have stored 14.0 as it came.
    customers = spark.createDataFrame(
        [(one,) for one in ("12", "13", "14.0")], "customer_id string"
    )
    listed = spark.createDataFrame([(" 12.0",), ("14.0",)], "value string")
    left = without(customers, listed_ids(listed))
    assert [row[0] for row in left.collect()] == ["13"]
