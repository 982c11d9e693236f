"""Cohorts of a shop: several origins at once, without receipts, shown, and refused."""

from __future__ import annotations

from datetime import date

import pytest
from support.shop import EVERYTHING, INTERACTIONS, RECEIPTS, Shop, click, person, some_lines, stored

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.run import ABSENT

ORIGINS = """
[cohorts.origins.registration]
events = ["registration"]

[cohorts.origins.click]
events = ["click"]
activity = ["click", "receipts"]

[cohorts.origins.member]
attribute = "member_since"
at_least_money = 20.0
"""
MEMBER = '\nmember_since = "since"\n'


@pytest.fixture(scope="module")
def shop(run, tmp_path_factory) -> Shop:
    """Customers who buy, click and register, with cohorts by three origins."""
    shop = Shop(tmp_path_factory.mktemp("cohorts"))
    own = EVERYTHING.replace("[cohorts]", "[cohorts]\nrolling_days = [28]\nbrackets = [0, 30, 90]")
    shop.config.write_text(own + MEMBER + ORIGINS, encoding="utf-8")
    shop.csv("receipts1.csv", some_lines())
    clicks = [click(f"k{n}", f"c{n}", f"2025-0{1 + n % 3}-0{n + 1}") for n in range(6)]
    clicks += [click("k9", "web", "2025-02-02"), click("k8", "web", "2025-03-02")]
    clicks += [click(f"r{n}", f"c{n}", f"2025-01-2{n}", "registration") for n in (1, 2, 3)]
    shop.csv("clicks1.csv", clicks)
    shop.csv("customers1.csv", [person(f"c{n}", "Ulm", "2025-02-01") for n in range(4)])
    for job in ("ingest", "cohorts"):
        run(shop.config, shop.raw, shop.warehouse, job)
    return shop


def places(shop: Shop) -> list:
    return ["--config", shop.config, "--warehouse", shop.warehouse]


def test_several_origins_are_followed_side_by_side(shop):
    rows = stored(shop.warehouse, "cohorts")
    sizes = {(row["origin"], row["cohort"]): row["cohort_size"]
             for row in rows if row["kind"] == "calendar"}  # fmt: skip
    january, february, march = (date(2025, month, 1) for month in (1, 2, 3))
    assert sizes == {
        ("registration", january): 3,
        ("click", january): 2,
        ("click", february): 3,
        ("click", march): 2,
        ("member", february): 4,
    }
    assert {row["kind"] for row in rows} == {"calendar", "rolling_28", "brackets"}


def test_curves_pool_the_cohorts_that_are_complete(shop):
    cells = [row for row in stored(shop.warehouse, "cohorts") if row["is_complete"]]
    found = stored(shop.warehouse, "cohort_curves")
    assert found
    for row in found:
        key = ("origin", "grain", "kind", "period_index")
        own = [cell for cell in cells if all(cell[name] == row[name] for name in key)]
        active, eligible = (sum(cell[name] for cell in own) for name in ("active", "eligible"))
        assert (row["cohorts"], row["active"], row["eligible"]) == (len(own), active, eligible)
        # The ends are where the share lies 1.96 standard deviations away (Wilson 1927).
        for end in (row["retention_low"], row["retention_high"]):
            distance = (active / eligible - end) ** 2
            assert distance == pytest.approx(1.959964**2 * end * (1 - end) / eligible, abs=1e-6)
        assert row["retention_low"] <= row["retention"] <= row["retention_high"]


def test_cohorts_are_shown_with_cells_in_progress_marked(cli, shop, capsys):
    assert cli("cohorts", "show", *places(shop), "--origin", "click") == 0
    told = capsys.readouterr().out
    assert "Cohorts of click by month" in told
    [january] = [text for text in told.splitlines() if text.startswith("2025-01")]
    assert january.split()[:3] == ["2025-01", "2", "100.0%"]
    assert january.endswith("*")
    assert cli("cohorts", "show", *places(shop), "--kind", "brackets", "--periods", "2") == 0
    assert "customers day 0 1-30" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("asked", [("--origin", "clik"), ("--as-of", "2031-01-01")])
def test_cohorts_that_are_not_stored_are_told_with_those_that_can_be(cli, shop, capsys, asked):
    assert cli("cohorts", "show", *places(shop), *asked) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "configured are the origins registration, click, member, the grains month" in told


