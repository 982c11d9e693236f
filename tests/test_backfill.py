"""A backfill of many days is what single runs make one after another, and no more."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date

import pytest
from support.screen import problems
from support.shop import (
    CUSTOMERS,
    INTERACTIONS,
    RECEIPTS,
    Shop,
    assert_same_tables,
    click,
    line,
    person,
    stored,
    versions,
)

from rfm_spark.app import backfill as backfills
from rfm_spark.app.backfill import backfill
from rfm_spark.app.jobs import run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.app.run_record import results_that_stand
from rfm_spark.core.periods import every
from rfm_spark.results.rfm.result import RESULT
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import Warehouse

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
filter = "city == 'Ulm' or frequency > 9"
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
    moved = [person("c0", "Bern", "2025-03-15"), person("c99", "Ulm", "2025-05-01")]
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


def test_many_days_are_those_of_single_runs(cli, loaded, one_by_one, tmp_path, monkeypatch):
    """In two passes of three days each; of the profiles two keep their boundaries for a while."""
    monkeypatch.setattr("rfm_spark.facts.kept_sums.SUMS_A_PASS", 75)
    shop = copy_of(loaded, tmp_path)
    assert cli(*arguments(shop)) == 0
    assert_made(shop, one_by_one)
    fitted = Counter(profile for profile, _ in sets_of(one_by_one))
    assert fitted["purchase"] == len(MONTHS)
    assert fitted["engagement"] == 1
    assert 1 < fitted["year"] < len(MONTHS)


def sets_of(tables):
    return {(row["profile"], row["version"]) for row in tables["rfm_boundaries"]}


@pytest.fixture(scope="module")
def filled(run, spark, loaded, tmp_path_factory):
    """The shop after a backfill of its second quarter. Not to be written to."""
    shop = copy_of(loaded, tmp_path_factory.mktemp("filled"))
    job = run_of(spark, shop)
    assert backfill(job, date(2025, 4, 30), TO, "month") == MONTHS[3:]
    return shop


def run_of(spark, shop, overrides=()):
    settings = load_settings(shop.config, overrides)
    return Run(spark, settings, Warehouse(spark, str(shop.warehouse)), str(shop.raw))


@pytest.fixture
def shop(filled, tmp_path):
    """A copy of the filled shop."""
    return copy_of(filled, tmp_path)


def scored_again(spark, shop, first=date(2025, 4, 30), overrides=()):
    """The days that a backfill up to the last one makes."""
    job, made = run_of(spark, shop, overrides), []
    with pytest.MonkeyPatch.context() as patch:
        score = backfills.score_days
        patch.setattr(backfills, "score_days", lambda *a: made.extend(a[2]) or score(*a))
        backfill(job, first, TO, "month")
    return made


def test_days_that_stand_are_left_as_they_are(spark, shop, capfd):
    before = versions(shop.warehouse)
    assert scored_again(spark, shop) == []
    assert versions(shop.warehouse) == before
    days = [row["as_of"] for row in stored(shop.warehouse, "runs") if row["job"] == "backfill"]
    assert sorted(days) == MONTHS[3:], "a record of each day"
    assert all(results_that_stand(run_of(spark, shop), [RESULT], day) for day in days)


def test_a_day_that_was_made_otherwise_is_made_again(spark, shop):
    by_hand = run_of(spark, shop, ("rfm.purchase.window_days=30",))
    run_job(by_hand, "rfm", MONTHS[5])
    assert scored_again(spark, shop) == [MONTHS[5]]
    # What an earlier day decided anew can decide for all that come after it.
    assert scored_again(spark, shop, MONTHS[2]) == MONTHS[2:]


def test_a_backfill_that_failed_goes_on(spark, loaded, one_by_one, tmp_path, monkeypatch):
    monkeypatch.setattr("rfm_spark.facts.kept_sums.SUMS_A_PASS", 60)  # two days each
    shop, rest = copy_of(loaded, tmp_path), []
    score, failing = backfills.score_days, MONTHS[2]

    def stopped(run, profiles, sums):
        if failing in sums:
            run.replace = killed_by_scores(run.replace)
        rest.append(list(sums))
        return score(run, profiles, sums)

    with monkeypatch.context() as patch:
        patch.setattr(backfills, "score_days", stopped)
        with pytest.raises(KeyboardInterrupt):
            backfill(run_of(spark, shop), FROM, TO, "month")
    assert rest == [MONTHS[:2], MONTHS[2:4]]
    assert scored_again(spark, shop, FROM) == MONTHS[2:]
    assert_made(shop, one_by_one)


def killed_by_scores(replace):
    """Everything is written as before but the segments: their boundaries and scores are there."""

    def call(table, *arguments, **named):
        if table.name == "segments":
            raise KeyboardInterrupt
        return replace(table, *arguments, **named)

    return call


def run_record_of(spark, shop, day):
    return results_that_stand(run_of(spark, shop), [RESULT], day)["rfm"]


def test_without_kept_boundaries_days_can_come_in_any_order(run, cli, spark, loaded, tmp_path):
    found = []
    for name in ("single", "backward"):
        shop = copy_of(loaded, tmp_path / name)
        shop.configure(RECEIPTS + INTERACTIONS)
        if name == "single":
            for day in MONTHS[2:4]:
                run(shop.config, shop.raw, shop.warehouse, "rfm", day)
        else:
            assert cli(*arguments(shop, MONTHS[3], MONTHS[3])) == 0
            made = run_record_of(spark, shop, MONTHS[3])
            assert cli(*arguments(shop, MONTHS[2], MONTHS[3])) == 0
            assert run_record_of(spark, shop, MONTHS[3]) == made, "the later day stands"
        found.append({name: stored(shop.warehouse, name) for name in TABLES})
    assert_same_tables(*found)


def test_moves_are_told_between_days_of_a_backfill(cli, shop, capfd):
    assert cli("moves", *shop.arguments("--as-of", MONTHS[5], "--since", MONTHS[3])) == 0
    moves = [row for row in stored(shop.warehouse, "segment_moves") if row["profile"] == "year"]
    assert {(row["since"], row["as_of"]) for row in moves} == {(MONTHS[3], MONTHS[5])}
    assert {row["cause"] for row in moves}.isdisjoint({"rules", "correction"})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"first": date(2025, 7, 1)},
            "--from 2025-07-01: must not be after --to 2025-06-30",
        ),
        (
            {"first": date(2023, 12, 31)},
            "--from 2023-12-31: lies before the data, which begin on 2024-01-05 and end on "
            "2025-07-04",
        ),
        (
            {"first": date(2025, 11, 1), "last": date(2025, 12, 31)},
            "[rfm.purchase] nobody bought and meets the filter in the 60 days up to 2025-11-01, "
            "nor up to 1 of the later days: choose other days; or choose a longer window_days",
        ),
        ({"every": "day"}, "'day' is not one of 'week', 'month'"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(cli, shop, capfd, options, told):
    before = versions(shop.warehouse)
    capfd.readouterr()
    assert cli(*arguments(shop, **options)) == 2
    assert told in problems(capfd)[0]
    assert versions(shop.warehouse) == before


def test_days_with_nobody_to_score_are_left_out_and_told(cli, shop, capfd):
    profile = "rfm={late={events={late=1}, population='active', window_days=9}}"
    shop.csv("clicks2.csv", [click("n1", "c1", "2025-05-30", "late")])
    run = ["ingest", *shop.arguments()]
    assert cli(*run) == 0
    capfd.readouterr()
    assert cli(*arguments(shop, MONTHS[2], MONTHS[3]), "--set", profile) == 2
    assert problems(capfd) == [
        "[rfm.late] nobody did anything in the 9 days up to 2025-03-31, nor up to 1 of the later "
        "days: choose other days; or choose a longer window_days"
    ]
    assert cli(*arguments(shop, MONTHS[2], MONTHS[4]), "--set", profile) == 0
    told = capfd.readouterr()
    assert "2025-03-31 and 1 more left out" in told.out + told.err
    days = {row["as_of"] for row in stored(shop.warehouse, "rfm") if row["profile"] == "late"}
    assert days == {MONTHS[4]}
    done = [row for row in stored(shop.warehouse, "runs") if row["job"] == "backfill"]
    assert max(done, key=lambda row: row["started_at"])["as_of"] == MONTHS[4]
