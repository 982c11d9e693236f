"""Backtests: past scores beside what customers did afterwards, recomputed from the raw receipts."""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest
from support.screen import on_screen, problems
from support.shop import (
    ABOUT_RUNS,
    CUSTOMERS,
    INTERACTIONS,
    Shop,
    click,
    line,
    person,
    stored,
    versions,
)

from rfm_spark.app.backtest.page import backtest_pages
from rfm_spark.app.loading import load_settings
from rfm_spark.app.report.charts import vega_spec
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Grid
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import Warehouse

FIRST, EARLIER, DAY, LAST = (
    date(2025, 1, 2), date(2025, 5, 15), date(2025, 6, 30), date(2025, 8, 31)
)  # fmt: skip
QUIET, BACK = date(2025, 7, 1), date(2025, 7, 31)
"""Nobody comes from the first on, and everybody after the second."""
TABLES = ("backtest", "backtest_rankings", "backtest_gains")

CONFIGURATION = """
[business]
time_zone = "Europe/Berlin"

[receipts]
path = "receipts*.csv"
format = "csv"
grain = "receipt"

[receipts.columns]
receipt_id = "receipt"
customer_id = "customer"
time = "time"
amount = "amount"

[clusters]
window_days = 90
k = 3
starts = 1
features = ["recency_days", "frequency"]

[rfm.purchase]
window_days = 120
leads = true

[rfm.engagement]
events = { receipts = 1, click = 2 }
window_days = 60
refit = "hold"
population = "known"

[rfm.city]
filter = "city == 'Ulm'"
"""


@pytest.fixture(scope="module")
def shop(run, tmp_path_factory):
    """Two hundred customers of different habits; the day is scored and clustered."""
    found = Shop(tmp_path_factory.mktemp("backtest"))
    found.configure(CONFIGURATION + INTERACTIONS + CUSTOMERS)
    pick, rows, clicks = random.Random(9), [], []

    def buys(customer, day, amount=None):
        amount = f"{pick.randint(5, 90)}.00" if amount is None else amount
        rows.append(line(f"r{len(rows)}", f"c{customer}", str(day), amount))

    buys(0, FIRST)
    for customer in range(200):
        gap, day = pick.choice([4, 12, 30, 70]), date(2025, 1, 3)
        while (day := day + timedelta(days=pick.randint(1, 2 * gap))) < QUIET:
            buys(customer, day)
            if pick.random() < 0.3:
                clicks.append(click(f"k{len(clicks)}", f"c{customer}", str(day)))
        buys(customer, date(2025, 8, 1) + timedelta(days=customer % 20))
    buys(3, date(2025, 6, 20), "-30.00")
    rows.append(line("guest", "", str(LAST), "7.00"))
    found.csv("receipts1.csv", rows)
    found.csv("clicks1.csv", clicks)
    people = [person(f"c{at}", ["Ulm", "Aix"][at % 2], "2025-01-01") for at in range(220)]
    found.csv("customers1.csv", people)
    run(found.config, found.raw, found.warehouse, "ingest")
    for day in (EARLIER, DAY - timedelta(days=20)):
        run(found.config, found.raw, found.warehouse, "rfm", day)
    run(found.config, found.raw, found.warehouse, "clusters", DAY - timedelta(days=20))
    return found


SCORED = DAY - timedelta(days=20)


def backtest(shop, *days, watched=20, more=()):
    place = ["--config", shop.config, "--warehouse", shop.warehouse, "--days", watched, *more]
    return ["backtest", *place, *(word for day in days for word in ("--as-of", day))]


@pytest.fixture(scope="module")
def tested(cli, shop, tmp_path_factory):
    """A copy of the shop with the backtest of two days, and the tables' versions before."""
    copy = Shop(tmp_path_factory.mktemp("tested"))
    shutil.copytree(shop.folder, copy.folder, dirs_exist_ok=True)
    before = versions(copy.warehouse)
    assert cli(*backtest(copy, EARLIER, SCORED)) == 0
    return copy, before


