"""Every customer's first receipt is known, whatever comes late, is corrected or cancelled."""

from __future__ import annotations

import random
import shutil
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F
from reference.acquisition import first_receipts as first_by_sql
from support import assert_rows, rows_of
from support.receipts import a_return, receipt, sums
from support.shop import EVERYTHING, Shop, line, stored
from support.shop import RECEIPTS as TILL

from rfm_spark.facts import job as facts_job
from rfm_spark.facts.first_receipts import (
    changed_first_days,
    first_days,
    first_receipts,
    touched_customers,
)
from rfm_spark.facts.tables import ACQUISITION
from rfm_spark.facts.transforms import customer_days, customer_years
from rfm_spark.ingest.tables.receipts import RECEIPTS

WON = tuple(column.name for column in ACQUISITION)


def first_of(spark, receipts, tells_promotions=True):
    rows = rows_of(spark, RECEIPTS, receipts)
    days = first_days(customer_years(customer_days(rows)))
    return first_receipts(rows, days, tells_promotions)


def at(number, customer, time, **fields):
    """A receipt by its number, at a time."""
    return receipt(customer, time[:10], receipt_id=f"r{number}") | {
        "receipt_ts": pd.Timestamp(time).to_pydatetime(), **fields,
    }  # fmt: skip


def test_the_first_visit_of_the_first_day_tells_how_a_customer_was_won(spark):
    tea, cups = ("tea", 2, 3_00), ("cups", 1, 9_00)
    receipts = [
        at(3, "anna", "2026-01-15 09:00", store_id="north", channel="app", categories=[tea, cups]),
        at(1, "anna", "2026-01-15 09:30", store_id="south"),
        at(0, "anna", "2026-01-16 08:00", store_id="south"),
        at(6, "ben", "2026-01-15 09:00", store_id="south", has_promotion=True),
        at(5, "ben", "2026-01-15 09:00", store_id="north"),  # the same moment: by its id
        a_return("cleo", "2026-01-02", -4_00) | {"store_id": "south"},
        at(
            7, "cleo", "2026-02-01 10:00", has_promotion=True, categories=[("a", 1, 5), ("b", 1, 5)]
        ),
        at(8, None, "2026-01-01 10:00", store_id="north"),
        at(9, "dora", "2026-01-01 10:00", status="void"),
    ]
    expected = sums(
        ("customer_id", "day", "year", *WON),
        ("anna", "2026-01-15", 2026, "north", "app", False, "cups"),
        ("ben", "2026-01-15", 2026, "north", None, False, None),
        ("cleo", "2026-02-01", 2026, None, None, True, "a"),
    )
    assert_rows(first_of(spark, receipts), expected)
    unknown = [row | {"first_promotion": None} for row in expected]
    assert_rows(first_of(spark, receipts, tells_promotions=False), unknown)


def test_whose_first_day_can_have_changed_is_everybody_whose_first_receipt_has(spark):
    """Many small shops in one: what is redone of the old rows makes those of a rebuild."""
    chance = random.Random(7)
    first, span = date(2024, 11, 1), 100
    changed = [first + timedelta(days=chance.randrange(span)) for _ in range(9)]

    def some(days, count):
        return [
            at(
                chance.randrange(10**6),
                f"c{chance.randrange(150)}",
                f"{chance.choice(days)} {chance.randrange(10, 13)}:00",
                store_id=chance.choice("NS"),
                is_visit=chance.random() < 0.8,
            )
            for _ in range(count)
        ]

    others = [day for n in range(span) if (day := first + timedelta(days=n)) not in changed]
    stay = some(others, 300)
    before, after = (
        rows_of(spark, RECEIPTS, stay + some(changed, count)).persist() for count in (80, 60)
    )
    stored_rows = first_of_rows(before).persist()
    is_changed = F.col("day").isin(changed)
    days = customer_days(after)
    touched = touched_customers(days.where(is_changed), stored_rows, is_changed).persist()
    moved = changed_first_days(touched, customer_years(days)).persist()
    redone = first_receipts(after, moved.select("customer_id", "day"), True)
    found = stored_rows.join(moved, "customer_id", "left_anti").unionByName(redone)
    assert sorted(found.collect()) == sorted(first_of_rows(after).collect())
    told = [tuple(row) for row in moved.select("day", "stored_day").collect()]
    assert any(before is None for _, before in told)
    assert any(day is None for day, _ in told)
    both = [pair for pair in told if None not in pair]
    assert any(day < before for day, before in both)
    assert any(day > before and day not in changed for day, before in both)
    assert moved.count() < stored_rows.count() / 2
    assert 0 < touched.where("is_lost").count() < moved.count()
    others = touched.where("NOT is_lost")
    without_years = changed_first_days(others, None)
    with_years = moved.join(others, "customer_id", "left_semi").select(without_years.columns)
    assert sorted(without_years.collect()) == sorted(with_years.collect())


