"""Publishing: readers see whole nights, whatever a run has left behind or is doing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from support.documents import DOCS, python_examples
from support.screen import on_screen
from support.sessions import no_spark
from support.shop import Shop, line, stored, versions

from rfm_spark.app.forgetting import job as forgetting
from rfm_spark.app.loading import load_settings
from rfm_spark.app.maintenance import maintain
from rfm_spark.app.publishing import follow_published, published, unpublished
from rfm_spark.app.tables import ALL_TABLES, NEVER_PUBLISHED
from rfm_spark.results.rfm import job as rfm_job
from rfm_spark.results.rfm.tables import SEGMENTS
from rfm_spark.run import Run
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.warehouse import Warehouse

FIRST, SECOND, THIRD = date(2025, 3, 20), date(2025, 3, 21), date(2025, 3, 22)
ABOUT = {table.name for table in NEVER_PUBLISHED}


def seen(place: Path) -> dict[str, list[str]]:
    """All rows that a reader finds now."""
    warehouse = Warehouse(SessionOnDemand(no_spark), str(place))
    follow_published(warehouse)
    return {
        table.name: sorted(map(repr, warehouse.rows(table)))
        for table in ALL_TABLES
        if table not in NEVER_PUBLISHED and warehouse.is_there(table)
    }


def names(place: Path) -> dict[str, int]:
    """The versions that are published."""
    return dict(published(Warehouse(SessionOnDemand(no_spark), str(place))).snapshot.versions or {})


def days_of(place: Path, table: str) -> set[date]:
    """Days in the newest version."""
    return {row["as_of"] for row in stored(place, table)}


def next_delivery(shop: Shop) -> None:
    shop.csv("receipts2.csv", [line("r95", "c1", str(SECOND), "30.00")])


@contextmanager
def after_each_write(then: Callable[[str], None]) -> Iterator[None]:
    original = Warehouse.replace

    def replace(self: Warehouse, table: Any, *arguments: Any, **named: Any) -> Any:
        commit = original(self, table, *arguments, **named)
        then(table.name)
        return commit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Warehouse, "replace", replace)
        yield


@contextmanager
def killed_after(table: str) -> Iterator[None]:
    """A process that is gone without a word as soon as a table is written."""

    def killed(name: str) -> None:
        if name == table:
            raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rfm_spark.app.jobs.record_run", lambda *_: None)
        with after_each_write(killed), pytest.raises(SystemExit):
            yield


@pytest.fixture(scope="module")
def night_killed_at_its_end(run, finished_shop, tmp_path_factory) -> Shop:
    """The finished shop after another night, which wrote all but a record and was killed.

    Not to be written to.
    """
    folder = tmp_path_factory.mktemp("killed night")
    without = shutil.ignore_patterns("snapshots")
    shutil.copytree(finished_shop.folder, folder, dirs_exist_ok=True, ignore=without)
    shop = Shop(folder)
    next_delivery(shop)
    with killed_after("customer_360"):
        run(shop.config, shop.raw, shop.warehouse, as_of=SECOND)
    return shop


@pytest.fixture
def killed_night(night_killed_at_its_end, tmp_path) -> Shop:
    """A copy of it, for a test of its own."""
    shutil.copytree(night_killed_at_its_end.folder, tmp_path, dirs_exist_ok=True)
    return Shop(tmp_path)


def test_a_run_publishes_every_table_at_the_version_it_left(finished_shop):
    rows, place = stored(finished_shop.warehouse, "published"), finished_shop.warehouse
    newest = {name: one for name, one in versions(place).items() if name not in ABOUT}
    assert {row["table_name"]: row["version"] for row in rows} == newest
    [run] = stored(place, "runs")
    told = {(row["publication"], row["run_id"], row["as_of"]) for row in rows}
    assert told == {(1, run["run_id"], FIRST)}
    assert all(row["published_at"] > run["started_at"] for row in rows)
    for snapshot in (finished_shop.folder / "snapshots").iterdir():  # at no earlier moment
        assert seen(snapshot) == ({} if "published-written" not in snapshot.name else seen(place))


def test_a_night_that_was_killed_is_seen_by_nobody_until_it_is_whole(
    run, cli, finished_shop, killed_night, monkeypatch, capfd
):
    shop, before = killed_night, seen(finished_shop.warehouse)
    assert days_of(shop.warehouse, "customer_360") == {FIRST, SECOND}
    assert seen(shop.warehouse) == before

    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    query = "SELECT DISTINCT as_of FROM segments UNION SELECT max(business_date) FROM receipts"
    assert cli("sql", query, *place) == 0
    assert str(SECOND) not in on_screen(capfd)
    assert cli("sql", query, *place, "--newest") == 0
    assert str(SECOND) in on_screen(capfd)
    report = shop.folder / "report.html"
    assert cli("report", *place, "--out", report) == 0
    assert str(SECOND) not in report.read_text()
    everybody = ("--set", "audiences.all.where='lifetime_visits > 0'")
    assert cli("audience", "build", "all", *place, *everybody) == 0
    assert days_of(shop.warehouse, "audiences") == {FIRST}
    assert seen(shop.warehouse) == {**before, "audiences": seen(shop.warehouse)["audiences"]}
    assert len(seen(shop.warehouse)["audiences"]) == len(stored(shop.warehouse, "audiences")) > 0
    (shop.folder / ".demo").mkdir()
    (shop.folder / ".demo" / "warehouse").symlink_to(shop.warehouse)
    monkeypatch.chdir(shop.folder)
    for code in python_examples(DOCS / "analysts.md").values():
        if "impala" not in code:
            found: dict[str, Any] = {}
            exec(code.replace("age", "city"), found)
            assert len(found["rows"]) == len(before["customer_360"]) > 0
            assert len(found["customers"]) == len(found["rows"])  # of this day alone

    during = seen(shop.warehouse)

    def unchanged(_: str) -> None:
        assert seen(shop.warehouse) == during

    with after_each_write(unchanged):
        run(shop.config, shop.raw, shop.warehouse, as_of=SECOND)
    newest = {n: one for n, one in versions(shop.warehouse).items() if n not in ABOUT}
    assert names(shop.warehouse) == newest
    for name in ("rfm", "segments", "customer_360", "clusters", "cohorts"):
        assert days_of(shop.warehouse, name) == {FIRST, SECOND}


def test_a_night_whose_numbers_do_not_add_up_is_not_published(cli, copied_shop, capfd):
    shop, before = copied_shop, seen(copied_shop.warehouse)
    next_delivery(shop)
    night = ("nightly", *shop.arguments("--date", SECOND))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rfm_job, "_what_differs", lambda *_: "receipts do not add up")
        assert cli(*night) == 1
    assert "receipts do not add up" in on_screen(capfd)
    assert days_of(shop.warehouse, "segments") == {FIRST, SECOND}
    assert seen(shop.warehouse) == before
    assert cli("ingest", *shop.arguments()) == 0  # publishes what it vouches for
    after = seen(shop.warehouse)
    assert {n for n in after if after[n] != before[n]} >= {"receipts", "customer_days"}
    assert not any(n for n in ("rfm", "segments", "customer_360") if after[n] != before[n])
    assert cli(*night) == 0
    assert any(repr(SECOND) in row for row in seen(shop.warehouse)["segments"])


def test_what_a_killed_night_left_is_not_published_by_another_one(run, killed_night):
    shop = killed_night
    for name in ("rfm", "rfm_cells"):
        assert days_of(shop.warehouse, name) == {FIRST, SECOND}
    run(shop.config, shop.raw, shop.warehouse, "rfm", THIRD)
    for name in ("rfm", "rfm_cells"):
        assert days_of(shop.warehouse, name) == {FIRST, THIRD}
        assert names(shop.warehouse)[name] == versions(shop.warehouse)[name]


def test_nobody_who_was_forgotten_is_in_what_is_published(cli, killed_night):
    shop = killed_night
    (shop.folder / "ids.txt").write_text("c1\n")
    key = ("--set", f"privacy.key_file={shop.folder / 'key'}")
    place = ("--config", shop.config, "--warehouse", shop.warehouse, *key)
    purge_log = forgetting.purge_log
    moments = []

    def looked_at(*arguments: Any) -> None:
        moments.append(seen(shop.warehouse))
        purge_log(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forgetting, "purge_log", looked_at)
        assert cli("forget", "--customer-file", shop.folder / "ids.txt", *place) == 0
    after = seen(shop.warehouse)
    assert len(moments) > 10
    assert all(moment == after for moment in moments)
    assert not [n for n, rows in after.items() if any(re.search(r"\bc1\b", row) for row in rows)]
    assert days_of(shop.warehouse, "customer_360") == {FIRST}
    newest = {n: one for n, one in versions(shop.warehouse).items() if n in names(shop.warehouse)}
    assert names(shop.warehouse) == newest


def test_maintenance_publishes_the_same_rows_and_leaves_alone_what_was_not_published(
    spark, cli, copied_shop
):
    shop, before = copied_shop, seen(copied_shop.warehouse)
    assert cli("nightly", *shop.arguments("--date", FIRST)) == 0
    assert seen(shop.warehouse) == before
    newest = {n: one for n, one in versions(shop.warehouse).items() if n not in ABOUT}
    assert names(shop.warehouse) == newest
    assert newest["customer_day_events"] > 1  # folded

    warehouse = Warehouse(spark, str(shop.warehouse))
    job = Run(spark, load_settings(shop.config), warehouse, str(shop.raw))
    assert unpublished(job) == []
    DeltaTable(str(shop.warehouse / "segments")).delete("true")
    assert unpublished(job) == [SEGMENTS]
    version = warehouse.version(SEGMENTS)
    maintain(job, FIRST)
    assert warehouse.version(SEGMENTS) == version
    assert seen(shop.warehouse) == before
