"""Customers given as totals: scores as of receipts, bad rows, and what cannot be told."""

from __future__ import annotations

import random
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import reference
from support import assert_rows, rows_of
from support.screen import on_screen, problems
from support.shop import Shop, stored, versions

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.asks import RECEIPT_VALUES, Ask, united
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    CUSTOMER_YEAR_EVENTS,
    CUSTOMER_YEARS,
)
from rfm_spark.ingest.rows.business_time import Calendar
from rfm_spark.ingest.rows.customer_totals import TotalsRules, totals_by, totals_rows
from rfm_spark.ingest.rows.rules import AllowedDays
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.rfm.values import Basis, WeightedKinds, rfm_values

EXAMPLE = (Path(__file__).parents[1] / "conf" / "customer_totals.toml").read_text(encoding="utf-8")
JANUARY, FEBRUARY = date(2026, 1, 28), date(2026, 2, 28)

RECEIPTS = """
[business]
time_zone = "Europe/Madrid"

[receipts]
path = "receipts.csv"
format = "csv"
grain = "receipt"
columns = { receipt_id = "id", customer_id = "customer", time = "day", amount = "amount" }

[rfm.purchase]
window_days = "all"
"""

TOTALS_OF_RECEIPTS = """
    SELECT customer, '{as_of}' AS as_of,
           count(*) FILTER (amount >= 0) AS orders,
           min(day) FILTER (amount >= 0) AS first_purchase,
           max(day) FILTER (amount >= 0) AS last_purchase,
           sum(amount) AS revenue, 'ES' AS country
    FROM receipts WHERE day <= DATE '{as_of}' GROUP BY customer
    HAVING max(day) > DATE '{since}' ORDER BY customer
"""

RULES = TotalsRules(
    calendar=Calendar("Europe/Madrid", 0, "Europe/Madrid"),
    time_format=None,
    minor_unit_digits=2,
    guest_ids=["0"],
    days=AllowedDays(date(2000, 1, 1), date(2099, 12, 31), date(2026, 6, 30)),
)


def row(customer, orders="2", last="2026-01-20", amount="30.00", as_of="2026-01-28", first=None):
    """One row as a shop system exports it."""
    return {
        "customer": customer,
        "as_of": as_of,
        "orders": orders,
        "last_purchase": last,
        "first_purchase": first or "",
        "revenue": amount,
        "country": "ES",
    }


def typed(spark, rows):
    """Rows of `totals_rows`, all of one delivery."""
    fields = ("customer", "as_of", "orders", "last_purchase", "first_purchase", "revenue")
    delivered = [
        ("d", "f", str(number), "", *[one[name] for name in fields])
        for number, one in enumerate(rows)
    ]
    names = "delivery file raw turned_away customer_id as_of orders last_purchase"
    schema = ", ".join(f"{name} string" for name in f"{names} first_purchase amount".split())
    return totals_rows(spark.createDataFrame(delivered, schema), RULES)


@pytest.mark.parametrize("good", [
    row("anna"),
    row(" anna ", orders="2.0", amount="-3.5", last="2026-01-28", first="2026-01-28"),
    row("anna", orders="0", last="", amount="0"),
])  # fmt: skip
def test_totals_that_can_be_are_taken(spark, good):
    [found] = typed(spark, [good]).collect()
    assert (found["reasons"], found["customer_id"]) == ("", "anna")


BAD = {
    "customer_missing": [row(" "), row("0")],
    "as_of_missing": [row("a", as_of="")],
    "as_of_unreadable": [row("a", as_of="soon")],
    "orders_missing": [row("a", orders="")],
    "orders_not_a_number": [row("a", orders="two")],
    "orders_not_whole": [row("a", orders="2.5")],
    "orders_negative": [row("a", orders="-1")],
    "amount_missing": [row("a", amount=" ")],
    "amount_not_a_number": [row("a", amount="30 EUR"), row("a", amount="1e30")],
    "last_purchase_missing": [row("a", last="")],
    "last_purchase_unreadable": [row("a", last="2026-13-01")],
    "first_purchase_unreadable": [row("a", first="20")],
    "date_out_of_range": [row("a", first="1999-12-31")],
    "date_in_future": [row("a", last="2026-07-01", as_of="2026-07-01")],
    "last_purchase_after_as_of": [row("a", last="2026-01-29")],
    "first_purchase_after_last": [row("a", first="2026-01-21")],
    "purchase_without_orders": [row("a", orders="0")],
}