def first_of_rows(rows):
    return first_receipts(rows, first_days(customer_years(customer_days(rows))), True)


CONTEXT = {
    'category = "category"': 'category = "category"\nstore_id = "store"\nchannel = "channel"\n'
    "promotion = \"coupon = 'yes'\"",
    "[cohorts]": "[cohorts]\ncuts = ['first_store', 'first_promotion', 'first_category']",
}
FIRST, DAYS = date(2024, 12, 10), 80


def bought(number, customer, day, chance):
    """The lines of a receipt."""
    shared = {"store": chance.choice(["N", "S", "W"]), "channel": chance.choice(["app", ""])}
    time = f"{day} {chance.randrange(9, 12):02}:30:00"
    return [
        line(f"r{number:03}", customer, time, chance.choice(["-4.00", "3.00", "5.00", "5.00"]),
             category=chance.choice(["tea", "cups", "milk"]))
        | shared | {"coupon": chance.choice(["yes", "no", "no"])}
        for _ in range(chance.choice([1, 2, 3]))
    ]  # fmt: skip


def deliveries(seed):
    """Receipts; then late, corrected, moved and cancelled ones; then some of the last month."""
    chance = random.Random(seed)
    names = ["0", *(f"c{n:02}" for n in range(40))]

    def some(numbers, first=0):
        return [
            row
            for number in numbers
            for row in bought(
                number, chance.choice(names), FIRST + timedelta(days=chance.randrange(first, DAYS)),
                chance,
            )
        ]  # fmt: skip

    first = some(range(70))
    second = some([*range(100, 115), *range(20)])  # of other customers, days and stores
    cancelled = [row for row in first if row["receipt"] >= "r050"]
    second += [row | {"void": "yes"} for row in cancelled]
    return [first, second, some(range(200, 215), first=50)]


def reference_of(delivered):
    """Raw lines and the receipts that count, in DuckDB."""
    rows = [
        row | {"delivery": f"receipts{place}.csv"}
        for place, rows in enumerate(delivered)
        for row in rows
    ]
    con = duckdb.connect()
    con.register("raw", pd.DataFrame(rows))
    con.execute("""
        CREATE TABLE raw_lines AS
        SELECT delivery, receipt AS receipt_id, nullif(customer, '0') AS customer_id,
               CAST(time AS TIMESTAMP) AS local_at, CAST(amount AS DECIMAL(9, 2)) * 100 AS cents,
               category, store, nullif(channel, '') AS channel, coupon = 'yes' AS promotion, void
        FROM raw;
        CREATE TABLE receipts AS
        WITH versions AS (
            SELECT delivery, receipt_id, max(customer_id) AS customer_id,
                   CAST(min(local_at) AS DATE) AS business_date, bool_or(cents >= 0) AS is_visit,
                   CAST(sum(cents) AS BIGINT) AS net_cents, bool_or(void = 'yes') AS is_void
            FROM raw_lines GROUP BY ALL
        )
        SELECT * FROM versions
        QUALIFY row_number() OVER (PARTITION BY receipt_id ORDER BY delivery DESC) = 1;
        DELETE FROM receipts WHERE is_void;
    """)
    return con


def plain(rows, names=("customer_id", "day", *WON)):
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


def files_of(shop, year):
    uris = DeltaTable(str(shop.warehouse / "first_receipts")).file_uris()
    return {uri for uri in uris if f"/year={year}/" in uri}


@pytest.fixture(scope="module")
def shop(run, tmp_path_factory):
    """A shop after three deliveries; after each its first receipts were those of the raw rows.

    Those of the first one, which are all made, are looked for as where there are many.
    """
    shop, delivered = Shop(tmp_path_factory.mktemp("won")), deliveries(1)
    shop.configure(TILL, CONTEXT)
    for place, rows in enumerate(delivered):
        shop.csv(f"receipts{place}.csv", rows)
        before = files_of(shop, 2024) if place else set()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(facts_job, "_FILTERED_BYTES", -1)
            run(shop.config, shop.raw, shop.warehouse, "ingest")
        expected = first_by_sql(reference_of(delivered[: place + 1])).to_dict("records")
        assert plain(stored(shop.warehouse, "first_receipts")) == plain(expected)
    assert files_of(shop, 2024) == before, "the last delivery told of 2025 alone"
    return shop


