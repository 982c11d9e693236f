"""Consent: who has not agreed is on no list and in no audience, and who withdraws is left out."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.screen import on_screen
from support.sessions import without_session
from support.shop import RECEIPTS, Shop, line, stored

from rfm_spark.app.api import open_run
from rfm_spark.app.audiences.counts import _counted_by_spark, audience_counts
from rfm_spark.app.audiences.definition import defined
from rfm_spark.app.audiences.job import prepared
from rfm_spark.app.loading import load_settings

DAY, LATER = date(2025, 3, 20), date(2025, 3, 21)
PEOPLE = {"c0": "yes", "c1": "yes", "c2": "no", "c3": "", "c4": "yes"}  # c5 is in no file

CONFIGURATION = (
    RECEIPTS
    + """
[customers]
path = "people*.csv"
format = "csv"

[customers.columns]
customer_id = "customer"

[customers.columns.attributes]
agreed = "agreed"

[consent]
where = "agreed == 'yes'"

[audiences.news]
where = "lifetime_visits >= 1"
holdout = 0.4

[audiences.order]
where = "lifetime_visits >= 1"
needs_consent = false
"""
)


def people(shop: Shop, name: str, agreed: dict[str, str]) -> None:
    shop.csv(name, [{"customer": one, "agreed": told} for one, told in agreed.items()])


@pytest.fixture(scope="module")
def shop(cli, tmp_path_factory) -> Shop:
    found = Shop(tmp_path_factory.mktemp("consent"))
    found.configure(CONFIGURATION)
    bought = [line(f"r{at}", f"c{at}", f"2025-03-1{at}", f"{at + 1}.00") for at in range(6)]
    found.csv("receipts1.csv", [*bought, line("last", "c5", str(DAY), "3.00")])
    people(found, "people1.csv", PEOPLE)
    assert cli("run", *found.arguments()) == 0
    return found


def place(shop: Shop) -> list[Any]:
    return ["--config", shop.config, "--warehouse", shop.warehouse]


def listed(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [row["customer_id"] for row in csv.DictReader(rows)]


def words(capfd: pytest.CaptureFixture[str]) -> str:
    return " ".join(on_screen(capfd).split())


def test_a_list_has_who_has_agreed_unless_none_is_needed(cli, shop, tmp_path, capfd):
    some, all_ = tmp_path / "some.csv", tmp_path / "all.csv"
    bought = ("--where", "lifetime_visits >= 1")
    assert cli("list", *place(shop), *bought, "--out", some) == 0
    assert listed(some) == ["c0", "c1", "c4"]
    assert "3 more have not agreed to be contacted" in words(capfd)
    assert cli("list", *place(shop), *bought, "--no-consent-needed", "--out", all_) == 0
    assert listed(all_) == [f"c{at}" for at in range(6)]
    assert "agreed to be" not in words(capfd)
    none = tmp_path / "none.csv"
    assert cli("list", *place(shop), "--where", "agreed == 'no'", "--out", none) == 0
    told = words(capfd)
    assert "nobody as of 2025-03-20: agreed == 'no' 1 more have not agreed" in told
    assert not none.exists()


def test_an_audience_and_its_holdout_are_of_those_who_have_agreed(cli, shop, tmp_path, capfd):
    copy = Shop(tmp_path)
    shutil.copytree(shop.folder, tmp_path, dirs_exist_ok=True)
    out, order = tmp_path / "news.csv", tmp_path / "order.csv"
    assert cli("audience", "preview", "news", *place(copy)) == 0
    told = words(capfd)
    assert "news: 3 customers as of 2025-03-20" in told
    assert "6 meet the condition; 3 have not agreed to be contacted" in told
    assert cli("audience", "build", "news", *place(copy), "--out", out) == 0
    assert "3 who meet the condition have not agreed to be contacted" in words(capfd)
    groups = {
        row["customer_id"]: row["audience_group"] for row in stored(copy.warehouse, "audiences")
    }
    assert set(groups) == {"c0", "c1", "c4"}
    treated = sorted(name for name, group in groups.items() if group == "treated")
    assert listed(out) == treated
    assert treated, "nobody is left to withdraw"
    assert cli("audience", "build", "order", *place(copy), "--out", order) == 0
    assert listed(order) == [f"c{at}" for at in range(6)]

    # One of the treated withdraws, and it is known on a later day.
    gone, *others = treated
    people(copy, "people2.csv", {**PEOPLE, gone: "no", "c2": "yes"})
    assert cli("run", *copy.arguments("--as-of", LATER)) == 0
    on_screen(capfd)
    again, early = tmp_path / "again.csv", tmp_path / "early.csv"
    as_built = ("--as-of", DAY)
    assert cli("audience", "build", "news", *place(copy), *as_built, "--out", again) == 0
    told = words(capfd)
    assert "1 of them have come onto an exclusion list or agree no longer, and are left out" in told
    assert "who meet the condition have not agreed" not in told
    assert (listed(again) if again.exists() else []) == others
    assert cli("list", *place(copy), *as_built, "--out", early) == 0
    assert listed(early) == sorted({"c0", "c1", "c2", "c4"} - {gone})


@pytest.mark.parametrize("name", ["news", "order"])
def test_a_preview_without_spark_tells_what_spark_tells(spark, shop, name):
    settings = load_settings(shop.config)
    without = open_run(without_session(), settings, ".", shop.warehouse)
    definition, day = prepared(without, name, None)
    told = audience_counts(without, definition, day)
    by_spark = open_run(spark, settings, ".", shop.warehouse)
    assert told == _counted_by_spark(by_spark, definition, day)
    assert told.without_consent == (3 if name == "news" else 0)


def test_a_condition_that_names_nothing_is_refused(refused):
    [problem] = refused(CONFIGURATION.replace("agreed == 'yes'", "agrees == 'yes'"))
    assert "consent.where: 'agrees' is neither a column of customer_360" in problem


def test_what_was_built_before_there_was_a_key_for_it_is_the_same_definition(load):
    settings = load(CONFIGURATION)
    written = {
        name: defined(name, rules, settings).written for name, rules in settings.audiences.items()
    }
    assert "needs_consent" not in written["news"]
    assert '"needs_consent":false' in written["order"]