def test_a_row_that_cannot_be_is_rejected_with_the_rule_it_breaks(spark):
    cases = [(rule, one) for rule, rows in BAD.items() for one in rows]
    rows = [dict(one, customer=one["customer"].replace("a", f"c{n}")) for n, (_, one) in
            enumerate(cases)]  # fmt: skip
    found = sorted(typed(spark, rows).collect(), key=lambda one: int(one["raw"]))
    assert [one["reasons"] for one in found] == [rule for rule, _ in cases]


def test_of_equal_totals_one_counts_and_of_different_ones_none(spark):
    rows = [
        row("equal"), row("equal", orders="2.0"), row("equal", amount="x"),
        row("other"), row("other", amount="30.01"), row("other", first="2026-01-20"),
        row("days"), row("days", as_of="2026-01-27"),
    ]  # fmt: skip
    found = sorted(typed(spark, rows).collect(), key=lambda one: int(one["raw"]))
    assert [one["reasons"] for one in found] == [
        "", "equal_line_dropped", "amount_not_a_number", *["customer_repeated"] * 3, "", "",
    ]  # fmt: skip


def total(customer, as_of, delivery="a", orders=1, last="2026-01-01"):
    return {"customer_id": customer, "as_of": as_of, "delivery": delivery, "orders": orders,
            "net_cents": orders * 10_00, "last_purchase": last, "first_purchase": last}  # fmt: skip


def test_the_totals_of_the_latest_day_by_then_count_of_the_newest_delivery(spark):
    rows = [
        total("anna", "2026-01-28", "a"),
        total("anna", "2026-01-28", "b"),
        total("anna", "2026-01-27", "c"),
        total("anna", "2026-02-28", "d"),
        total("ben", "2026-02-28", "d"),
    ]
    found = totals_by(rows_of(spark, CUSTOMER_TOTALS, rows), JANUARY)
    status = ["superseded", "current", "superseded", "later", "later"]
    names = ("customer_id", "delivery", "as_of")
    assert_rows(
        found,
        [{name: one[name] for name in names} | {"status": told}
         for one, told in zip(rows, status, strict=True)],
    )  # fmt: skip


def test_a_window_of_totals_is_refused_and_all_time_is_told(spark):
    totals = rows_of(spark, CUSTOMER_TOTALS, [total("anna", "2026-01-28", orders=3)])
    empty = [rows_of(spark, table, []) for table in (CUSTOMER_DAYS, CUSTOMER_YEARS)]
    facts = CustomerFacts(*empty, totals=totals)
    with pytest.raises(ValueError, match="do not tell of the last 90 days"):
        customer_sums(facts, JANUARY, [Ask(LookBack(90), RECEIPT_VALUES)])
    found = customer_sums(facts, JANUARY, [Ask(EVER, RECEIPT_VALUES)])
    assert_rows(
        found, [{"customer_id": "anna", "visits_all": 3, "net_cents_all": 30_00,
                 "receipts_all": 1, "last_visit": "2026-01-01"}],
    )  # fmt: skip


def test_orders_of_totals_count_beside_interactions_as_visits_do(spark):
    basis = Basis(EVER, 3, (WeightedKinds(1, None),), is_money=False, has_all_known=True)
    clicked = {"customer_id": "anna", "day": "2026-01-20", "kind": "click", "events": 2,
               "points": Decimal(5)}  # fmt: skip
    tables = (CUSTOMER_DAYS, CUSTOMER_YEARS, CUSTOMER_DAY_EVENTS, CUSTOMER_YEAR_EVENTS, CUSTOMERS)
    none = {table.name: rows_of(spark, table, []) for table in tables}
    facts = CustomerFacts(
        none["customer_days"],
        none["customer_years"],
        rows_of(spark, CUSTOMER_DAY_EVENTS, [clicked]),
        none["customer_year_events"],
        none["customers"],
        rows_of(spark, CUSTOMER_TOTALS, [
            total("anna", "2026-01-28", orders=4),
            total("ben", "2026-01-28", orders=0, last=None),
            total("cleo", "2026-02-28"),
        ]),
    )  # fmt: skip
    found = rfm_values(customer_sums(facts, JANUARY, united(basis.asks())), JANUARY, basis)
    names = ("customer_id", "recency_days", "frequency", "value_units", "monetary_cents")
    wanted = [("anna", 8, 2 + 3 * 4, (5 + 3 * 4) * 1_000_000, 40_00), ("ben", None, 0, 0, 0)]
    assert_rows(found, [dict(zip(names, one, strict=True)) for one in wanted])


