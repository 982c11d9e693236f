"""Look-ups whose rows hold from a day on: exchange rates, against DuckDB's ASOF join."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import pytest
from support.screen import on_screen, problems
from support.shop import Shop, stored, versions

SHOP = """
[business]
time_zone = "Europe/Berlin"
day_start_hour = 4
currency = "EUR"

[ingest]
max_rejected_share = 0.9

[receipts]
path = "receipts*.csv"
format = "csv"
grain = "receipt"
types = { total = "DECIMAL(12,2)" }

[receipts.lookups.rates]
path = "rates.csv"
format = "csv"
on = "currency"
valid_from = "date"

[receipts.columns]
receipt_id = "id"
customer_id = "customer"
time = "at"
amount = "if(currency = 'EUR', total, total * try_cast(rates.rate AS DECIMAL(18,9)))"
is_void = "void = 'yes'"

[clusters]
k = 2
"""
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def some_receipts(chance):
    """Over fourteen months, at all hours; some in a currency without rates, one voided."""
    rows = []
    for number in range(500):
        day = date(2024, 12, 20) + timedelta(days=chance.randrange(430))
        at = datetime(day.year, day.month, day.day, chance.randrange(4, 24), 30, tzinfo=BERLIN)
        at += timedelta(hours=chance.choice([0, 4]))  # past midnight, before the day's start
        business_day = (at - timedelta(hours=4)).date()
        rows.append(
            {
                "id": f"r{number}",
                "customer": f"c{number % 40}",
                "at": at.astimezone(ZoneInfo("UTC")).isoformat(),
                "currency": chance.choice(["EUR", "USD", "GBP", "JPY"]),
                "total": f"{chance.randrange(1, 90_000) / 100:.2f}",
                "void": "no",
                "day": business_day.isoformat(),
            }
        )
    rows[0] |= {"currency": "JPY", "void": "yes"}
    return rows


def some_rates(chance):
    """On working days, none in March, and of pounds the first days of three months only."""
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(400)]
    kept = [day for day in days if day.weekday() < 5 and (day.year, day.month) != (2025, 3)]
    rates = [("USD", day) for day in kept] + [("GBP", date(2025, m, 1)) for m in (1, 6, 11)]
    rows = [
        {"currency": currency, "date": day.isoformat(), "rate": f"0.{chance.randrange(10**9):09}"}
        for currency, day in rates
    ]
    chance.shuffle(rows)
    return rows


def test_the_newest_rate_that_is_not_after_the_business_day_counts(cli, shop, tmp_path):
    chance = Random(5)
    receipts, rates = some_receipts(chance), some_rates(chance)
    shop.csv("receipts1.csv", receipts)
    shop.csv("rates.csv", rates)
    shop.configure(SHOP)
    assert cli("check", *shop.arguments()) == 0
    assert cli("ingest", *shop.arguments()) == 0

    with duckdb.connect() as database:
        for name in ("receipts1", "rates"):
            path = shop.raw / f"{name}.csv"
            database.execute(f"CREATE TABLE {name} AS FROM read_csv('{path}', all_varchar = true)")
        found = database.execute(
            "SELECT id, r.currency, total, rate FROM receipts1 AS r ASOF LEFT JOIN rates AS q "
            "ON r.currency = q.currency AND r.day >= q.date WHERE void = 'no'"
        ).fetchall()
    wanted = {}
    for receipt, currency, total, rate in found:
        factor = Decimal(1) if currency == "EUR" else rate and Decimal(rate)
        if factor is not None:
            money = Decimal(total) * factor * 100
            wanted[receipt] = int(money.quantize(Decimal(1), ROUND_HALF_EVEN))
    taken = stored(shop.warehouse, "receipts")
    assert {row["receipt_id"]: row["net_cents"] for row in taken if not row["is_void"]} == wanted
    turned_away = {one for one, *_ in found} - set(wanted)
    told = stored(shop.warehouse, "quarantine")
    assert len(turned_away) == len(told) > 100
    assert all("not_in_rates" in row["reasons"] for row in told)
    currencies = {receipt: currency for receipt, currency, *_ in found}
    assert {currencies[one] for one in turned_away} == {"USD", "GBP", "JPY"}


def test_only_rates_that_files_can_have_asked_for_bring_them_in_again(cli, shop, capfd):
    """A table of rates grows with each day, and a history is not read again each night."""
    receipts = some_receipts(Random(5))[:40]
    latest = max(receipts, key=lambda one: one["day"])
    latest["currency"] = "XXX"  # turned away, for want of a rate
    shop.csv("receipts1.csv", receipts)
    rates = some_rates(Random(5))
    shop.configure(SHOP)
    tomorrow = str(datetime.now(BERLIN).date() + timedelta(days=1))
    for rows, told in (
        (rates, "1 new or changed deliveries"),
        ([*rates, rates[0] | {"date": "2099-01-01"}], "nothing new"),
        ([*rates, rates[0] | {"date": tomorrow}], "nothing new"),
        (
            [*rates, rates[0] | {"date": latest["day"], "currency": "XXX"}],
            "1 new or changed deliveries",
        ),
        ([rates[0] | {"rate": "0.5"}, *rates[1:]], "1 new or changed deliveries"),
    ):
        shop.csv("rates.csv", rows)
        assert cli("ingest", *shop.arguments()) == 0
        assert told in on_screen(capfd)


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        ("currency,date,rate\nUSD,2025-01-01,0.9\nUSD, 2025-01-01,0.8\n",
         "[receipts.lookups.rates] on: 'currency' occurs more than once with the same 'date' in"),
        ("currency,date,rate\nUSD,31.12.2024,0.9\n", "is not everywhere a day such as 2026-01-31"),
        ("currency,date,rate\nUSD,2025-01-01,1\nUSD,,0.9\n", "is not everywhere a day such as"),
        ("currency,day,rate\nUSD,2025-01-01,1\n",
         "valid_from: the lookup has no column 'date'; it has currency, day, rate"),
    ],
)  # fmt: skip
def test_rates_of_no_day_or_twice_on_one_are_refused(cli, shop, capfd, rates, told):
    shop.csv("receipts1.csv", some_receipts(Random(5))[:9])
    shop.file("rates.csv").write_text(rates)
    shop.configure(SHOP)
    assert cli("ingest", *shop.arguments()) == 2
    [problem] = problems(capfd)
    assert told in problem
    assert versions(shop.warehouse) == {}


def test_a_time_that_is_no_column_is_told_although_rates_need_it(cli, shop, capfd):
    shop.csv("receipts1.csv", some_receipts(Random(5))[:9])
    shop.csv("rates.csv", some_rates(Random(5)))
    shop.configure(SHOP, {'time = "at"': 'time = "att"'})
    assert cli("check", *shop.arguments()) == 2
    [problem] = problems(capfd)
    assert "[receipts.columns] time = 'att'" in problem
    assert "did you mean 'at'?" in problem


def test_only_receipts_have_look_ups_of_a_day(refused):
    rates = SHOP[SHOP.index("[receipts.lookups") : SHOP.index("[receipts.columns]")]
    customers = (
        '[customers]\npath = "c.csv"\nformat = "csv"\n'
        'columns = { customer_id = "c", attributes = { city = "city" } }\n'
    )
    (problem,) = refused(SHOP + customers + rates.replace("receipts", "customers"))
    told = "customers: lookups.rates.valid_from is for receipts, which have a business day"
    assert problem == told
