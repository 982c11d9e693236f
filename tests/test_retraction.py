"""Deliveries that were a mistake are taken back, and a file under another name counts once."""

from __future__ import annotations

import gzip

import pytest
from support.screen import on_screen, problems
from support.shop import (
    ABOUT_RUNS,
    EVERYTHING,
    Shop,
    click,
    line,
    person,
    stored,
    stored_tables,
    versions,
)

OWN = [line(f"r{n}", f"c{n}", f"2025-01-1{n}", f"{n}.00") for n in range(1, 5)]
FACTS = ("customer_days", "customer_years", "customer_day_categories", "customer_day_events")
WITHOUT_IDS = {'receipt_id = "receipt"\n': "", '"line"': '"receipt"'}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def other_shop(shop):
    """Deliveries of another shop, one of each source: new rows, other versions, a broken row."""
    corrected = line("r2", "c9", "2025-02-20", "99.00")
    shop.csv("receipts8.csv", [corrected, line("x1", "c7", "2025-03-03", "999.00"),
                               line("bad", "c1", "2025-01-02", "ten")])  # fmt: skip
    shop.csv("clicks8.csv", [click("1", "c9", "2025-05-05"), click("7", "c7", "2025-05-06")])
    shop.csv("customers8.csv", [person("c1", "Oslo", "2025-02-01"), person("c7", "Rome")])
    return ["receipts8.csv", "clicks8.csv", "customers8.csv"]


def own_deliveries(shop):
    shop.configure(EVERYTHING)
    shop.csv("receipts1.csv", OWN)
    shop.csv("receipts2.csv", [line("r3", "c3", "2025-01-13", "33.00")])
    shop.csv("clicks1.csv", [click("1", "c1", "2025-01-03"), click("2", "c2", "2025-01-04")])
    shop.csv("customers1.csv", [person("c1", "Ulm")])


def content(shop, without=(*ABOUT_RUNS, "deliveries")):
    return {
        name: [{key: value for key, value in row.items() if key != "version"} for row in rows]
        for name, rows in stored_tables(shop.warehouse, without).items()
    }


def test_what_was_taken_back_leaves_the_tables_as_if_it_had_never_come(cli, shop, tmp_path, capfd):
    own_deliveries(shop)
    wrong = other_shop(shop)
    assert cli("ingest", *shop.arguments()) == 0
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("retract", *wrong, *place) == 0

    never = Shop(tmp_path / "never")
    own_deliveries(never)
    assert cli("ingest", *never.arguments()) == 0
    assert content(shop) == content(never)
    taken = {row["delivery"]: row["rows"] for row in stored(shop.warehouse, "deliveries")}
    assert {name: taken[name] for name in wrong} == dict.fromkeys(wrong, 0)
    [last] = sorted(stored(shop.warehouse, "runs"), key=lambda run: run["started_at"])[1:]
    assert (last["job"], last["outcome"]) == ("retract", "succeeded")

    # The files still lie there: they stay away, also where all is read again by other settings.
    before = versions(shop.warehouse)
    assert cli("ingest", *shop.arguments()) == 0
    assert {**versions(shop.warehouse), "runs": 0} == {**before, "runs": 0}
    other = ("--set", "business.day_start_hour=4")
    assert cli("ingest", *shop.arguments(*other)) == 0
    assert cli("ingest", *never.arguments(*other)) == 0
    assert content(shop) == content(never)
    # Until they come with something else in them.
    shop.csv("receipts8.csv", [line("x2", "c4", "2025-01-14", "4.00")])
    assert cli("ingest", *shop.arguments(*other)) == 0
    assert {"r1", "r2", "r3", "r4", "x2"} == {
        row["receipt_id"] for row in stored(shop.warehouse, "receipts")
    }
    capfd.readouterr()


def test_a_delivery_that_never_came_cannot_be_taken_back(cli, shop, capfd):
    own_deliveries(shop)
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("ingest", *shop.arguments()) == 0
    assert cli("retract", "receipts2.csv", *place) == 0
    before = versions(shop.warehouse)
    capfd.readouterr()
    assert cli("retract", "receipts1.csv", "receipts3.csv", "receipts2.csv", *place) == 2
    first, second = problems(capfd)
    assert first.startswith("receipts3.csv: no such delivery has been taken in; did you mean 'rec")
    assert second == "receipts2.csv: has been taken back already"
    # A file of a source that nobody describes any more would stay without a word.
    text = shop.config.read_text()
    shop.config.write_text(text[: text.index("[interactions.web]")])
    assert cli("retract", "clicks1.csv", *place) == 2
    [third] = problems(capfd)
    assert third.startswith("clicks1.csv: is of [interactions.web], which is not configured: take")
    assert {**versions(shop.warehouse), "runs": 0} == {**before, "runs": 0}


def test_receipts_without_ids_count_once_whatever_their_file_is_called(cli, shop, tmp_path, capfd):
    """Renamed, moved to another folder and compressed; and one file that is gone altogether."""
    shop.configure(changes={**WITHOUT_IDS, "receipts*.csv": "in"})
    bad = line("", "c1", "2025-01-02", "ten")
    for name, rows in zip("abc", (OWN, [OWN[0], OWN[0]], [OWN[1]]), strict=True):
        shop.csv(f"in/{name}.csv", [*rows, bad])
    shop.csv("in/wrong-shop.csv", [line("", "c7", "2025-03-03", "999.00")])
    assert cli("ingest", *shop.arguments()) == 0
    shop.file("in/a.csv").rename(shop.file("in/2025.csv"))
    shop.file("in/b.csv").rename(shop.file("in/archive/b.csv"))
    packed = gzip.compress(shop.file("in/c.csv").read_bytes())
    shop.file("in/c.csv.gz").write_bytes(packed)
    shop.file("in/c.csv").unlink()
    shop.file("in/wrong-shop.csv").unlink()
    shop.csv("in/d.csv", [OWN[1], OWN[1]])  # like that of c, and one more: another day's
    capfd.readouterr()
    assert cli("ingest", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    for old, new in (("a.csv", "2025.csv"), ("b.csv", "archive/b.csv"), ("c.csv", "c.csv.gz")):
        assert f"in/{old} is gone, and in/{new} has the same receipts: they count once" in told
    assert "1 deliveries that were taken in are not there any more, such as in/wrong-shop" in told
    assert cli("retract", "in/wrong-shop.csv", *shop.arguments()) == 0

    anew = Shop(tmp_path / "anew")
    anew.configure(changes={**WITHOUT_IDS, "receipts*.csv": "in"})
    shop.raw.rename(anew.raw.parent / "raw")
    assert cli("ingest", *anew.arguments()) == 0
    assert content(shop) == content(anew)