def test_the_configuration_tells_what_totals_cannot_be(refused, load):
    receipts = RECEIPTS.partition('"Europe/Madrid"')[2].partition("[rfm")[0]
    assert refused(EXAMPLE + receipts) == [
        "the file: [customer_totals] stand in place of [receipts]: with both, every purchase would "
        "be told twice; leave one of them out"
    ]
    [window] = refused(EXAMPLE, "rfm.purchase.window_days=365")
    assert window == (
        "the file: rfm.purchase.window_days: [customer_totals] do not tell what was bought in 365 "
        'days: write window_days = "all"'
    )
    without = EXAMPLE.replace('orders = "orders"\n', "").replace('window_days = "all"', "")
    assert refused(without)[0] == "customer_totals.columns.orders: missing; it must be given"
    implied = load(EXAMPLE.partition("[rfm")[0]).rfm
    assert {name: one.window_days for name, one in implied.items()} == {"purchase": "all"}
    clicks = """
    [interactions.web]
    path = "clicks.csv"
    format = "csv"
    columns = { customer_id = "customer", kind = "kind", time = "time" }
    """
    implied = load(EXAMPLE.partition("[rfm")[0] + clicks).rfm
    windows = {name: one.window_days for name, one in implied.items()}
    assert windows == {"purchase": "all", "engagement": "all"}


def some_receipts():
    """Some 200 receipts of 40 customers; some bring things back, and two do nothing else."""
    draw = random.Random(22)
    found = [
        {
            "id": str(number),
            "customer": f"c{min(draw.randint(0, 37), draw.randint(0, 37)):02}",
            "day": str(date(2025, 9, 1) + timedelta(days=draw.randint(0, 190))),
            "amount": f"{draw.randint(-400, 6000) / 100:.2f}",
        }
        for number in range(200)
    ]
    days = ("2026-01-02", "2026-02-02")
    returns = [{"id": f"r{n}", "customer": f"c9{n}", "day": day, "amount": "-4.10"}
               for n, day in enumerate(days)]  # fmt: skip
    return found + returns


@pytest.fixture(scope="module")
def shops(run, tmp_path_factory):
    """The same customers by their receipts and by totals of two days, both days scored."""
    by_receipts, by_totals = (Shop(tmp_path_factory.mktemp(name)) for name in ("one", "other"))
    by_receipts.configure(RECEIPTS)
    by_receipts.csv("receipts.csv", some_receipts())
    by_totals.configure(EXAMPLE)
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE receipts AS SELECT customer, day, amount::DECIMAL(12, 2) AS amount "
        f"FROM read_csv('{by_receipts.file('receipts.csv')}')"
    )

    def deliver(as_of, since):
        query = TOTALS_OF_RECEIPTS.format(as_of=as_of, since=since)
        con.execute(f"COPY ({query}) TO '{by_totals.file(f'totals {as_of}.csv')}' (HEADER)")

    def do(shop, name, as_of=None):
        run(shop.config, shop.raw, shop.warehouse, name, as_of)

    deliver(JANUARY, "2000-01-01")
    do(by_totals, "run")
    deliver(FEBRUARY, JANUARY)
    do(by_totals, "run")
    do(by_receipts, "ingest")
    for day in (JANUARY, FEBRUARY):
        do(by_receipts, "rfm", day)
    do(by_receipts, "moves", FEBRUARY)
    return by_receipts, by_totals


