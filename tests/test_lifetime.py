"""Lifetime value in Spark: histograms, expectations, what is stored, and what is said of it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import functions as F
from support import assert_rows, rows_of
from support.screen import on_screen, problems
from support.shop import stored

from rfm_spark.core.table import Table
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.facts.transforms import customer_years
from rfm_spark.results.lifetime.asks import SO_FAR, before_horizon
from rfm_spark.results.lifetime.cells import (
    ROUNDINGS,
    Rounding,
    age_pairs,
    extent_of,
    money_cells,
    visit_cells,
)
from rfm_spark.results.lifetime.expectations import (
    customers_before,
    customers_so_far,
    expectations,
    lifetime_classes,
)
from rfm_spark.results.lifetime.tables import LIFETIME_VALUE
from rfm_spark.results.lifetime.visits_model import visit_pairs_if_alive, visits_if_alive

AS_OF = date(2024, 12, 31)


def bought(customer, days_before, cents=1_00, visits=1):
    day = str(AS_OF - timedelta(days=days_before))
    return {"customer_id": customer, "day": day, "visits": visits, "net_cents": cents}


KNOWN = [
    bought("anna", 10), bought("anna", 40, 6_00, visits=3), bought("anna", 200),
    bought("anna", 3, -2_00, visits=0), bought("anna", -4, 90_00),
    bought("ben", 400, 7_00), bought("returns", 3, -1_00, visits=0), bought(None, 3),
    bought("later", -1), *[bought("cleo", n) for n in (100, 300)],
]  # fmt: skip


@pytest.fixture(scope="module")
def sums(spark):
    rows = rows_of(spark, CUSTOMER_DAYS, KNOWN)
    facts = CustomerFacts(rows, customer_years(rows))
    return customer_sums(facts, AS_OF, [SO_FAR, before_horizon(90)])


NAMES = ("repeat_visit_days", "first_to_last_days", "first_to_as_of_days")


def test_a_customer_is_known_by_days_with_a_visit_up_to_the_day(sums):
    names = ("customer_id", *NAMES, "mean_visit_day_cents")
    rows = [
        ("anna", 2, 190, 200, 200.0),  # 1 + 6 + 1 - 2 of three days; the return is no visit
        ("ben", 0, 0, 400, 700.0),
        ("cleo", 1, 200, 300, 100.0),
    ]
    found = customers_so_far(sums, AS_OF).select(*names)
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in rows])


def test_what_was_known_a_horizon_ago_is_what_a_run_of_then_would_have_known(sums):
    then = AS_OF - timedelta(days=90)
    names = (*NAMES, "later_visit_days")
    rows = [(0, 0, 110, 2), (0, 0, 310, 0), (1, 200, 210, 0)]
    found = customers_before(sums, then, before_horizon(90)).select(*names)
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in rows])


def many(spark, customers=4_000, most=700):
    """Customers of many numbers of visits and times, made by hashes of their numbers."""
    return spark.range(customers).selectExpr(
        "CAST(id AS STRING) AS customer_id",
        f"pmod(hash(id), {most}) AS repeat_visit_days",
        "CAST(pmod(hash(id, 1), 1000) AS INT) AS first_to_last_days",
        "CAST(1000 + pmod(hash(id, 2), 300) AS INT) AS first_to_as_of_days",
        "CAST(pmod(hash(id, 3), 100000) - 500 AS DOUBLE) AS mean_visit_day_cents",
        "pmod(hash(id, 4), 9) AS later_visit_days",
    )


@pytest.mark.parametrize("rounding", [ROUNDINGS[0], ROUNDINGS[1], ROUNDINGS[3]])
def test_cells_hold_everybody_and_keep_all_sums(spark, rounding):
    rows = many(spark)
    found = visit_cells(rows, rounding)
    cells, table = found.cells, rows.toPandas()
    assert cells.total == len(table)
    for mean, name, unit in zip(
        (cells.repeats, cells.last, cells.age), NAMES, (1, 7, 7), strict=True
    ):
        assert cells.customers @ mean == pytest.approx(table[name].sum() / unit)
    assert found.visits.sum() == table["later_visit_days"].sum()
    if rounding.of_repeats:  # to six binary digits: a cell's mean lies within 1/32 of each
        wide = {int(one) >> max(int(one).bit_length() - 6, 0) for one in table["repeat_visit_days"]}
        assert max(wide) < 64
        keys = set(age_pairs(rows, rounding).repeats_key.astype(int))
        assert keys == {
            int(one) >> (bits := max(int(one).bit_length() - 6, 0)) << bits
            for one in table["repeat_visit_days"]
        }
    else:
        pairs = set(map(tuple, table[["repeat_visit_days", "first_to_as_of_days"]].to_numpy()))
        exact = age_pairs(rows, rounding)
        assert set(zip(exact.repeats, np.round(exact.age * 7), strict=True)) == pairs


def test_times_are_rounded_no_more_than_the_number_of_cells_demands(spark):
    rows = many(spark)
    assert extent_of(rows).cells == ROUNDINGS[0]
    assert extent_of(rows).history_days == 1_299
    few = extent_of(rows, most_cells=500, most_pairs=500)
    assert few.cells.days == 1_820
    assert few.pairs.days > 1
    assert len(age_pairs(rows, few.pairs).age) < 700
    nobody = extent_of(rows.where("false"))
    assert (nobody.history_days, nobody.cells) == (0, ROUNDINGS[0])


def test_cells_of_money_leave_out_single_visits_and_money_below_0(spark):
    rows = many(spark)
    cells, table = money_cells(rows), rows.toPandas()
    told = table[(table["repeat_visit_days"] > 0) & (table["mean_visit_day_cents"] > 0)]
    assert cells.total == len(told)
    assert cells.customers @ cells.amounts == (told["repeat_visit_days"] + 1).sum()
    logs = np.log(told["mean_visit_day_cents"]).sum()
    assert cells.customers @ np.log(cells.mean) == pytest.approx(logs, rel=1e-9)
    near = abs(np.log(told["mean_visit_day_cents"].to_numpy())[:, None] - np.log(cells.mean))
    assert (near.min(axis=1) < 1 / 64).all()


def test_an_expectation_that_is_refused_for_money_tells_visits_alone(spark):
    visits = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    rounding = Rounding(1, of_repeats=False)
    known = many(spark, 50, 900)
    pairs = known.selectExpr(
        "repeat_visit_days AS repeats_key", "first_to_as_of_days AS age_key"
    ).distinct()
    found = expectations(
        known,
        pairs.selectExpr("*", "2.0D AS visits_if_alive", "9.0D AS visit_pairs_if_alive"),
        rounding,
        visits,
        None,
    ).collect()
    assert len(found) == 50
    for row in found:
        assert 0 <= row["probability_alive"] <= 1
        assert row["expected_visits"] == pytest.approx(2 * row["probability_alive"])
        assert row["expected_value_cents"] is None
        assert row["value_standard_deviation_cents"] is None


def test_money_varies_by_chance_as_simulated_futures_do(spark):
    visits = {"r": 1.2, "alpha": 6.0, "a": 0.8, "b": 3.0}
    money = {"p": 3.0, "q": 4.0, "gamma": 1_500.0}
    repeats, last, age, mean, weeks = 3, 100, 210, 900.0, 26
    draw, n = np.random.default_rng(28), 1_000_000
    rates = draw.gamma(visits["r"] + repeats, 1 / (visits["alpha"] + age / 7), n)
    leaves = draw.beta(visits["a"], visits["b"] + repeats, n)
    came = np.minimum(draw.poisson(rates * weeks), draw.geometric(leaves))
    known = known_of(spark, [("own", repeats, last, age, mean), ("two", 0, 0, age, mean)])
    keys, ages = np.array([repeats, 0]), np.array([age / 7, age / 7])
    visits_of, pairs_of = (
        told(visits, keys, ages, weeks).tolist() for told in (visits_if_alive, visit_pairs_if_alive)
    )
    pairs = spark.createDataFrame(
        list(zip(keys.tolist(), [age, age], visits_of, pairs_of, strict=True)),
        "repeats_key long, age_key long, visits_if_alive double, visit_pairs_if_alive double",
    )
    found = {
        row["customer_id"]: row
        for row in expectations(
            known, pairs, Rounding(1, of_repeats=False), visits, money
        ).collect()
    }
    own = found["own"]
    came *= draw.random(n) < own["probability_alive"]
    costs = draw.gamma(money["p"] * (repeats + 1) + money["q"], 1, n)
    costs /= money["gamma"] + (repeats + 1) * mean
    spent = draw.gamma(money["p"] * np.maximum(came, 1)) * (came > 0) / costs
    assert own["expected_value_cents"] == pytest.approx(spent.mean(), rel=0.01)
    assert own["value_standard_deviation_cents"] == pytest.approx(spent.std(), rel=0.01)
    # Of one amount the variance is finite only if p + q > 2.
    few = expectations(
        known, pairs, Rounding(1, of_repeats=False), visits, {"p": 0.4, "q": 1.5, "gamma": 900.0}
    ).withColumn("as_of", F.lit(date(2025, 1, 31)))
    [told_of_two, _] = sorted(few.collect(), key=lambda row: row["repeat_visit_days"])
    assert told_of_two["value_standard_deviation_cents"] is None
    classes = {row["repeat_visit_days"]: row for row in lifetime_classes(few).collect()}
    assert classes[0]["value_standard_deviation_cents"] is None
    assert classes[repeats]["value_standard_deviation_cents"] > 0


def known_of(spark, rows):
    """Customers: id, repeat visit days, days from first to last and to as_of, mean cents."""
    names = ("customer_id", *NAMES, "mean_visit_day_cents")
    columns = tuple(one for one in LIFETIME_VALUE.columns if one.name in names)
    named = [dict(zip(names, row, strict=True)) for row in rows]
    return rows_of(spark, Table("known", "", columns, ()), named)


def test_who_brought_back_all_is_expected_to_spend_next_to_nothing(spark):
    money = {"p": 6.0, "q": 4.0, "gamma": 1_500.0}
    visits = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    rows = [("own", 1, 70, 140, 9_000.0), ("back", 1, 70, 140, -50.0), ("one", 0, 0, 140, 3_000.0)]
    known = known_of(spark, rows)
    pairs = spark.sql("SELECT 1L AS repeats_key, 140L AS age_key, 3D AS visits_if_alive, "
                      "9D AS visit_pairs_if_alive UNION ALL SELECT 0L, 140L, 3D, 9D")  # fmt: skip
    found = expectations(known, pairs, Rounding(1, of_repeats=False), visits, money).collect()
    spent = {
        row["customer_id"]: row["expected_value_cents"] / row["expected_visits"] for row in found
    }
    assert spent["own"] == pytest.approx(6 * (1_500 + 2 * 9_000) / (6 * 2 + 3))
    assert spent["back"] == pytest.approx(6 * 1_500 / (6 * 2 + 3))
    assert spent["one"] == pytest.approx(6 * (1_500 + 3_000) / (6 + 3))


def test_a_shop_that_does_not_suit_is_told_why_and_has_no_values(cli, copied_shop, capfd):
    place = copied_shop.arguments()
    assert cli("lifetime", *place) == 2
    [told] = problems(capfd)
    assert told == (
        "lifetime: made where it is asked for: write [lifetime_value] into the configuration"
    )
    asked = ("--set", "lifetime_value.horizon_days=90")
    assert cli("run", *copied_shop.arguments(), *asked) == 0
    shown = " ".join(on_screen(capfd).split())
    assert "Lifetime value, the next 90 days: none, the history is too short: " in shown
    models = stored(copied_shop.warehouse, "lifetime_models")
    assert [row["model"] for row in models] == ["money", "visits"]
    assert all(row["refused"] and row["log_likelihood"] is None for row in models)
    for name in ("lifetime_value", "lifetime_classes", "lifetime_parameters", "lifetime_checks"):
        assert stored(copied_shop.warehouse, name) == []
    for row in stored(copied_shop.warehouse, "customer_360"):
        assert (row["probability_alive"], row["expected_visits"]) == (None, None)
    reading = [*place[:2], *asked, "--warehouse", copied_shop.warehouse]
    assert cli("lifetime show", *reading, "--as-of", "2020-01-01") == 2
    assert (
        "has no rows as of 2020-01-01 (stored are 2025-03-20 to 2025-03-20)" in problems(capfd)[0]
    )