def by_hand(shop, day, watched=20):
    """By customer: visits and money in the days after, from the raw files."""
    rows = duckdb.sql(
        f"""SELECT customer, count_if(amount::INT >= 0) AS visits, sum(amount::INT * 100) AS cents
        FROM read_csv('{shop.raw}/receipts1.csv', all_varchar = true)
        WHERE time::DATE > '{day}' AND time::DATE <= '{day + timedelta(days=watched)}'
        GROUP BY customer""".replace("amount::INT", "amount::DECIMAL(9,2)")
    ).fetchall()
    return {customer: (visits > 0, int(cents)) for customer, visits, cents in rows}


def scores_of(shop, profile, day=SCORED):
    scored = stored(shop.warehouse, "rfm")
    return [row for row in scored if row["profile"] == profile and row["as_of"] == day]


def groups(members, outcomes, rate):
    """Rows of `backtest` of customers by group."""
    found = {}
    for value, customers in members.items():
        did = [outcomes.get(one, (False, 0)) for one in customers]
        came, cents = sum(one for one, _ in did), sum(money for _, money in did)
        share = came / len(did)
        found[value] = (len(did), came, share, share / rate, cents, cents / len(did))
    return found


def told(shop, profile, breakdown, day=SCORED, watched=20):
    return {
        row["value"]: (
            row["customers"], row["responders"], row["response_rate"], row["lift"],
            row["revenue_cents"], row["revenue_per_customer_cents"],
        )
        for row in stored(shop.warehouse, "backtest")
        if (row["profile"], row["breakdown"]) == (profile, breakdown)
        and (row["as_of"], row["days"]) == (day, watched)
    }  # fmt: skip


def assert_groups(found, expected):
    assert found.keys() == expected.keys()
    for value, numbers in expected.items():
        assert found[value] == pytest.approx(numbers), value


@pytest.mark.parametrize("profile", ["purchase", "engagement", "city"])
@pytest.mark.parametrize("day", [EARLIER, SCORED])
def test_groups_are_those_of_the_stored_scores_and_the_raw_receipts(tested, profile, day):
    """The boundaries of one profile are held from the first day on."""
    shop, _ = tested
    outcomes, scored = by_hand(shop, day), scores_of(shop, profile, day)
    members = {name: defaultdict(list) for name in ("all", "segment", "cell")}
    for row in scored:
        keys = {"all": "all", "segment": row["segment"], "cell": row["rfm_cell"]}
        for name, value in keys.items():
            members[name][value].append(row["customer_id"])
    came = [outcomes.get(row["customer_id"], (False, 0))[0] for row in scored]
    for name, of_it in members.items():
        assert_groups(told(shop, profile, name, day), groups(of_it, outcomes, np.mean(came)))


def test_tenths_are_of_the_best_scores_first_and_hold_everybody(tested):
    shop, _ = tested
    found = told(shop, "purchase", "decile")
    [whole] = told(shop, "purchase", "all").values()
    assert [sum(row[at] for row in found.values()) for at in (0, 1, 4)] == pytest.approx(
        [whole[0], whole[1], whole[4]]
    )
    scored = sorted(scores_of(shop, "purchase"), key=lambda row: -row["rfm_total"])
    ends = {}
    for place, row in enumerate(scored, 1):
        ends[row["rfm_total"]] = (ends.get(row["rfm_total"], (place, 0))[0], place)
    members = defaultdict(list)
    for row in scored:
        first, last = ends[row["rfm_total"]]
        middle = (first - 1 + last) / 2 / len(scored)
        members[str(min(10, 1 + int(10 * middle + 1e-9)))].append(row["customer_id"])
    outcomes = by_hand(shop, SCORED)
    assert_groups(found, groups(members, outcomes, whole[2]))


