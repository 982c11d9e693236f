"""A Bloom filter loses nobody, and lets through what its formula says."""

from __future__ import annotations

import math

import pytest
from pyspark.sql import functions as F

from rfm_spark.core import bloom_filter
from rfm_spark.core.bloom_filter import may_match

COLUMNS = ("customer_id", "day")
ROWS, EACH = 40_000, 8
"""Of so many rows each eighth has a partner."""


@pytest.fixture
def pairs(spark):
    """Rows `customer_id`, `day`, `amount`, and the keys of each eighth of them."""
    day = F.date_add(F.lit("2024-01-01").cast("date"), (F.col("id") % 365).cast("int"))
    rows = spark.range(ROWS).select(
        (F.col("id") - ROWS // 2).alias("customer_id"), day.alias("day"), F.lit(1).alias("amount")
    )
    return rows, rows.where(F.col("customer_id") % EACH == 0).select(*COLUMNS)


def test_all_that_match_are_left_and_hardly_any_others(pairs):
    rows, keys = pairs
    found = may_match(rows, keys, COLUMNS)
    assert found.columns == rows.columns
    matching = ROWS // EACH
    assert found.join(keys, list(COLUMNS)).count() == matching
    assert matching <= found.count() <= matching + 10


def test_a_filter_that_is_small_for_its_keys_lets_through_what_its_formula_says(pairs, monkeypatch):
    monkeypatch.setattr(bloom_filter, "_WORDS", words := 2**7)
    rows, keys = pairs
    found = may_match(rows, keys, COLUMNS)
    matching = ROWS // EACH
    assert found.join(keys, list(COLUMNS)).count() == matching
    let_through = (found.count() - matching) / (ROWS - matching)
    assert let_through == pytest.approx(1 - math.exp(-matching / (words * 64)), abs=0.02)


def test_a_row_without_a_key_is_nobodys_partner(spark):
    rows = spark.sql("SELECT * FROM VALUES (1L, 2), (NULL, 2), (3L, NULL) AS t(customer_id, day)")
    keys = rows.where("customer_id = 1")
    assert [tuple(row) for row in may_match(rows, keys, COLUMNS).collect()] == [(1, 2)]


def test_nothing_is_left_of_rows_that_look_for_no_keys(pairs):
    rows, keys = pairs
    assert may_match(rows, keys.where("false"), COLUMNS).count() == 0
