"""Receipts whose lines a delivery has in several states: those of the newest state count."""

from __future__ import annotations

from random import Random

import pytest
from support.screen import on_screen
from support.shop import RECEIPTS, Shop, line, stored

VERSION = {'is_void = "coal': 'version = "state"\nis_void = "coal'}
OLDER = ["older_version_dropped"]
LATER = "2025-01-20 10:00"


def state(version, receipt, amount, *, counts=True, time="2025-01-05 10:00", **fields):
    """A line, and whether it should count."""
    row = line(receipt, f"c{receipt}", time, amount, **fields) | {"state": version}
    return row, counts


WRITTEN = [
    # An order whose milk was taken back out and whose cheese came in.
    state("1", "changed", "1.00", counts=False),
    state("1", "changed", "2.00", category="milk", counts=False),
    state("10", "changed", "1.00"),
    state("10", "changed", "3.00", category="cheese"),
    state("9", "changed", "4.00", counts=False),
    # A return that is no state of its order, and is told twice.
    state("1", "returned", "5.00"),
    state("2", "returned", "-5.00", quantity="-1", time=LATER, counts=False),
    state("3", "returned", "-4.00", quantity="-1", time=LATER),
    # A return inside of a state, which the next one no longer has.
    state("1", "kept", "6.00", counts=False),
    state("2", "kept", "6.00", counts=False),
    state("2", "kept", "-6.00", quantity="-1", time=LATER, counts=False),
    state("3", "kept", "6.00"),
    # None is older than any; what is wrong with an older state was mended.
    state("", "none", "7.00", counts=False),
    state("-5", "none", "8.00"),
    state("1", "mended", "many", counts=False),
    state("2", "mended", "9.00"),
    state("1", "voided", "9.00", counts=False),
    state("2", "voided", "9.00", void="yes"),
    state("1", "live", "9.00", void="yes", counts=False),
    state("2", "live", "9.00"),
    # Equal lines of one state are separate lines.
    state("1", "equal", "2.00"),
    state("1", "equal", "2.00"),
]


@pytest.fixture
def shops(cli, tmp_path):
    """Takes rows in as they are, and those that count without a version."""

    def take(written):
        found = []
        for name, rows, changes in (
            ("states", [row for row, _ in written], VERSION),
            ("newest", [row for row, counts in written if counts], {}),
        ):
            shop = Shop(tmp_path / name)
            shop.csv("receipts1.csv", rows)
            shop.configure(RECEIPTS, changes)
            assert cli("ingest", *shop.arguments()) == 0
            found.append(shop)
        return found

    return take


def test_the_lines_of_the_newest_state_of_a_receipt_count(cli, shops, capfd):
    written = list(WRITTEN)
    Random(3).shuffle(written)
    states, newest = shops(written)
    older = sum(not counts for _, counts in written)
    assert f"{older} dropped as equal or older" in on_screen(capfd)
    assert stored(states.warehouse, "receipts") == stored(newest.warehouse, "receipts")
    quarantine = stored(states.warehouse, "quarantine")
    assert [row["reasons"] for row in quarantine] == [OLDER] * older
    [told] = stored(states.warehouse, "deliveries")
    assert (told["rows"], told["dropped_rows"]) == (len(written), older)
    assert told["rejected_rows"] == 0
    assert cli("run", *states.arguments()) == 0  # reconciles


def test_a_state_that_cannot_be_read_rejects_its_receipt(shops):
    """Nobody can say which state is the newest, and an older one is not taken in its place."""
    unread = [state("1", "a", "1.00", counts=False), state("x", "a", "2.00", counts=False)]
    wrong = [
        state("1", "b", "3.00", counts=False),
        state("2", "b", "3.00", time="no", counts=False),
    ]
    states, newest = shops([*unread, *wrong, *WRITTEN])
    assert stored(states.warehouse, "receipts") == stored(newest.warehouse, "receipts")
    told = {
        (row["receipt_id"], reason)
        for row in stored(states.warehouse, "quarantine")
        for reason in row["reasons"]
        if row["receipt_id"] in ("a", "b")
    }
    older = {("a", *OLDER), ("b", *OLDER)}
    assert told == {*older, ("a", "version_unreadable"), ("b", "time_unreadable")}
