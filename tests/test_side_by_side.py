"""Queries side by side: in order, and none goes on where one has failed."""

from __future__ import annotations

import threading
import time

import pytest
from pyspark.sql import functions as F

from rfm_spark.core.side_by_side import side_by_side


def test_what_is_found_comes_in_the_order_of_the_things(spark):
    def last(rows: int) -> int:
        time.sleep(0.2 if rows == 1 else 0)
        return spark.range(rows).agg(F.max("id")).first()[0]

    assert side_by_side(spark, last, [1, 5, 3, 9, 7]) == [0, 4, 2, 8, 6]
    assert side_by_side(spark, last, [4]) == [3]


def test_several_are_worked_on_at_once(spark):
    both_are_here = threading.Barrier(2, timeout=30)

    def meet(rows: int) -> int:
        both_are_here.wait()
        return spark.range(rows).count()

    assert side_by_side(spark, meet, [2, 3]) == [2, 3]


@pytest.mark.parametrize("things", [[0, 1, 2, 3, 4, 5], [1, 2, 3, 0, 4, 5]])
def test_where_one_fails_the_queries_of_others_are_cancelled_and_so_are_later_ones(spark, things):
    done: list[int] = []

    def work(rows: int) -> int:
        if rows == 0:
            raise ValueError("this one")
        for _ in range(1_000):
            spark.range(rows).count()
        done.append(rows)
        return rows

    with pytest.raises(ValueError, match="this one"):
        side_by_side(spark, work, things)
    assert done == []
    assert spark.range(3).count() == 3


def test_what_was_set_for_queries_holds_for_those_of_all_and_stays(spark):
    context = spark.sparkContext
    context.setLocalProperty("who", "asks")

    def told(rows: int) -> str:
        spark.range(rows).count()
        return context.getLocalProperty("who")

    try:
        assert side_by_side(spark, told, [1, 2, 3]) == ["asks"] * 3
        assert not context.getJobTags()
    finally:
        context.setLocalProperty("who", None)
