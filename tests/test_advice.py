"""Advice: what is told of settings or customers that are not wrong, and may not be meant."""

from __future__ import annotations

from datetime import date

import pytest
from support.configurations import BASE
from support.screen import on_screen

from rfm_spark.app.advice import configuration_advice
from rfm_spark.results.rfm.notes import population_notes
from rfm_spark.results.rfm.populations import GUESTS, SCORED, UNSCORED, Population, ProfileDay
from rfm_spark.results.rfm.settings import Profile


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ((), []),
        (
            ("rfm.purchase.monetary={method='fixed', cuts=[5, 9.5, 9.5, 20]}",),
            ["rfm.purchase.monetary.cuts: 9.5 comes twice: nobody can have the score 3"],
        ),
        (
            ("rfm.purchase.recency={method='fixed', cuts=[7, 7, 30, 365]}",),
            [
                "rfm.purchase.recency.cuts: 7 comes twice: nobody can have the score 4",
                "rfm.purchase.recency.cuts: 365 is beyond the window of 365 days: nobody can have "
                "the score 1",
            ],
        ),
        (
            ("rfm.purchase.recency={method='fixed', cuts=[0, 7, 30, 364]}",),
            ["rfm.purchase.recency.cuts: no days are less than 0: nobody can have the score 5"],
        ),
        (
            ("rfm.purchase.frequency={method='fixed', cuts=[1, 2, 3, 4]}",),
            [
                "rfm.purchase.frequency.cuts: no frequency is less than 1: nobody can have the "
                "score 1"
            ],
        ),
        (
            ("clusters.window_days=all",),
            [
                "clusters.window_days: clusters look at all time and the scores of purchase at 365 "
                "days: a customer's segment and cluster tell of different times"
            ],
        ),
    ],
)
def test_what_can_be_told_without_data_is_told(load, overrides, told):
    assert list(configuration_advice(load(BASE, *overrides))) == told


def total(who, buyers, outside, cents, inside):
    return {
        "profile": "purchase",
        "who": who,
        "buyers": buyers,
        "buyers_outside": outside,
        "net_cents": cents,
        "net_cents_inside": inside,
    }


def notes(*rows, frequencies=(1, 9), **rules):
    spans = {"frequency": frequencies, "recency_days": (0, 9), "value_units": (0, 9)}
    population = Population(10, 10, spans, 1.0, 1.0, 1.0)
    scored = {ProfileDay("purchase", date(2026, 1, 31)): population}
    return list(population_notes({"purchase": Profile(**rules)}, rows, scored))


def test_a_window_that_leaves_a_fifth_outside_is_told_above_a_fifth_only():
    guests = total(GUESTS, 0, 0, 1_000_000, 0)
    inside = total(SCORED, 80, 0, 90_00, 80_00)
    assert notes(guests, inside, total(UNSCORED, 20, 20, 10_00, None)) == []
    assert notes(guests, inside, total(UNSCORED, 21, 21, 10_01, None)) == [
        "purchase: 20.8% of customers and 20.0% of money lie before the window of 365 days: a "
        "longer `window_days` would take them in"
    ]


def test_one_frequency_of_all_is_asked_about():
    [told] = notes(total(SCORED, 80, 0, 90_00, 80_00), frequencies=(1, 1))
    assert told.startswith("purchase: all 10 customers have the frequency 1: are these totals")


def test_what_lies_outside_is_told_at_the_end_of_a_run(cli, copied_shop, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert cli("rfm", *copied_shop.arguments("--set", "rfm.purchase.window_days=20")) == 0
    # Inside are a visit of c2 for 40.50 and a return of c5 for 4.00, of six customers and 215.75.
    assert (
        "purchase: 66.7% of customers and 83.1% of money lie before the window of 20 days"
        in " ".join(on_screen(capfd).split())
    )