def test_clusters_and_tiers_are_those_stored_of_the_day(tested, capfd):
    shop, _ = tested
    outcomes = by_hand(shop, SCORED)
    tiers = {row["cluster"]: row["tier"] for row in stored(shop.warehouse, "clusters")}
    assigned = stored(shop.warehouse, "cluster_assignments")
    members = {"cluster": defaultdict(list), "tier": defaultdict(list)}
    for row in assigned:
        members["cluster"][str(row["cluster"])].append(row["customer_id"])
        members["tier"][tiers[row["cluster"]]].append(row["customer_id"])
    rate = np.mean([outcomes.get(row["customer_id"], (False, 0))[0] for row in assigned])
    for name, of_it in members.items():
        assert_groups(told(shop, "habits", name), groups(of_it, outcomes, rate))
    assert told(shop, "habits", "cluster", EARLIER) == {}


def rankings(shop, profile, day=SCORED):
    rows = stored(shop.warehouse, "backtest_rankings")
    return {row["ranking"]: row for row in rows if (row["profile"], row["as_of"]) == (profile, day)}


@pytest.mark.parametrize("profile", ["purchase", "engagement"])
def test_ginis_are_told_by_pairs_of_customers(tested, profile):
    shop, _ = tested
    outcomes, found = by_hand(shop, SCORED), rankings(shop, profile)
    scored = scores_of(shop, profile)
    came = np.array([outcomes.get(row["customer_id"], (False, 0))[0] for row in scored])
    by = {
        "score": np.array([row["rfm_total"] for row in scored]),
        "recency": -np.array([np.inf if (days := row["recency_days"]) is None else days
                              for row in scored]),
    }  # fmt: skip
    for name, scores in by.items():
        of_responders = scores[came][:, None]
        expected = (of_responders > scores[~came]).mean() - (of_responders < scores[~came]).mean()
        assert found[name]["gini"] == pytest.approx(expected), name
    assert {row["customers"] for row in found.values()} == {len(scored)}
    assert {row["responders"] for row in found.values()} == {came.sum()}
    for name in ("score", "recency", "logistic"):
        row = found[name]
        assert row["gini_low"] < row["gini"] < row["gini_high"]
        assert row["gini_low"] > found["chance"]["gini_high"], "habits last in this shop"
    assert found["logistic"]["gini"] > found["score"]["gini"] - 0.1


def test_gains_end_with_everybody_and_the_band_holds_the_diagonal(tested):
    shop, _ = tested
    curves = defaultdict(dict)
    for row in stored(shop.warehouse, "backtest_gains"):
        curves[row["as_of"], row["profile"], row["ranking"]][row["customer_percent"]] = row
    assert len(curves) == 2 * 3 * 4
    for (*_, ranking), points in curves.items():
        assert sorted(points) == list(range(0, 101, 5))
        assert points[0]["responder_share"] == 0
        assert points[100]["responder_share"] == pytest.approx(1)
        for percent, row in points.items() if ranking == "chance" else ():
            assert row["responder_share"] == percent / 100
            assert row["responder_share_low"] <= percent / 100 <= row["responder_share_high"]


def test_several_days_are_those_of_one_after_another_and_nothing_else_is_written(cli, tested):
    shop, before = tested
    own = {*TABLES, *ABOUT_RUNS}
    after = versions(shop.warehouse)
    assert {name for name in after if after[name] != before.get(name)} <= own
    rows = {name: stored(shop.warehouse, name) for name in TABLES}
    assert all(rows.values())
    assert cli(*backtest(shop, SCORED)) == 0
    assert {name: stored(shop.warehouse, name) for name in TABLES} == rows


def test_each_profile_is_cut_by_other_methods_as_well(cli, tested, capfd):
    """The profile that is cut anew each day, all by quantile, as if the configuration said so."""
    shop, _ = tested
    assert cli(*backtest(shop, SCORED, watched=21, more=("--method", "quantile"))) == 0
    by_method = told(shop, "purchase by quantile", "cell", watched=21)
    names = {row["profile"] for row in stored(shop.warehouse, "backtest_rankings")}
    assert {f"{one} by quantile" for one in ("purchase", "engagement", "city")} <= names
    written = ("--set", "rfm.purchase.frequency.method=quantile")
    assert cli(*backtest(shop, SCORED, watched=21, more=written)) == 0
    assert told(shop, "purchase", "cell", watched=21) == by_method
    assert cli(*backtest(shop, SCORED, more=("--method", "quantil"))) == 2
    assert problems(capfd) == [
        "--method quantil: is none that finds boundaries; did you mean 'quantile'?"
    ]


