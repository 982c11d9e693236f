"""How regularly customers come, who is lost by days and by the own rhythm, and what that costs."""

from __future__ import annotations

import random
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from reference.rhythm import rhythm, second_purchases
from support import assert_rows, rows_of
from support.receipts import sums
from support.shop import RECEIPTS, receipts_shop

from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.rhythm import gaps
from rfm_spark.results.rhythm import job as rhythm_job
from rfm_spark.results.rhythm.gaps import LostRules, customer_rhythm, customer_status
from rfm_spark.storage.session_settings import session_settings

AS_OF = date(2024, 12, 31)
RULES = LostRules(after_days=365, after_gaps=3.0, least_days=14)


def bought(customer, days_before, cents=1_00, visits=1):
    day = str(AS_OF - timedelta(days=days_before))
    return {"customer_id": customer, "day": day, "visits": visits, "net_cents": cents}


def rhythm_of(spark, days):
    return customer_rhythm(rows_of(spark, CUSTOMER_DAYS, days), AS_OF, RULES)


def test_a_customer_is_lost_by_the_own_rhythm_long_before_a_year_has_passed(spark):
    days = [
        *[bought("weekly", n) for n in (22, 29, 36, 43)],  # 22 days away, of 3 x 7 allowed
        *[bought("monthly", n) for n in (22, 52, 82)],
        *[bought("daily", n) for n in (14, 15, 16)],  # 3 days, but never under 14
        *[bought("twice", n) for n in (300, 310)],
        bought("returns", 3, -1_00, visits=0), bought(None, 3), bought("later", -1),
    ]  # fmt: skip
    names = ("customer_id", "visit_days", "median_gap_days", "status", "status_by_rhythm")
    assert_rows(
        rhythm_of(spark, days),
        sums(
            names,
            ("weekly", 4, 7.0, "active", "lost"),
            ("monthly", 3, 30.0, "active", "active"),
            ("daily", 3, 1.0, "active", "active"),
            ("twice", 2, None, "active", None),
        ),
    )


def test_what_the_lost_would_have_spent_is_that_of_their_last_year_for_a_year_at_most(spark):
    days = [
        bought("anna", 375, 36_50), bought("anna", 739, 36_50), bought("anna", 740, 99_00),
        bought("anna", 380, -3_65, visits=0), bought("anna", 370, -99_00, visits=0),
        bought("ben", 365, 10_00),  # not lost yet
        bought("cleo", 2000, 10_00),
    ]  # fmt: skip
    names = ("customer_id", "last_year_cents", "missed_opportunity_cents")
    found = rhythm_of(spark, days)
    ten_days = 69_35 / 365 * 10
    assert_rows(
        found,
        sums(names, ("anna", 69_35, ten_days), ("ben", 10_00, None), ("cleo", 10_00, 10_00.0)),
    )
    names = ("status", "status_by_rhythm", "customers", "missed_opportunity_cents")
    assert_rows(
        customer_status(found),
        sums(
            names, ("lost", "active", 1, ten_days), ("lost", None, 1, 10_00.0),
            ("active", None, 1, None),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_that_of_an_independent_computation(spark, seed):
    chance = random.Random(seed)
    days = {}
    for _ in range(200):
        row = bought(
            chance.choice([None, *"abcdefghijklmnop"]), int(1200 * chance.random() ** 2) - 3,
            chance.randint(-500, 5000), chance.choice([0, 1, 1, 2]),
        )  # fmt: skip
        days[row["customer_id"], row["day"]] = row
    found = rhythm_of(spark, list(days.values())).persist()
    frame = pd.DataFrame(list(days.values()))
    con = duckdb.connect()
    con.register("d", frame)
    con.execute("CREATE TABLE customer_days AS SELECT * REPLACE (day::DATE AS day) FROM d")
    expected = rhythm(con, AS_OF, RULES.after_days, RULES.after_gaps, RULES.least_days)
    same(found, expected, ["customer_id"])
    con.execute("CREATE TABLE rhythm AS SELECT * FROM expected")
    again = gaps.second_purchases(found, AS_OF, (60,))
    same(again, second_purchases(con, AS_OF), ["cohort"])


def same(found, expected: pd.DataFrame, key: list[str]) -> None:
    told = found.select(*expected.columns).toPandas()
    told, expected = (
        frame.astype(object).where(frame.notna(), None).sort_values(key).reset_index(drop=True)
        for frame in (told, expected)
    )
    pd.testing.assert_frame_equal(told, expected, check_dtype=False)


def test_medians_are_taken_in_the_order_of_the_customers(spark, run, tmp_path, monkeypatch):
    plans, keep = [], rhythm_job.keep

    def noted(kept, rows):
        found = keep(kept, rows)
        # Of the rows as they were made, before they are given free.
        kept.callback(lambda: plans.append(rows.select("*")._jdf.queryExecution().toString()))
        return found

    monkeypatch.setattr(rhythm_job, "keep", noted)
    shop = receipts_shop(tmp_path, RECEIPTS)
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    # As where there are many rows: the steps that follow a shuffle are planned once more.
    adaptive = {"spark.sql.adaptive.enabled": "true"}
    with session_settings(spark, adaptive | {"spark.sql.adaptive.forceApply": "true"}):
        run(shop.config, shop.raw, shop.warehouse, "rhythm", date(2025, 1, 5))
    (plan,) = plans
    last = plan.partition("== Final Plan ==")[2].partition("== Initial Plan ==")[0]
    assert "SortAggregate(key=[customer_id" in last
    assert "ObjectHashAggregate" not in last
