"""Explaining one customer: between which cuts it lies, and when its scores fall."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from support.screen import on_screen
from support.shop import line

from rfm_spark.app.explain.events import CustomerEvent, falls_on
from rfm_spark.app.explain.scores import ExplainedScores, counted_events
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.look_back import LookBack
from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.score_ranges import score_range
from rfm_spark.results.rfm.settings import Profile
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


PURCHASES = Profile(window_days=365)


def explained(rules, row, cuts, events):
    """Cells of both panels of a profile, by the first one of each row."""
    money = MoneyFormat("EUR", 2)
    counted = counted_events(events, rules.basis, AS_OF)
    shares = {dimension: [] for dimension in cuts}
    used = BoundarySet(DayVersion(AS_OF), CutPoints.plain(cuts), shares, {}, {}, {}, 1, "digest")
    scores, *higher = ExplainedScores("x", rules, row, used, counted, money).panels()
    return {one[0]: one[1:] for panel in (scores, *higher) for one in panel.rows}


def a_row(**fields):
    return {
        "recency_days": 31, "frequency": 2, "monetary_cents": 30_00, "value": 3000.0,
        "first_visit": date(2025, 1, 1), "r_score": 3, "f_score": 3, "m_score": 2,
        "rfm_cell": "332", "segment": "Loyal", "boundary_version": AS_OF, **fields,
    }  # fmt: skip


CUTS = {"recency": [10, 20, 40, 80], "frequency": [1, 2, 3, 5],
        "monetary": [10_00, 35_00, 50_00, 90_00]}  # fmt: skip


def test_what_a_higher_score_takes_is_told_as_a_person_would():
    bought = [
        CustomerEvent(date(2025, 12, 31), None, 1, 10_00, 0),
        CustomerEvent(date(2025, 3, 14), None, 1, 20_00, 0),
    ]
    told = explained(PURCHASES, a_row(), CUTS, bought)
    assert told["recency"] == ("31 days", "3", "20 to 39 days", "on 2026-02-09")
    assert told["recency 5"] == ("one more purchase",)
    assert told["frequency 4"] == ("one more purchase before 2026-03-14",)
    assert told["monetary 3"] == ("5.00 EUR more before 2026-03-14",)
    of_release_one = explained(PURCHASES, a_row(value=None), CUTS, bought)
    assert of_release_one == told


def test_events_that_weigh_differently_are_told_by_their_weight():
    rules = Profile(window_days=365, events={"receipts": 3, "click": 1})
    row = a_row(value=2.5, frequency=3)
    clicks = [CustomerEvent(date(2025, 12, 31), "click", 3, 0, 2_500_000)]
    told = explained(rules, row, {**CUTS, "monetary": [1_000_000, 3_000_000, None, None]}, clicks)
    assert told["frequency 5"] == ("events that weigh 2 more before 2026-12-31",)
    assert told["value 3"] == ("0.5 points more before 2026-12-31",)
    nothing = explained(rules, a_row(recency_days=None, frequency=0, value=0.0), CUTS, [])
    assert nothing["recency"] == ("one more event",)


@pytest.fixture
def explain(cli, copied_shop, capfd):
    """What is told of a customer, on one line."""

    def call(customer, *more):
        place = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
        capfd.readouterr()
        assert cli("explain", *place, *more, "--", customer) == 0
        return on_screen(capfd)

    return call


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


def test_a_day_is_told_by_its_own_rules_whatever_the_configuration_has_now(explain):
    of_now = ("--set", "rfm.purchase.window_days=2", "--set", "rfm.short.window_days=9")
    told = explain("c2", *of_now)
    assert "receipts of 365 days" in told
    assert "The rules of purchase were others: the configuration has another window_days" in told
    assert "engagement: " in told
    assert "The rules of engagement were others: the configuration has no such profile" in told
    assert "short: not scored, as the profile itself was not, as of 2025-03-20" in told


def test_facts_that_have_changed_since_are_told(explain, cli, copied_shop):
    void = [line("r00", "c0", "2025-01-10", "2.25", void="yes")]
    copied_shop.csv("receipts2.csv", void)
    shouted = [line("d1", "-123", "2025-03-18", "5.00"), line("d2", 'o\'n "x"', "2025-03-18", "5")]
    copied_shop.csv("receipts3.csv", shouted)
    assert cli("ingest", *copied_shop.arguments()) == 0
    told = explain("c0")
    assert "What is known now gives other values of purchase: nothing in the window" in told
    assert "purchase: not scored, what is known of it came after 2025-03-20 was" in explain("-123")
    assert "engagement: not scored, not known by 2025-03-01" not in told
    few = ("--set", "rfm.purchase.filter='frequency < 3'", "--as-of", "2025-03-19")
    assert cli("rfm", *copied_shop.arguments(*few)) == 0
    assert "purchase: not scored, it does not meet the filter `frequency < 3`" in explain(
        "c2", *few
    )
    assert "first visit 2025-03-18" not in explain('o\'n "x"', "--as-of", "2025-03-19")
    assert "Last move in purchase, 2025-03-19 to 2025-03-20: came back, or" not in told
    assert "Last move in purchase, 2025-03-19 to 2025-03-20: " in explain("c2")


def test_a_dash_that_is_no_option_is_helped_with(cli, capfd):
    assert cli("explain", "--help") == 0
    told = " ".join(on_screen(capfd).split())
    assert "comes last, after --: explain --config FILE --warehouse DIR -- -123" in told
