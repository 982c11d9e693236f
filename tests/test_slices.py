"""Slices: some days of a table, however it is partitioned."""

from __future__ import annotations

from datetime import date

from pyspark.sql import functions as F

from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.storage.slices import MAX_SPANS, day_slice


def days_in(spark, table, column, part, days):
    """Of some days, those whose rows lie in the slice."""
    frame = spark.createDataFrame([(day,) for day in days], f"{column} date").select(
        column,
        F.year(column).alias("year"),
        F.date_format(column, "yyyy-MM").alias("month"),
    )
    return {row[0] for row in frame.where(part.condition(table)).collect()}


def test_a_slice_of_days_holds_just_these_days_in_every_layout(spark):
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 2), date(2026, 1, 1)]
    wanted = {days[0], days[2]}
    for table in (RECEIPTS, CUSTOMER_DAYS):
        part = day_slice(table, wanted)
        column = "business_date" if table is RECEIPTS else "day"
        assert days_in(spark, table, column, part, days) == wanted
    # The facts' slice, asked of the receipts they are made from, which lie by month.
    by_year = day_slice(CUSTOMER_DAYS, wanted)
    assert days_in(spark, RECEIPTS, "business_date", by_year, days) == wanted
    whole = day_slice(CUSTOMER_YEARS, [days[1]]).whole()
    assert days_in(spark, CUSTOMER_DAYS, "day", whole, days) == {days[1], days[2]}
    assert days_in(spark, RECEIPTS, "business_date", whole, days) == {days[1], days[2]}


def test_runs_of_days_are_told_by_their_ends(spark):
    january = [date(2025, 1, day) for day in range(1, 32)]
    asked = [*january[20:], date(2025, 2, 1), date(2025, 2, 2), date(2025, 4, 1)]
    days = [*january, *asked, date(2025, 2, 3), date(2025, 3, 31), date(2024, 1, 31)]
    for table in (RECEIPTS, CUSTOMER_DAYS):
        column = "business_date" if table is RECEIPTS else "day"
        assert days_in(spark, table, column, day_slice(table, asked), days) == set(asked)
    by_year = day_slice(CUSTOMER_DAYS, asked)
    assert len(by_year.spans[2025]) == 2
    assert days_in(spark, RECEIPTS, "business_date", by_year, days) == set(asked)
    assert day_slice(RECEIPTS, january).spans == {"2025-01": None}
    assert day_slice(CUSTOMER_DAYS, january).spans == {2025: ((january[0], january[-1]),)}


def test_many_runs_of_days_are_a_slice_of_whole_months(spark):
    months = [*((2024, month) for month in range(1, 13)), (2025, 2), (2025, 5)]
    many = {date(year, month, day) for year, month in months for day in (3, 14, 28)}
    assert len(many) > MAX_SPANS
    inside = {date(2024, 2, 29), date(2025, 2, 1), date(2025, 5, 31)}
    outside = {date(2023, 12, 31), date(2025, 1, 31), date(2025, 3, 1), date(2025, 6, 1)}
    for table in (RECEIPTS, CUSTOMER_DAYS):
        column = "business_date" if table is RECEIPTS else "day"
        found = days_in(spark, table, column, day_slice(table, many), many | inside | outside)
        assert found == many | inside
    by_year = day_slice(CUSTOMER_DAYS, many)
    assert by_year.spans[2024] is None
    found = days_in(spark, RECEIPTS, "business_date", by_year, many | inside | outside)
    assert found == many | inside
