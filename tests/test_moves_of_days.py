"""Moves of a warehouse: the command, the nights, days that are not there, rules and corrections."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import deltalake
import duckdb
import pytest
import reference
from conftest import ROOT
from deltalake import DeltaTable
from support.screen import on_screen, problems
from support.sessions import as_in_use
from support.shop import (
    EVERYTHING,
    INTERACTIONS,
    RECEIPTS,
    Shop,
    click,
    line,
    person,
    stored,
    versions,
)

from rfm_spark.app.api import run_job
from rfm_spark.app.explain.last_move import cause_between
from rfm_spark.app.explain.stored import stored_customer
from rfm_spark.app.loading import load_settings
from rfm_spark.app.run_record import results_that_stand
from rfm_spark.core.errors import UserError
from rfm_spark.results.registry import RESULTS
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import Warehouse

SINCE, AS_OF = date(2025, 2, 20), date(2025, 3, 20)
WINDOW = "rfm.purchase.window_days=60"


@pytest.fixture
def command(cli, copied_shop, capfd):
    """A command on a copy of the finished shop, as of a day; what it shows."""

    def call(name, as_of, *more, shop=copied_shop):
        day = "--date" if name == "nightly" else "--as-of"
        code = cli(name, *shop.arguments(day, as_of, *more))
        shown = on_screen(capfd)
        assert code == 0, shown
        return shown

    return call


@pytest.fixture
def refused(cli, copied_shop, capfd):
    """What is said of a command that is refused; nothing is written."""

    def call(*arguments):
        before = versions(copied_shop.warehouse)
        capfd.readouterr()
        assert cli("moves", *copied_shop.arguments(*arguments)) == 2
        assert versions(copied_shop.warehouse) == before
        return problems(capfd)

    return call


def moves(shop, since=SINCE, as_of=AS_OF, profile="purchase"):
    """From, to and cause, to customers and money."""
    return {
        (row["segment_before"], row["segment_after"], row["cause"]): (
            row["customers"],
            row["revenue_cents"],
        )
        for row in stored(shop.warehouse, "segment_moves")
        if (row["profile"], row["as_of"], row["since"]) == (profile, as_of, since)
    }


def causes(found):
    return {cause for _, _, cause in found}


def scored(shop, day, profile="purchase"):
    rows = stored(shop.warehouse, "rfm")
    return {
        row["customer_id"]: row for row in rows if (row["profile"], row["as_of"]) == (profile, day)
    }


def cuts(shop, day, profile="purchase"):
    found = {"recency": [], "frequency": [], "monetary": []}
    for row in sorted(stored(shop.warehouse, "rfm_boundaries"), key=lambda one: one["cut"]):
        if (row["profile"], row["version"]) == (profile, day) and row["cut"]:
            found[row["dimension"]].append(row["value"])
    return found


def expected(shop, window=365, since=SINCE, as_of=AS_OF, profile="purchase", without=()):
    """The same by the reference, from what is stored of both days."""
    days = []
    for day in (since, as_of):
        customers = scored(shop, day, profile)
        kept = {name: customers[name] for name in customers.keys() - {*without}}
        days.append(reference.Day(day, kept, cuts(shop, day, profile)))
    return reference.moves(*days, window)


def test_moves_of_two_days_are_those_of_the_reference_and_all_customers_of_both(
    command, copied_shop
):
    command("rfm", SINCE, "--set", WINDOW)
    command("rfm", AS_OF, "--set", WINDOW)
    shown = command("moves", AS_OF, "--since", SINCE, "--set", WINDOW)
    found = moves(copied_shop)
    assert found == expected(copied_shop, 60)
    before, after = scored(copied_shop, SINCE), scored(copied_shop, AS_OF)
    assert sum(customers for customers, _ in found.values()) == len({*before, *after})
    stayed = sum(customers for (_, _, cause), (customers, _) in found.items() if cause == "stayed")
    moved = len({*before, *after}) - stayed
    assert f"{moved} of {len({*before, *after})} customers moved since {SINCE}" in shown
    assert f"purchase, 60 days: customers by segment, {SINCE} to {AS_OF}" in shown
    assert {"left", "returned"} & causes(found)


def test_the_same_again_gives_the_same_rows_and_a_record_of_each(command, copied_shop):
    command("rfm", SINCE)
    for _ in range(2):
        command("moves", AS_OF, "--since", SINCE)
    once = stored(copied_shop.warehouse, "segment_moves")
    command("moves", AS_OF, "--since", SINCE)
    assert stored(copied_shop.warehouse, "segment_moves") == once
    runs = [row for row in stored(copied_shop.warehouse, "runs") if row["job"] == "moves"]
    assert [(row["as_of"], row["outcome"]) for row in runs] == [(AS_OF, "succeeded")] * 3


def test_a_night_tells_moves_since_yesterday_a_week_and_a_month_where_they_are_stored(
    command, copied_shop
):
    yesterday, week, month = date(2025, 3, 19), date(2025, 3, 13), date(2025, 2, 20)
    for day in (yesterday, month, date(2025, 3, 1)):
        command("rfm", day)
    shown = command("nightly", AS_OF)
    rows = stored(copied_shop.warehouse, "segment_moves")
    assert {(row["as_of"], row["since"]) for row in rows} == {(AS_OF, yesterday), (AS_OF, month)}
    assert moves(copied_shop, month) == expected(copied_shop, since=month)
    assert f"customers moved since {yesterday}" in shown
    assert f"customers moved since {week}" not in shown
    assert "customers by segment" not in shown


def test_without_an_earlier_day_there_are_no_moves_and_nothing_is_wrong(
    command, finished_shop, copied_shop
):
    assert stored(finished_shop.warehouse, "segment_moves") == []
    assert "no earlier day is stored" in command(
        "moves", AS_OF, "--set", WINDOW.replace("60", "61")
    )
    assert stored(copied_shop.warehouse, "segment_moves") == []


def test_moves_since_a_day_asked_for_stay_when_the_usual_days_are_made(command, spark, copied_shop):
    other = date(2025, 3, 1)
    command("rfm", other)
    command("moves", AS_OF, "--since", other)
    asked = moves(copied_shop, other)
    job = Run(
        spark,
        load_settings(copied_shop.config),
        Warehouse(spark, str(copied_shop.warehouse)),
        str(copied_shop.raw),
    )
    assert "moves" not in results_that_stand(job, RESULTS, AS_OF)
    command("rfm", SINCE)
    command("moves", AS_OF)
    assert "moves" in results_that_stand(job, RESULTS, AS_OF)
    assert moves(copied_shop, other) == asked
    assert moves(copied_shop, SINCE)


def test_a_day_that_is_not_stored_is_named_with_the_nearest_and_what_to_run(command, refused):
    command("rfm", SINCE)
    nearest = f"stored nearest to it: {SINCE} and {AS_OF}. "
    how = "Make them with `rfm-spark rfm --as-of 2025-03-01`"
    told = f"2025-03-01: no scores are stored of that day; {nearest}{how}"
    assert refused("--since", "2025-03-01") == [f"--since {told}"]
    assert refused("--as-of", "2025-03-01", "--since", SINCE) == [f"--as-of {told}"]
    [only_later] = refused("--since", "2025-02-01")
    assert f"stored nearest to it: {SINCE}. " in only_later


def test_a_day_before_the_data_or_not_before_the_other_is_refused(refused):
    assert refused("--since", "2024-12-29") == [
        "--since 2024-12-29: lies before the data, which begin on 2024-12-30 and end on 2025-03-20"
    ]
    for since in (AS_OF, date(2025, 4, 1)):
        assert refused("--since", since) == [
            f"--since {since}: must be a day before {AS_OF}, the day to describe"
        ]


def test_another_commands_earlier_day_is_refused(spark, copied_shop):
    places = {"input": copied_shop.raw, "warehouse": copied_shop.warehouse}
    with pytest.raises(UserError, match="rfm: compares no days"):
        run_job(spark, "rfm", load_settings(copied_shop.config), **places, since=SINCE)


def test_a_day_that_other_rules_scored_has_moves_by_rules(command, copied_shop):
    command("rfm", SINCE, "--set", "rfm.purchase.frequency={method='fixed', cuts=[1,2,2,3]}")
    command("moves", AS_OF, "--since", SINCE)
    found = moves(copied_shop)
    before, after = scored(copied_shop, SINCE), scored(copied_shop, AS_OF)
    changed = {
        customer
        for customer in before.keys() & after.keys()
        if before[customer]["segment"] != after[customer]["segment"]
    }
    assert changed
    assert sum(found[key][0] for key in found if key[2] == "rules") == len(changed)
    assert causes(found) <= {"rules", "stayed", "first", "returned", "left"}


def test_weights_and_what_to_do_are_no_rules_of_a_segment(command, copied_shop):
    command("rfm", SINCE, "--set", "rfm.purchase.total_weights=[1.0,1.0,1.0]")
    command("moves", AS_OF, "--since", SINCE)
    assert moves(copied_shop) == expected(copied_shop)


def test_of_a_day_without_a_record_the_boundary_sets_tell_the_rules(command, copied_shop):
    for rules, found in (("window_days=60", {"rules"}), ("window_days=365", set())):
        command("rfm", SINCE, "--set", f"rfm.purchase.{rules}")
        runs = DeltaTable(str(copied_shop.warehouse / "runs"))
        runs.update(updates={"results": "NULL"})
        command("moves", AS_OF, "--since", SINCE)
        assert causes(moves(copied_shop)) & {"rules"} == found


@pytest.fixture
def late(copied_shop):
    """Delivers a receipt of a day before the earlier one."""

    def deliver(customer, day, amount="90.00"):
        copied_shop.csv("receipts9.csv", [line("r900", customer, str(day), amount)])

    return deliver


def test_a_receipt_that_comes_late_is_a_correction_of_whom_it_is(command, copied_shop, late):
    command("rfm", SINCE)
    late("c3", date(2025, 2, 19))
    command("run", AS_OF)
    before, after = (scored(copied_shop, day)["c3"] for day in (SINCE, AS_OF))
    assert before["segment"] != after["segment"]
    corrected = (before["segment"], after["segment"], "correction")
    others = expected(copied_shop, without=["c3"])
    assert moves(copied_shop) == {**others, corrected: (1, before["monetary_cents"])}


def test_a_receipt_after_the_earlier_day_corrects_nothing(command, copied_shop, late):
    command("rfm", SINCE)
    late("c3", date(2025, 3, 1))
    command("run", AS_OF)
    assert moves(copied_shop) == expected(copied_shop)
    assert "correction" not in causes(moves(copied_shop))


def test_customers_that_segments_do_not_have_fail_the_run(cli, capfd, command, copied_shop):
    command("rfm", SINCE)
    segments = DeltaTable(str(copied_shop.warehouse / "segments"))
    segments.update(
        updates={"customers": "customers + 1"},
        predicate=f"as_of = '{SINCE}' AND customers > 0 AND segment <> 'x'",
    )
    before = versions(copied_shop.warehouse)["segment_moves"]
    assert cli("moves", *copied_shop.arguments("--since", SINCE)) == 1
    [told] = problems(capfd)
    assert f"moves of purchase from {SINCE} to {AS_OF} do not add up: customers of" in told
    assert versions(copied_shop.warehouse)["segment_moves"] == before


def test_a_night_whose_moves_do_not_add_up_fails_after_all_else_is_made(
    cli, capfd, command, copied_shop
):
    yesterday = date(2025, 3, 19)
    command("rfm", yesterday)
    segments = DeltaTable(str(copied_shop.warehouse / "segments"))
    segments.update(
        updates={"customers": "customers + 1"},
        predicate=f"as_of = '{yesterday}' AND customers > 0 AND segment <> 'x'",
    )
    weeks = ("--set", "cohorts.grains=['week']")
    assert cli("nightly", *copied_shop.arguments("--date", AS_OF, *weeks)) == 1
    shown = capfd.readouterr().err
    assert "do not add up: customers of" in shown
    assert "maintenance" in shown
    assert {row["grain"] for row in stored(copied_shop.warehouse, "cohorts")} == {"week"}
    [night] = [row for row in stored(copied_shop.warehouse, "runs") if row["job"] == "nightly"]
    assert night["outcome"] == "failed: ResultsFailed"
    made = {one["result"] for one in night["results"]}
    assert "cohorts" in made
    assert "moves" not in made


def test_an_earlier_day_of_a_shop_without_receipts_is_looked_for_among_interactions(
    cli, capfd, ingest, tmp_path
):
    shop = Shop(tmp_path)
    business = RECEIPTS.partition("[receipts]")[0]
    shop.configure(business + INTERACTIONS)
    shop.csv("clicks1.csv", [click("1", "anna", "2025-03-01"), click("2", "anna", "2025-03-09")])
    ingest(shop)
    assert cli("rfm", *shop.arguments()) == 0
    for since, told in (
        ("2025-02-01", "lies before the data, which begin on 2025-03-01 and end on 2025-03-09"),
        ("2025-03-02", "no scores are stored of that day"),
    ):
        capfd.readouterr()
        assert cli("moves", *shop.arguments("--since", since)) == 2
        [problem] = problems(capfd)
        assert f"--since {since}: {told}" in problem


def test_all_profiles_are_told_in_one_go(command, copied_shop):
    short = ("--set", "rfm.purchase.window_days=365", "--set", "rfm.short.window_days=30")
    for day in (SINCE, AS_OF):
        command("rfm", day, *short)
    shown = command("moves", AS_OF, "--since", SINCE, *short)
    for name in ("purchase, 365 days", "short, 30 days"):
        assert f"{name}: customers by segment, {SINCE} to {AS_OF}" in shown
    assert moves(copied_shop) == expected(copied_shop)
    short = moves(copied_shop, profile="short")
    assert short == expected(copied_shop, 30, profile="short")
    assert "left" in causes(short)


def test_a_profile_that_came_later_is_told_to_have_no_earlier_day(command, copied_shop):
    command("rfm", SINCE)
    short = ("--set", "rfm.purchase.window_days=365", "--set", "rfm.short.window_days=30")
    command("rfm", AS_OF, *short)
    shown = command("moves", AS_OF, "--since", SINCE, *short)
    assert f"since {SINCE} (not stored of short, or not its boundaries)" in shown
    assert moves(copied_shop)
    assert not moves(copied_shop, profile="short")


@pytest.fixture
def ingest(cli):
    """Takes in what a shop has delivered."""

    def call(shop):
        assert cli("ingest", *shop.arguments()) == 0

    return call


PROFILES = """
[rfm.purchase]
window_days = 60
[rfm.engagement]
events = "all"
window_days = 30
[rfm.clicks]
events = { click = 1 }
window_days = 30
[rfm.local]
window_days = 60
filter = "monetary_cents < 4500 and city != 'Aix'"
population = "known"
"""


def test_one_customer_is_told_the_cause_that_all_are_counted_under(
    command, ingest, spark, copied_shop
):
    """In every profile, also where customers came, left, met a filter, or were corrected."""
    shop = copied_shop
    shop.configure(EVERYTHING + PROFILES)
    people = [person("c8", "Aix"), *(person(f"c{n}", "Ulm") for n in range(7))]
    shop.csv("customers1.csv", people)
    shop.csv("customers2.csv", [person("c30", "Ulm", "2025-03-01")])
    ingest(shop)
    command("rfm", SINCE)
    late = [line("r900", "c3", "2025-02-18", "90.00"), line("r901", "c20", "2025-03-02", "8.00")]
    shop.csv("receipts9.csv", late)
    back = line("r902", "c21", "2025-03-03", "-5.00", quantity="-1")
    shop.csv("receipts10.csv", [back])
    clicks = [click("8", "c1", "2025-03-15"), click("9", "c22", "2025-03-19")]
    shop.csv("clicks9.csv", clicks)
    ingest(shop)
    command("rfm", AS_OF)
    command("moves", AS_OF, "--since", SINCE)
    warehouse = Warehouse(spark, str(shop.warehouse))
    job = Run(spark, load_settings(shop.config), warehouse, str(shop.raw))
    named = {row["customer_id"] for row in stored(shop.warehouse, "rfm")}
    found: dict[str, Counter[tuple[str | None, str | None, str]]] = defaultdict(Counter)
    for customer in named:
        one = stored_customer(job, customer)
        for name, rules in one.now().items():
            sides = (one.segment(name, SINCE), one.segment(name, AS_OF))
            if any(sides):
                found[name][*sides, cause_between(one, name, rules, SINCE, AS_OF)] += 1
    assert len(found) == 4
    for name, customers in found.items():
        told = {key: number for key, (number, _) in moves(shop, profile=name).items()}
        assert customers == told, name
    all_causes = {cause for one in found.values() for _, _, cause in one}
    assert {"first", "left", "correction", "stayed"} <= all_causes
    # Known by attributes alone, by a return alone, and to clicks by a receipt alone.
    for name, customer in (("engagement", "c30"), ("engagement", "c21"), ("clicks", "c20")):
        one = stored_customer(job, customer)
        assert cause_between(one, name, one.now()[name], SINCE, AS_OF) == "first"


def test_one_customer_who_stays_and_one_who_leaves(cli, capfd, command, tmp_path):
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS)
    lines = [line("1", "anna", "2025-01-01", "5.00"), line("2", "ben", "2025-03-01", "7.00")]
    shop.csv("receipts1.csv", lines[:1])
    assert cli("ingest", *shop.arguments()) == 0
    command("rfm", "2025-01-02", shop=shop)
    command("rfm", "2025-01-20", shop=shop)
    command("moves", "2025-01-20", "--since", "2025-01-02", shop=shop)
    [(key, told)] = moves(shop, date(2025, 1, 2), date(2025, 1, 20)).items()
    assert (key[2], told) == ("stayed", (1, 5_00))
    shop.csv("receipts2.csv", lines[1:])
    assert cli("ingest", *shop.arguments()) == 0
    short = ("--set", "rfm.purchase.window_days=30")
    for day in ("2025-01-20", "2025-03-01"):
        command("rfm", day, *short, shop=shop)
    shown = command("moves", "2025-03-01", "--since", "2025-01-20", *short, shop=shop)
    found = moves(shop, date(2025, 1, 20), date(2025, 3, 1))
    assert sorted(found.values()) == [(1, 0), (1, 5_00)]
    assert causes(found) == {"left", "first"}
    assert "left: no longer in the window" in shown
    assert "came for the first time" in shown


@pytest.fixture(scope="module")
def records(spark, run, shared_data, tmp_path_factory):
    """CDNOW as of two days, and moves between them."""
    warehouse = tmp_path_factory.mktemp("cdnow")
    config, data = ROOT / "conf" / "cdnow.toml", shared_data / "cdnow"
    window = ("rfm.purchase.window_days=180",)
    with as_in_use(spark):
        run(config, data, warehouse, "ingest")
        for job, day in (("rfm", date(1997, 7, 31)), ("rfm", date(1997, 8, 31)), ("moves", None)):
            run(config, data, warehouse, job, day or date(1997, 8, 31), window)
    return warehouse


def test_moves_of_real_receipts_are_those_worked_out_from_the_receipts(records, shared_data):
    connection = duckdb.connect()
    reference.receipts(connection, "cdnow", shared_data)
    days = []
    for as_of in (date(1997, 7, 31), date(1997, 8, 31)):
        frame = reference.rfm(connection, as_of, 180)
        customers = {row["customer_id"]: row for row in frame.to_dict("records")}
        days.append(reference.Day(as_of, customers, reference.rfm_cuts(frame)))
    found = deltalake.DeltaTable(str(records / "segment_moves")).to_pyarrow_table().to_pylist()
    told = {
        (row["segment_before"], row["segment_after"], row["cause"]): (
            row["customers"],
            row["revenue_cents"],
        )
        for row in found
    }
    assert told == reference.moves(*days, 180)
    assert {"activity", "inactivity", "boundary", "left", "returned"} <= causes(told)


def test_a_night_goes_on_without_a_day_whose_boundaries_are_gone(command, copied_shop, refused):
    command("rfm", SINCE)
    sets = DeltaTable(str(copied_shop.warehouse / "rfm_boundaries"))
    sets.delete(f"version = '{SINCE}' and profile = 'purchase'")  # as after a RESTORE
    command("moves", AS_OF, "--since", SINCE, "--set", "rfm.engagement.window_days=90")  # alone
    shown = command("moves", AS_OF)
    assert f"{SINCE} (not stored of purchase, or not its boundaries)" in " ".join(shown.split())
    assert not moves(copied_shop)
    assert moves(copied_shop, profile="engagement")
    [told] = refused("--as-of", AS_OF, "--since", SINCE)
    assert f"has no set of purchase fitted on {SINCE}" in told
