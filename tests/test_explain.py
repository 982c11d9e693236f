"""Explaining one customer: between which cuts it lies, and when its scores fall."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from rfm_spark.app.customer_events import CustomerEvent, falls_on
from rfm_spark.core.look_back import LookBack
from rfm_spark.results.rfm.score_ranges import score_range
from rfm_spark.results.rfm.values import Basis, WeightedKinds

AS_OF = date(2026, 1, 31)
MONTH = Basis(LookBack(30), visit_weight=2, interactions=(WeightedKinds(1, None),))


def score_of(value, cuts, low_is_best):
    passed = sum(cut is not None and cut <= value for cut in cuts)
    return 5 - passed if low_is_best else 1 + passed


@pytest.mark.parametrize("low_is_best", [False, True])
def test_a_range_is_all_values_with_the_score_and_its_neighbours_have_others(low_is_best):
    draw = random.Random(21)
    for _ in range(300):
        cuts = sorted(draw.choices(range(20), k=draw.randint(0, 4)))
        cuts += [None] * (4 - len(cuts))
        value = draw.randint(-2, 22)
        found = score_range(value, cuts, 5, low_is_best)
        values = range(-30, 50)
        same = [one for one in values if score_of(one, cuts, low_is_best) == found.score]
        assert found.score == score_of(value, cuts, low_is_best)
        assert (found.least, found.most) == (
            None if same[0] == values[0] else same[0],
            None if same[-1] == values[-1] else same[-1],
        )
        for one, other in (
            (found.better_from, found.better_score), (found.worse_from, found.worse_score)
        ):  # fmt: skip
            assert (one is None) == (other is None)
            if one is not None:
                assert score_of(one, cuts, low_is_best) == other
                assert abs(one - value) == min(
                    abs(v - value) for v in values if score_of(v, cuts, low_is_best) == other
                )


def values_on(events, day):
    inside = [one for one in events if day - timedelta(days=30) < one.day <= day]
    counted = [one for one in inside if one.count]
    return {
        "recency": (day - max(one.day for one in counted)).days if counted else None,
        "frequency": sum(one.count * (2 if one.kind is None else 1) for one in inside),
        "monetary": sum(one.cents for one in inside),
    }


@pytest.mark.parametrize("dimension", ["recency", "frequency", "monetary"])
def test_a_score_falls_on_the_day_on_which_a_later_run_would_say_so(dimension):
    draw = random.Random(dimension)
    cuts = {"recency": [3, 9, 14, 25], "frequency": [2, 3, 5, 8], "monetary": [0, 500, 900, 1500]}
    for _ in range(100):
        events = [
            CustomerEvent(AS_OF - timedelta(days=draw.randint(0, 29)), draw.choice([None, "open"]),
                          draw.randint(1, 2), 0, 0)
            for _ in range(draw.randint(1, 6))
        ]  # fmt: skip
        events += [CustomerEvent(AS_OF - timedelta(days=9), None, 0, -300, 0)]
        events = [
            one if one.count == 0 or one.kind else
            CustomerEvent(one.day, None, one.count, draw.randint(1, 900), 0)
            for one in events
        ]  # fmt: skip
        value = values_on(events, AS_OF)[dimension]
        found = score_range(value, cuts[dimension], 5, dimension == "recency")
        later = (AS_OF + timedelta(days=n) for n in range(1, 31))
        fallen = None
        for day in later:
            there = values_on(events, day)
            if there["recency"] is None:  # it has left the population
                break
            if score_of(there[dimension], cuts[dimension], dimension == "recency") < found.score:
                fallen = day
                break
        told = falls_on(found, dimension, MONTH, events)
        if fallen is not None:
            assert told == fallen, (value, events)


def test_a_customer_is_explained_from_what_is_stored(cli, copied_shop, capsys):
    place = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
    assert cli("explain", "c2", *place) == 0
    told = capsys.readouterr().out
    assert "purchase: " in told
    assert "engagement: " in told
    assert "3 visits" in told or "4 visits" in told
    assert "What it did" in told
    assert "visit" in told
    assert "Files read: " in told


@pytest.mark.parametrize("customer", ["n0body", "c'2\"; DROP TABLE rfm\n--", "C2"])
def test_an_id_that_nobody_has_is_one_line(cli, copied_shop, capsys, customer):
    place = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
    assert cli("explain", customer, *place) == 2
    shown = capsys.readouterr()
    *_, last = shown.err.splitlines()
    assert "no customer has this id" in last
    assert customer not in shown.err
    assert not shown.out


def test_a_day_that_is_not_stored_is_told_with_those_near_it(cli, copied_shop, capsys):
    place = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
    assert cli("explain", "c2", *place, "--as-of", "2031-01-01") == 2
    assert "no scores are stored of that day (near it: 2025-" in capsys.readouterr().err