def test_totals_give_the_scores_of_the_receipts_they_add_up(shops):
    by_receipts, by_totals = (shop.warehouse for shop in shops)
    for table in ("rfm", "rfm_boundaries", "rfm_cells", "segments"):
        found, expected = (
            [{name: value for name, value in one.items() if name != "settings_digest"}
             for one in stored(warehouse, table)]
            for warehouse in (by_totals, by_receipts)
        )  # fmt: skip
        assert found == expected, table
    assert {one["as_of"] for one in stored(by_totals, "segments")} == {JANUARY, FEBRUARY}


def test_totals_give_the_moves_of_the_receipts_they_add_up(shops):
    found, expected = (
        [one for one in stored(shop.warehouse, "segment_moves") if one["since"] == JANUARY]
        for shop in reversed(shops)
    )
    assert found == expected
    assert {"activity", "inactivity", "first"} <= {one["cause"] for one in found}


def assert_independent_scores(shop, warehouse, days):
    """The stored scores are those that the files give without Spark."""
    con = duckdb.connect()
    con.execute(f"""
        CREATE TABLE totals AS
        SELECT customer AS customer_id, as_of, filename AS delivery, orders,
               CAST(revenue::DECIMAL(12, 2) * 100 AS BIGINT) AS net_cents,
               first_purchase, last_purchase
        FROM read_csv('{shop.raw}/totals*.csv', filename = true)
    """)
    for day in days:
        expected = reference.rfm_of_totals(con, day).round({"rfmr_score": 6}).to_dict("records")
        assert len(expected) > 30
        assert_rows([one for one in stored(warehouse, "rfm") if one["as_of"] == day], expected)


def test_scores_are_those_of_an_independent_computation(shops):
    _, shop = shops
    assert_independent_scores(shop, shop.warehouse, (JANUARY, FEBRUARY))


def test_a_backfill_scores_each_day_by_the_totals_of_then(cli, shops, tmp_path):
    _, shop = shops
    copy = shutil.copytree(shop.warehouse, tmp_path / "warehouse")
    days = [JANUARY + timedelta(days=30), FEBRUARY + timedelta(days=6)]  # by either delivery
    until = ("--from", days[0], "--to", days[1], "--every", "week")
    assert cli("backfill", "--config", shop.config, "--warehouse", copy, *until) == 0
    assert_independent_scores(shop, copy, days)


def test_every_total_and_every_cent_is_accounted_for(shops):
    _, shop = shops
    rows = [one for one in stored(shop.warehouse, "reconciliation") if one["as_of"] == FEBRUARY]
    terms = {one["term"]: (one["receipts"], one["net_cents"]) for one in rows}
    con = duckdb.connect()
    delivered = con.execute(
        "SELECT count(*), CAST(sum(revenue::DECIMAL(12, 2)) * 100 AS BIGINT),"
        " count(*) - count(DISTINCT customer)"
        f" FROM read_csv('{shop.raw}/totals*.csv')"
    ).fetchall()[0]
    raw = terms.pop("raw")
    assert raw == delivered[:2]
    assert raw == tuple(sum(one[place] for one in terms.values()) for place in (0, 1))
    assert terms["superseded"][0] == delivered[2] > 10
    assert terms["unscored"] == (2, -4_10 * 2), "of those who only brought something back"


def test_the_wide_row_tells_what_totals_tell_and_nothing_else(shops):
    _, shop = shops
    rows = [one for one in stored(shop.warehouse, "customer_360") if one["as_of"] == FEBRUARY]
    scores = {
        one["customer_id"]: one for one in stored(shop.warehouse, "rfm") if one["as_of"] == FEBRUARY
    }
    returned = {one["customer_id"]: one for one in rows if one["customer_id"] not in scores}
    assert {name: one["segment"] for name, one in returned.items()} == {
        "c90": "Prospect", "c91": "Prospect",
    }  # fmt: skip
    for one in rows:
        assert (one["cluster"], one["attributes"]) == (None, [("country", "ES")])
        if (score := scores.get(one["customer_id"])) is not None:
            assert one["lifetime_visits"] == one["frequency"] == score["frequency"]
            assert one["lifetime_revenue_cents"] == score["monetary_cents"]
            assert (one["first_visit"], one["last_visit"]) == (
                score["first_visit"], score["last_visit"],
            )  # fmt: skip
    assert "cohorts" not in versions(shop.warehouse)