def test_boundaries_of_a_later_day_are_not_known(cli, tested):
    """A profile that is pinned to them is cut as on the day."""
    shop, _ = tested
    rows = {name: stored(shop.warehouse, name) for name in TABLES}
    pinned = ("--set", f'rfm.purchase.pinned="{SCORED}"')
    assert cli(*backtest(shop, EARLIER, more=pinned)) == 0
    assert {name: stored(shop.warehouse, name) for name in TABLES} == rows


@pytest.mark.parametrize(
    ("days", "watched", "line"),
    [
        ([LAST], 1, f"--as-of {LAST}: the data end on {LAST}, 0 days later"),
        ([date(2026, 1, 1)], 5, "the last possible day is 2025-08-26"),
        ([SCORED, BACK], 32, f"--as-of {BACK}: the data end on {LAST}, 31 days later"),
        ([date(2024, 1, 1)], 5, "--as-of 2024-01-01: lies before the data"),
    ],
)
def test_days_that_are_not_over_are_refused(cli, tested, capfd, days, watched, line):
    shop, _ = tested
    before = versions(shop.warehouse)
    assert cli(*backtest(shop, *days, watched=watched)) == 2
    [problem] = problems(capfd)
    assert line in problem
    assert versions(shop.warehouse) == before


def test_one_customer_nobody_and_everybody_are_told_and_warned_of(cli, tested, capfd):
    """Their orders have no Gini; what there is to tell is told."""
    shop, _ = tested
    days, only = (FIRST, DAY, BACK), ("rfm.purchase.window_days=60",)
    more = [word for one in only for word in ("--set", one)]
    assert cli(*backtest(shop, *days, watched=31, more=more)) == 0
    seen = " ".join(on_screen(capfd).split())
    assert "nobody of" in seen
    assert "everybody of" in seen
    for day in (DAY, BACK):
        found = rankings(shop, "purchase", day)
        assert {row["gini"] for row in found.values()} == {None}
        assert {row["gini_low"] for row in found.values()} == {None}
    [quiet] = told(shop, "purchase", "all", DAY, 31).values()
    assert quiet[1:] == (0, 0, None, 0, 0)
    [back] = told(shop, "purchase", "all", BACK, 31).values()
    assert back[:4] == (back[0], back[0], 1, 1)
    [one] = told(shop, "purchase", "all", FIRST, 31).values()
    assert one[0] == 1


WITHOUT_RECEIPTS = """
[business]
time_zone = "Europe/Berlin"

[rfm.clicks]
events = { click = 1 }
window_days = 60

[rfm.engagement]
events = "all"
window_days = 60
"""
KINDS = {"clicks": ("click",), "engagement": ("click", "open")}


@pytest.fixture(scope="module")
def web_shop(cli, tmp_path_factory):
    """Eighty customers who open and click, of whom some only open in the days after."""
    shop = Shop(tmp_path_factory.mktemp("web"))
    shop.configure(WITHOUT_RECEIPTS + INTERACTIONS)
    pick, rows = random.Random(5), []
    for customer in range(80):
        for kind, gap in (("click", pick.choice([6, 25, 60])), ("open", pick.choice([12, 90]))):
            day = EARLIER
            while (day := day + timedelta(days=pick.randint(1, 2 * gap))) <= LAST:
                rows.append(click(f"k{len(rows)}", f"c{customer}", str(day), kind))
    shop.csv("clicks1.csv", rows)
    assert cli("run", *shop.arguments("--as-of", SCORED)) == 0
    assert cli(*backtest(shop, SCORED)) == 0
    return shop, rows