def test_a_kind_or_a_date_that_nobody_has_is_refused_before_anything_is_written(cli, shop, capsys):
    version = len(list((shop.warehouse / "cohorts" / "_delta_log").glob("*.json")))
    for setting, told in (
        ("cohorts.origins.click.events=['clik']", "no interaction of the kind 'clik'; did you"),
        ("cohorts.origins.member.attribute='city'", "of no customer 'city' is a date by 2025-"),
    ):
        assert cli("cohorts", *places(shop), "--set", setting) == 2
        assert told in " ".join(capsys.readouterr().err.split())
    assert len(list((shop.warehouse / "cohorts" / "_delta_log").glob("*.json"))) == version


def test_a_shop_without_receipts_follows_its_interactions(run, tmp_path):
    shop = Shop(tmp_path)
    business = RECEIPTS.partition("[receipts]")[0]
    shop.config.write_text(f"{business}\n{INTERACTIONS}", encoding="utf-8")
    days = ["2025-01-02", "2025-02-03", "2025-02-04", "2025-03-05"]
    shop.csv("clicks1.csv", [click(f"k{n}", f"c{n % 2}", day) for n, day in enumerate(days)])
    for job in ("ingest", "cohorts"):
        run(shop.config, shop.raw, shop.warehouse, job)
    months = [row for row in stored(shop.warehouse, "cohorts") if row["grain"] == "month"]
    found = {(row["origin"], row["cohort"], row["period_index"]): row["active_so_far"]
             for row in months}  # fmt: skip
    january, february = date(2025, 1, 1), date(2025, 2, 1)
    assert found == {
        ("interaction", january, 0): 1,
        ("interaction", january, 1): 1,
        ("interaction", january, 2): 0,
        ("interaction", february, 0): 1,
        ("interaction", february, 1): 1,
    }


def test_cohorts_go_on_where_other_results_look_for_interactions_that_are_not_there(run, tmp_path):
    shop = Shop(tmp_path)
    shop.config.write_text(RECEIPTS, encoding="utf-8")
    shop.csv("receipts1.csv", some_lines())
    for day in ("2025-01-31", "2025-02-28"):
        last = run(shop.config, shop.raw, shop.warehouse, as_of=date.fromisoformat(day))
    note = last.warehouse.last_note(COHORTS).content
    assert (note["of_events"], note["followed_from"]) == (ABSENT, "2025-01-31")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("activity = ['click']", "cohorts.origins.x: give either `events` or `attribute`"),
        ("events = 'all'\nattribute = 'city'", "give either `events` or `attribute`"),
        ("events = []", "cohorts.origins.x.events: "),
        ("attribute = 'town'", "attribute: 'town' is no attribute; configured: city"),
        ("events = 'all'\nat_least_receipts = 1", "at_least_receipts: input should be greater"),
        ("events = 'all'\nat_least_money = 1.005", "has more than 2 digits after the point"),
        ("events = 'all'\nat_least_money = 2.0\nactivity = 'all'", "give one of `activity`"),
    ],
)
def test_an_origin_that_cannot_be_is_refused(tmp_path, text, told):
    file = tmp_path / "shop.toml"
    file.write_text(f"{EVERYTHING}\n[cohorts.origins.x]\n{text}\n", encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_settings(file)
    assert told in "\n".join(raised.value.problems)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("cohorts.brackets=[7, 7]", "cohorts.brackets: last days of brackets must rise"),
        (
            "cohorts.rolling_days=[28, 28]",
            "cohorts.rolling_days: 28 is named twice: name each once",
        ),
        ("cohorts.grains=['day', 'day']", "cohorts.grains: day is named twice"),
        ("bridge.window_days=[90, 30, 90]", "bridge.window_days: 90 is named twice"),
        ("cohorts.rolling_days=[0]", "cohorts.rolling_days"),
        ("cohorts.origins.x.events=['click']", "x.events: click: no [interactions] are config"),
    ],
)
def test_periods_and_kinds_that_cannot_be_are_refused(tmp_path, setting, told):
    file = tmp_path / "shop.toml"
    file.write_text(RECEIPTS, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_settings(file, [setting])
    assert told in "\n".join(raised.value.problems)
