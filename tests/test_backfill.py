"""A backfill of many days is what single runs make one after another, and no more."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from support.screen import problems
from support.shop import CUSTOMERS, INTERACTIONS, RECEIPTS, Shop, click, line, person, stored

from rfm_spark.core.periods import every

TABLES = (
    "rfm",
    "rfm_boundaries",
    "rfm_drift",
    "rfm_cells",
    "segments",
    "reconciliation",
)
PROFILES = """
[rfm.purchase]
window_days = 60
filter = "frequency < 9"

[rfm.engagement]
events = "all"
window_days = 90
refit = "hold"

[rfm.year]
refit = "drift"
frequency = { method = "natural" }

[rfm.ever]
window_days = "all"
events = { receipts = 3, open = 1 }
population = "known"
filter = "city == 'Ulm' or frequency > 1"
"""
FROM, TO = date(2025, 1, 31), date(2025, 6, 30)
MONTHS = every("month", FROM, TO)


def new_shop(folder):
    """Some hundred receipts and clicks of forty customers over a year and a half, some returns."""
    shop = Shop(folder)
    shop.configure(RECEIPTS + INTERACTIONS + CUSTOMERS + PROFILES)
    lines, clicks = [], []
    for customer in range(40):
        for visit in range(1 + customer % 7):
            number = 97 * customer + 41 * visit
            day = date.fromordinal(date(2024, 1, 5).toordinal() + number * 7 % 560)
            amount = f"{'-' if number % 13 == 0 else ''}{number % 50 + 3}.{number % 90 + 10}"
            quantity = "-1" if amount.startswith("-") else "1"
            lines.append(line(f"r{number}", f"c{customer}", str(day), amount, quantity))
            kind = "open" if number % 3 else "click"
            later = date.fromordinal(day.toordinal() + number % 80)
            clicks.append(click(f"k{number}", f"c{customer + 3}", str(later), kind))
    lines.append(line("guest", "0", "2025-02-03", "7.00"))
    shop.csv("receipts1.csv", lines)
    shop.csv("clicks1.csv", clicks)
    moved = [person("c4", "Bern", "2025-03-15"), person("c99", "Ulm", "2025-05-01")]
    shop.csv("customers1.csv", [*(person(f"c{n}", "Ulm") for n in range(0, 40, 2)), *moved])
    return shop


@pytest.fixture(scope="module")
def loaded(run, tmp_path_factory):
    """The shop with its facts up to date, and nothing scored. Not to be written to."""
    shop = new_shop(tmp_path_factory.mktemp("loaded"))
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    return shop


def copy_of(shop, folder):
    shutil.copytree(shop.folder, folder, dirs_exist_ok=True)
    return Shop(folder)


@pytest.fixture(scope="module")
def one_by_one(run, loaded, tmp_path_factory):
    """The tables after a run for each day."""
    shop = copy_of(loaded, tmp_path_factory.mktemp("single"))
    for day in MONTHS:
        run(shop.config, shop.raw, shop.warehouse, "rfm", day)
    return {name: stored(shop.warehouse, name) for name in TABLES}


def arguments(shop, first=FROM, last=TO, every="month"):
    return ["backfill", *shop.arguments("--from", first, "--to", last, "--every", every)]


def assert_made(shop, expected):
    for name, rows in expected.items():
        assert rows, name
        assert stored(shop.warehouse, name) == rows, name


@pytest.mark.parametrize("sums_a_pass", [1_000, 60])
def test_many_days_are_those_of_single_runs(
    cli, loaded, one_by_one, tmp_path, monkeypatch, sums_a_pass
):
    """In one pass, and in passes of two days each."""
    monkeypatch.setattr("rfm_spark.facts.kept_sums.SUMS_A_PASS", sums_a_pass)
    shop = copy_of(loaded, tmp_path)
    assert cli(*arguments(shop)) == 0
    assert_made(shop, one_by_one)