@pytest.mark.parametrize("profile", KINDS)
def test_without_receipts_who_comes_is_who_does_what_the_profile_counts(web_shop, profile):
    shop, rows = web_shop
    end = str(SCORED + timedelta(days=20))
    came = {
        row["customer"]
        for row in rows
        if row["kind"] in KINDS[profile] and str(SCORED) < row["time"] <= end
    }
    scored = scores_of(shop, profile)
    outcomes = dict.fromkeys(came, (True, 0))
    members = defaultdict(list)
    for row in scored:
        members[row["segment"]].append(row["customer_id"])
    rate = np.mean([row["customer_id"] in came for row in scored])
    assert 0 < rate < 1
    assert_groups(told(shop, profile, "segment"), groups(members, outcomes, rate))
    assert rankings(shop, profile)["score"]["responders"] == rate * len(scored)


def test_totals_of_customers_know_no_days(cli, tmp_path, capfd):
    shop = Shop(tmp_path)
    shop.configure(
        """
        [business]
        time_zone = "Europe/Berlin"

        [customer_totals]
        path = "totals*.csv"
        format = "csv"

        [customer_totals.columns]
        customer_id = "customer"
        as_of = "DATE '2025-08-31'"
        orders = "orders"
        last_purchase = "last"
        amount = "money"
        """
    )
    assert cli(*backtest(shop, SCORED)) == 2
    [problem] = problems(capfd)
    assert "[customer_totals] do not know" in problem


def test_attributes_of_no_day_stay_out(cli, tested, capfd):
    shop, _ = tested
    text = shop.config.read_text().replace('valid_from = "since"\n', "")
    undated = shop.folder / "undated.toml"
    undated.write_text(text, encoding="utf-8")
    place = ["--config", undated, "--warehouse", shop.warehouse, "--as-of", SCORED, "--days", 19]
    assert cli("backtest", *place) == 0
    seen = " ".join(on_screen(capfd).split())
    assert "city: the filter looks at attributes of [customers] without `valid_from`" in seen
    rows = [row for row in stored(shop.warehouse, "backtest_rankings") if row["days"] == 19]
    assert {row["profile"] for row in rows} == {"purchase", "engagement"}
    events = {row["customer_id"] for row in scores_of(shop, "engagement")}
    known = {row["profile"]: row["customers"] for row in rows}["engagement"]
    assert known == 200 < len(events), "who is known by attributes alone may not have been then"


@pytest.fixture(scope="module")
def pages(spark, tested):
    """The report's page as of a day on which the second backtest was over, and one it was not."""
    shop, _ = tested
    run = Run(spark, load_settings(shop.config), Warehouse(spark, str(shop.warehouse)), "")
    ends = SCORED + timedelta(days=20)
    return [list(backtest_pages(run, day)) for day in (ends, ends - timedelta(days=1))]


def test_the_report_tells_the_newest_backtest_that_was_over(pages):
    [[page], [before]] = pages
    choice = page.blocks[0]
    assert {"purchase, 20 days", "engagement, 20 days", "city, 20 days"} <= choice.options.keys()
    for name, day in ((page, SCORED), (before, EARLIER)):
        [words, chart, *_] = name.blocks[0].options["purchase, 20 days"]
        assert f"Scored as of {day}" in words.text
        assert len(chart.data.rows) == 4 * 21
    titles = {one.title for one in page.blocks if isinstance(one, Grid)}
    assert titles == {"What they did, by cluster", "What they did, by tier"}
    *_, history = choice.options["purchase, 20 days"]
    assert [row["as_of"] for row in history.data.rows] == [SCORED, EARLIER]


def test_curves_that_end_together_are_not_named_there(pages):
    [[page], _] = pages
    chart = page.blocks[0].options["purchase, 20 days"][1]
    band, *lines = vega_spec(chart, MoneyFormat("EUR", 2))["layer"]
    assert band["mark"]["type"] == "area"
    assert [layer["mark"]["type"] for layer in lines] == ["line", "point"]
