"""`rfm-spark boundaries`: what is shown of stored sets, compared and pinned."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from support.screen import on_screen, problems
from support.shop import EVERYTHING, stored

from rfm_spark.app.loading import load_settings

DAY, EARLIER = date(2025, 3, 20), date(2025, 3, 1)


@pytest.fixture
def boundaries(cli, copied_shop):
    """rfm-spark boundaries ARGUMENTS on the finished shop."""

    def call(*arguments, profile=None):
        named = ["--profile", profile] if profile else []
        places = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
        return cli("boundaries", *arguments, *places, *named)

    return call


def bins(shop, profile, dimension):
    rows = [
        row
        for row in stored(shop.warehouse, "rfm_boundaries")
        if (row["profile"], row["dimension"], row["version"]) == (profile, dimension, DAY)
    ]
    return sorted(rows, key=lambda row: -row["score"])


def test_each_score_of_the_last_day_is_told_in_words_with_its_customers(
    boundaries, copied_shop, capfd
):
    assert boundaries() == 0
    shown = " ".join(on_screen(capfd).split())
    assert f"purchase: boundaries {DAY}, of 6 customers, by which {DAY} is scored" in shown
    assert "engagement: boundaries" in shown
    best, *_, worst = bins(copied_shop, "purchase", "recency")
    assert f"5 within {worst_day(copied_shop)} days {round(6 * best['share'])} " in shown
    assert f"1 {worst['value']} days or more {round(6 * worst['share'])} " in shown
    money = bins(copied_shop, "purchase", "monetary")[0]
    assert f"{money['value'] / 100:.2f} USD or more {round(6 * money['share'])}" in shown
    assert "Sets of purchase" in shown
    assert "quantile, balanced, quantile yes yes" in shown


def worst_day(shop):
    return bins(shop, "purchase", "recency")[1]["value"] - 1


def test_one_profile_or_another_day_can_be_asked_for(boundaries, copied_shop, capfd):
    assert boundaries(profile="engagement") == 0
    shown = " ".join(on_screen(capfd).split())
    assert "purchase" not in shown
    assert "points or more" in shown
    assert boundaries(profile="purchases") == 2
    assert "did you mean 'purchase'?" in problems(capfd)[0]
    assert boundaries("--as-of", "2025-03-19") == 2
    assert "no scores are stored of that day" in problems(capfd)[0]


def test_a_day_is_told_by_the_rules_it_was_scored_by(boundaries, copied_shop, capfd):
    now = ("--set", "rfm.purchase.window_days=30", "--set", "rfm.purchase.value=points")
    assert boundaries(*now, profile="purchase") == 0
    shown = " ".join(on_screen(capfd).split())
    assert "receipts of 365 days" in shown
    assert "USD or more" in shown
    assert "quantile, balanced, quantile no yes" in shown, "not of today's rules"


def test_without_a_place_the_missing_option_is_named(cli, copied_shop, capfd):
    assert cli("boundaries", "--config", copied_shop.config) == 2
    assert "Missing option '--warehouse'" in problems(capfd)[0]


def test_two_sets_are_compared_cut_by_cut(cli, boundaries, copied_shop, capfd):
    cuts = "rfm.purchase.monetary={method='fixed', cuts=[1, 10, 20.5, 30]}"
    assert cli("rfm", *copied_shop.arguments("--set", cuts, "--as-of", EARLIER)) == 0
    cuts = cuts.replace("20.5, 30", "22, 22")
    assert cli("rfm", *copied_shop.arguments("--set", cuts)) == 0
    capfd.readouterr()
    assert boundaries("compare", f"{EARLIER}", f"{DAY}") == 0
    shown = " ".join(on_screen(capfd).split())
    assert "score 2025-03-01 2025-03-20 moved" in shown
    assert "5 30.00 USD or more 22.00 USD or more 8.00 USD less" in shown
    assert "4 20.50 to 29.99 USD no value 1.50 USD more" in shown
    assert "3 10.00 to 20.49 USD 10.00 to 21.99 USD the same" in shown
    assert boundaries("compare", f"{DAY}", "2025-01-01") == 2
    assert problems(capfd) == [
        "2025-01-01: no set of purchase has this version; the last: 2025-03-01, 2025-03-20"
    ]


@pytest.mark.parametrize("rules", ["", "[rfm.purchase]\nwindow_days = 365\n"])
def test_the_lines_that_pin_a_set_go_into_the_file_as_they_are(
    boundaries, copied_shop, capfd, rules
):
    copied_shop.configure(EVERYTHING + rules)
    before = load_settings(copied_shop.config)
    assert boundaries("pin", "--version", str(DAY), profile="purchase") == 0
    lines = capfd.readouterr().out
    assert tomllib.loads(lines)["rfm"]["purchase"] == {"pinned": str(DAY)}
    pinned = lines.splitlines()[1] + "\n" if rules else lines
    copied_shop.configure(EVERYTHING + rules + pinned)
    after = load_settings(copied_shop.config)
    assert after.rfm["purchase"].pinned == str(DAY)
    unpinned = {n: p.model_copy(update={"pinned": None}) for n, p in after.rfm.items()}
    assert unpinned == before.rfm


def test_a_set_that_cannot_be_pinned_is_one_line(boundaries, copied_shop, capfd):
    assert boundaries("pin", "--version", "2025-01-01", profile="purchase") == 2
    shown = capfd.readouterr()
    assert not shown.out
    assert "[rfm.purchase] pinned: the set 2025-01-01 is not stored; stored of these rules: " in (
        " ".join(shown.err.split())
    )
