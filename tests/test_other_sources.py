"""Interactions and attributes: corrected, repeated and delivered out of order."""

from __future__ import annotations

from datetime import date

import pytest
from support.screen import on_screen
from support.shop import (
    CUSTOMERS,
    INTERACTIONS,
    RECEIPTS,
    Shop,
    click,
    person,
    some_lines,
    stored,
)

from rfm_spark.ingest.rows.attributes import customer_rows, latest_attributes

SITE = """
[interactions.site]
path = "site*.csv"
format = "csv"

[interactions.site.columns]
customer_id = "customer"
kind = "kind"
time = "time"
"""


def test_interactions_are_corrected_and_the_latest_attributes_win(run, spark, tmp_path):
    shop = Shop(tmp_path)

    def take_in():
        run(shop.config, shop.raw, shop.warehouse, "ingest")

    def attributes():
        customers = spark.read.format("delta").load(str(shop.warehouse / "customers"))
        latest = latest_attributes(customers, date(2025, 12, 31)).collect()
        return {row["customer_id"]: row["attributes"] for row in latest}

    shop.configure(RECEIPTS + INTERACTIONS + SITE + CUSTOMERS)
    shop.csv("receipts1.csv", some_lines())
    seen = click("", "c3", "2025-03-01T08:00:00Z", "visit")
    shop.csv("clicks1.csv", [click("1", "c1", "2025-01-03"), click("2", "c2", "2025-01-04")])
    shop.csv("clicks2.csv", [click("1", "c1", "2025-01-05", seconds="7.5")])
    shop.csv("site1.csv", [seen, seen])
    shop.csv("site2.csv", [seen, click("", "c3", "2025-03-01T08:00:01Z", "visit")])
    shop.csv(
        "customers1.csv",
        [person("c1", "Ulm", "2025-02-01"), person("c2", "Ulm"), person("c3", " ")],
    )
    shop.csv("customers2.csv", [person("c1", "Aix", "2025-01-01"), person("c2", "Bern")])
    take_in()
    events = {
        (row["customer_id"], row["kind"], row["day"].isoformat()): (row["events"], row["value"])
        for row in stored(shop.warehouse, "customer_day_events")
    }
    assert {key: count for key, (count, _) in events.items()} == {
        ("c1", "click", "2025-01-05"): 1,
        ("c2", "click", "2025-01-04"): 1,
        ("c3", "visit", "2025-03-01"): 2,
    }
    assert float(events["c1", "click", "2025-01-05"][1]) == 7.5
    assert attributes() == {"c1": {"city": "Ulm"}, "c2": {"city": "Bern"}, "c3": {}}
    # The same again, and clicks2 without its correction: the first version holds again.
    shop.touch("site1.csv")
    shop.touch("customers2.csv")
    shop.csv("clicks2.csv", [click("3", "c1", "2025-01-06")])
    take_in()
    again = {
        (row["customer_id"], row["day"].isoformat()): row["events"]
        for row in stored(shop.warehouse, "customer_day_events")
    }
    assert again == {
        ("c1", "2025-01-03"): 1,
        ("c1", "2025-01-06"): 1,
        ("c2", "2025-01-04"): 1,
        ("c3", "2025-03-01"): 2,
    }
    assert attributes() == {"c1": {"city": "Ulm"}, "c2": {"city": "Bern"}, "c3": {}}


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("TIMESTAMP '2026-01-02T02:00:00Z'", "2026-01-01"),  # in Los Angeles
        ("'2026-01-02T02:00:00Z'", "2026-01-01"),
        ("'2026-01-02 02:00:00'", "2026-01-02"),
        ("TIMESTAMP_NTZ '2026-01-02 02:00:00'", "2026-01-02"),
        ("DATE '2026-01-02'", "2026-01-02"),
    ],
)
def test_attributes_hold_from_the_day_of_the_business(spark, told, day):
    delivered = spark.sql(
        f"SELECT 'd' AS delivery, 'f' AS file, '{{}}' AS raw, '' AS turned_away,"
        f" 'c1' AS customer_id, {told} AS valid_from, 'Ulm' AS `attribute.city`"
    )
    [row] = customer_rows(delivered, ["city"], "America/Los_Angeles", None).collect()
    assert row["valid_from"] == date.fromisoformat(day)


def test_a_customer_that_one_delivery_has_twice_is_told(cli, spark, tmp_path, capfd):
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS + CUSTOMERS)
    shop.csv("receipts1.csv", some_lines())
    shop.csv(
        "customers1.csv",
        [
            person("ada", "Wien"), person("bob", "Bonn"), person("ada", "Aachen"),
            person("cy", "Ulm"), person("cy", " Ulm "),
            person("dan", "Ulm", "2025-01-01"), person("dan", "Aix", "2025-02-01"),
        ],
    )  # fmt: skip
    assert cli("ingest", *shop.arguments()) == 0
    assert "7 rows from 1 delivery, 2 rejected, 1 dropped as equal or older" in on_screen(capfd)
    held = [(row["customer_id"], dict(row["attributes"])["city"])
            for row in stored(shop.warehouse, "customers")]  # fmt: skip
    assert sorted(held) == [("bob", "Bonn"), ("cy", "Ulm"), ("dan", "Aix"), ("dan", "Ulm")]
    kept_out = [row["reasons"] for row in stored(shop.warehouse, "quarantine")]
    assert sorted(kept_out) == [["customer_repeated"]] * 2 + [["equal_line_dropped"]]
    counts = {row["delivery"]: row for row in stored(shop.warehouse, "deliveries")}
    assert counts["customers1.csv"]["rejected_rows"] == 2
    # Unless a later delivery tells: of these, the one that is later by its number.
    shop.csv("customers9.csv", [person("ada", "Wien"), person("bob", "Wien")])
    shop.csv("customers10.csv", [person("ada", "Aachen")])
    assert cli("ingest", *shop.arguments()) == 0
    customers = spark.read.format("delta").load(str(shop.warehouse / "customers"))
    latest = latest_attributes(customers, date(2025, 12, 31)).collect()
    cities = {row["customer_id"]: row["attributes"]["city"] for row in latest}
    assert cities == {"ada": "Aachen", "bob": "Wien", "cy": "Ulm", "dan": "Aix"}