def test_what_totals_do_not_tell_is_refused_or_left_out_in_a_line(cli, shops, capfd):
    _, shop = shops
    before = versions(shop.warehouse)
    assert cli("run", *shop.arguments()) == 0
    shown = on_screen(capfd)
    assert (
        "clusters, bridge, cluster-segments, cohorts, rhythm: made of receipts, and customers are "
        "given as totals" in shown
    )
    assert "Where every total and every EUR went" in shown
    assert shown.count("nothing to be made of") == 2, "customer_days and customer_years"
    after = versions(shop.warehouse)
    assert {name for name in after if after[name] != before[name]} == {"runs"}, "it stands"
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    for command in ("cohorts", "clusters"):
        assert cli(command, *place) == 2
        [told] = problems(capfd)
        assert told == f"{command}: made of receipts, and customers are given as totals"
    assert cli("rfm", *place, "--as-of", "2026-01-27") == 2
    [told] = problems(capfd)
    assert told == (
        "--as-of 2026-01-27: the first totals of customers are as of 2026-01-28; what had been "
        "bought by an earlier day cannot be told from them"
    )
    assert cli("explain", "c00", *place) == 0
    shown = on_screen(capfd)
    assert "all orders to 2026-02-28" in shown
    assert "given as totals, without receipts" in " ".join(shown.split())


def test_bad_totals_are_kept_out_and_corrected_by_the_next_delivery(cli, tmp_path, capfd):
    shop = Shop(tmp_path)
    shop.configure(EXAMPLE.partition("[customers]")[0], {
        '[customer_totals]\n': '[ingest]\nmax_rejected_share = 0.5\n\n[customer_totals]\n'
    })  # fmt: skip
    good = [row(f"c{n}", orders=f"{n}", amount=f"{n}.00") for n in range(1, 7)]
    twice = [row("c7", amount="7.00"), row("c7", amount="8.00")]
    shop.csv("totals1.csv", [*good, good[0], *twice, row("c8", orders="-1", amount="0.50")])
    assert cli("ingest", *shop.arguments()) == 0
    assert "10 rows from 1 delivery, 3 rejected, 1 dropped as equal or older" in on_screen(capfd)
    assert cli("rfm", *shop.arguments()) == 0
    terms = {one["term"]: one for one in stored(shop.warehouse, "reconciliation")}
    counted = {name: (one["receipts"], one["net_cents"]) for name, one in terms.items()}
    assert {name: counts for name, counts in counted.items() if counts[0]} == {
        "raw": (10, 37_50), "rejected": (3, 15_50), "dropped": (1, 1_00), "scored": (6, 21_00),
    }  # fmt: skip
    reasons = {tuple(one["reasons"]): one for one in stored(shop.warehouse, "quarantine")}
    assert set(reasons) == {
        ("customer_repeated",), ("equal_line_dropped",), ("orders_negative",),
    }  # fmt: skip

    first = stored(shop.warehouse, "rfm")
    shop.csv("totals2.csv", [row("c7"), row("c1", orders="9", as_of="2026-02-28")])
    assert cli("ingest", *shop.arguments()) == 0
    shop.touch("totals1.csv")
    assert cli("ingest", *shop.arguments()) == 0, "the same delivery again"
    assert cli("rfm", *shop.arguments(), "--as-of", JANUARY) == 0
    again = stored(shop.warehouse, "rfm")
    visits = {one["customer_id"]: one["frequency"] for one in again}
    assert visits == {one["customer_id"]: one["frequency"] for one in first} | {"c7": 2}

    capfd.readouterr()
    shop.csv("totals3.csv", [{"customer": "c1", "as_of": "2026-01-28", "orders": "1"}])
    assert cli("ingest", *shop.arguments()) == 2
    told = " ".join(problems(capfd))
    assert "[customer_totals.columns] last_purchase = 'last_purchase'" in told
    assert "totals3.csv has no column 'last_purchase'" in told
    shop.csv("totals3.csv", [row("c1", orders="x"), row("c2", orders="1.5"), row("c3")])
    before = versions(shop.warehouse)
    assert cli("ingest", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "[customer_totals] 2 of 3 rows are rejected" in told
    assert "orders_not_a_number (1), orders_not_whole (1)" in told
    assert versions(shop.warehouse) == before