def test_late_corrected_and_cancelled_receipts_change_who_was_won_how(shop):
    days = []
    for count in (1, 2, 3):
        found = first_by_sql(reference_of(deliveries(1)[:count]))
        days.append(dict(zip(found["customer_id"], found["day"], strict=True)))
    pairs = [(days[0].get(name), days[1].get(name)) for name in days[0] | days[1]]
    assert any(old and new and new < old for old, new in pairs)
    assert any(old and new and new > old for old, new in pairs)
    assert any(new is None for _, new in pairs)
    assert any(old is None for old, _ in pairs)
    assert len(days[2]) > len(days[1])


CUTS = ("first_store", "first_promotion", "first_category")
SUMS = """
SELECT strftime(date_trunc('month', f.day), '%Y-%m-%d') AS cohort,
       datediff('month', f.day, r.business_date) AS period_index,
       {value} AS value,
       count(DISTINCT customer_id) FILTER (r.is_visit) AS active_so_far,
       CAST(sum(r.net_cents) AS BIGINT) AS revenue_cents
FROM first f JOIN receipts r USING (customer_id)
WHERE r.business_date BETWEEN f.day AND $as_of
GROUP BY ALL
"""


@pytest.mark.parametrize("as_of", [date(2025, 1, 20), FIRST + timedelta(days=DAYS - 1)])
def test_cohorts_are_cut_by_how_customers_were_won(run, shop, as_of):
    run(shop.config, shop.raw, shop.warehouse, "cohorts", as_of)
    con = reference_of(deliveries(1))
    con.register("first", first_by_sql(con, as_of))
    told = [f"coalesce(CAST({name} AS VARCHAR), 'unknown')" for name in CUTS]
    expected = {}
    for cut, value in [*zip(CUTS, told, strict=True), (" x ".join(CUTS), "||' x '||".join(told))]:
        for row in con.execute(SUMS.format(value=value), {"as_of": as_of}).df().to_dict("records"):
            key = (cut, row["value"], row["cohort"], row["period_index"])
            expected[key] = (row["active_so_far"], row["revenue_cents"])
    rows = [row for row in stored(shop.warehouse, "cohort_cuts") if row["as_of"] == as_of]
    found = {
        (row["cut"], row["value"], str(row["cohort"]), row["period_index"]):
        (row["active_so_far"], row["revenue_cents"])
        for row in rows
        if row["cut"] in (*CUTS, " x ".join(CUTS))
    }  # fmt: skip
    assert {
        key: value for key, value in found.items() if value != (0, 0) or key in expected
    } == expected
    members = sum(row["cohort_size"] for row in rows
                  if row["cut"] == CUTS[0] and row["period_index"] == 0)  # fmt: skip
    assert members == len(first_by_sql(con, as_of)) > 0


def test_promotions_are_unknown_where_no_receipt_tells_of_any_more(run, shop, tmp_path):
    other = Shop(tmp_path)
    without = {"promotion = \"coupon = 'yes'\"": "", "'first_promotion', ": ""}
    other.configure(shop.config.read_text(), without)
    shutil.copytree(shop.warehouse, other.warehouse)
    shutil.copy(shop.raw / "receipts2.csv", other.file("receipts2.csv"))  # the others are gone
    run(other.config, other.raw, other.warehouse, "ingest")
    before = stored(shop.warehouse, "first_receipts")
    assert {row["first_promotion"] for row in before} == {True, False}
    expected = [row | {"first_promotion": None} for row in before]
    assert plain(stored(other.warehouse, "first_receipts")) == plain(expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "'first_channel' needs receipts.columns.channel"),
        (
            {'category = "category"': 'channel = "channel"', '"city"': '"a"\nfirst_channel = "b"'},
            "'first_channel' is an attribute, and what first receipts tell",
        ),
        ({"first_channel": "first_chanel"}, "of first receipts: first_store, first_channel"),
    ],
)
def test_a_cut_that_nothing_tells_is_refused(refused, change, told):
    text = EVERYTHING.replace("[cohorts]", "[cohorts]\ncuts = ['first_channel']")
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    assert told in " ".join(refused(text))
