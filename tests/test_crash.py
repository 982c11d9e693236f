"""A run that is killed between any two of its commits: the next one makes the same tables."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support.crashes import snapshots
from support.sessions import SHORT_LIVED
from support.shop import (
    Shop,
    assert_same_tables,
    click,
    line,
    person,
    stored,
    stored_tables,
    versions,
)

from rfm_spark.storage.warehouse import Warehouse

FACTS = (
    "receipts",
    "interactions",
    "customers",
    "quarantine",
    "deliveries",
    "customer_days",
    "customer_years",
    "customer_day_events",
    "customer_year_events",
    "customer_day_categories",
    "first_receipts",
)


def facts(warehouse):
    return {name: stored(warehouse, name) for name in FACTS}


@pytest.mark.parametrize(
    "commit",
    ["receipts-created", "receipts-written", "deliveries-written", "customer_days-created"],
)
def test_a_first_run_can_end_with_any_commit_of_receipts_and_facts(
    run, finished_shop, tmp_path, commit
):
    warehouse = tmp_path / "warehouse"
    shutil.copytree(sorted((finished_shop.folder / "snapshots").glob(f"*-{commit}"))[0], warehouse)
    run(finished_shop.config, finished_shop.raw, warehouse, "ingest")
    assert_same_tables(facts(warehouse), facts(finished_shop.warehouse))


@pytest.fixture(scope="module")
def corrected_shop(run, finished_shop, tmp_path_factory):
    """The shop after a second delivery: a receipt moves, one is cancelled, clicks change."""
    folder = tmp_path_factory.mktemp("corrected")
    shutil.copytree(finished_shop.folder, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "snapshots")
    shop = Shop(folder)
    shop.csv(
        "receipts2.csv",
        [
            line("r20", "c9", "2025-03-02", "5.00", category="tea"),
            line("r92", "c2", "2024-12-30", "1.00", void="yes"),
            line("bad", "c1", "2025-01-02", "3.00"),
            line("worse", "c1", "2025-01-02", "ten"),
        ],
    )
    shop.csv("clicks2.csv", [click("1", "c2", "2025-02-03")])
    shop.csv("customers2.csv", [person("c1", "Bern")])
    with (
        pytest.MonkeyPatch.context() as patch,
        snapshots(patch, shop.warehouse, folder / "snapshots"),
    ):
        run(shop.config, shop.raw, shop.warehouse, "ingest")
    return shop


def test_every_commit_of_a_second_delivery_can_be_the_last_one(run, corrected_shop):
    whole = facts(corrected_shop.warehouse)
    customers = {row["customer_id"] for row in whole["customer_days"]}
    assert "c9" in customers
    assert 2024 not in {row["year"] for row in whole["customer_years"]}
    *taken, recorded, last = sorted((corrected_shop.folder / "snapshots").iterdir())
    assert recorded.name.endswith("runs-written")
    assert last.name.endswith("published-written")
    assert {one.name.split("-")[1] for one in taken} == set(FACTS)
    for snapshot in taken:
        run(corrected_shop.config, corrected_shop.raw, snapshot, "ingest")
        assert_same_tables(facts(snapshot), whole)


@pytest.mark.parametrize("last", ["cluster_assignments", "cohorts"])
def test_half_written_results_are_made_again_the_same_and_no_fact_is(
    run, finished_shop, tmp_path, last
):
    [snapshot] = (finished_shop.folder / "snapshots").glob(f"*-{last}-written")
    warehouse = tmp_path / "warehouse"
    shutil.copytree(snapshot, warehouse)
    run(finished_shop.config, finished_shop.raw, warehouse)
    assert_same_tables(stored_tables(warehouse), stored_tables(finished_shop.warehouse))
    before, after = versions(finished_shop.warehouse), versions(warehouse)
    assert {name: after[name] for name in FACTS} == {name: before[name] for name in FACTS}
    assert after["rfm"] > before["rfm"]


def test_a_failure_between_two_writes_is_told_and_recorded(
    cli, capfd, monkeypatch, finished_shop, tmp_path
):
    shutil.copytree(finished_shop.folder, tmp_path, dirs_exist_ok=True)
    shop = Shop(tmp_path)
    shutil.rmtree(shop.warehouse / "runs")  # or else the results would stand
    original = Warehouse.replace

    def breaks(self, table, *arguments, **named):
        if table.name == "rfm_cells":
            raise OSError("no space left for customer ZQ-7")
        return original(self, table, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "replace", breaks)
        assert cli("run", *shop.arguments()) == 1
    out, err = capfd.readouterr()
    assert "failed with OSError" in err
    assert "ZQ-7" not in out + err
    assert "Traceback" not in out + err
    [record] = stored(shop.warehouse, "runs")
    assert record["outcome"] == "failed: OSError"
    assert_same_tables(stored_tables(shop.warehouse), stored_tables(finished_shop.warehouse))


KILLED_AT = ("receipts", "deliveries", "customer_days", "customer_years", "first_receipts")
"""Tables of which a process makes a commit before it is killed, each where the last one stopped."""


def test_five_processes_killed_one_after_another_hold_nothing_up(run, finished_shop, tmp_path):
    shutil.copytree(finished_shop.raw, tmp_path / "raw")
    shop = Shop(tmp_path)
    shop.configure(finished_shop.config.read_text())
    chance = random.Random(7)
    for table in KILLED_AT:
        assert is_killed_after_a_commit(shop, table, chance.uniform(0, 0.2)), table
    assert not (shop.warehouse / "runs").exists()
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert_same_tables(facts(shop.warehouse), facts(finished_shop.warehouse))


def is_killed_after_a_commit(shop, table, seconds):
    """Whether a process that takes in was killed so long after it committed to a table."""
    log = shop.warehouse / table / "_delta_log"
    before = len(list(log.glob("*.json")))
    command = "import sys; from rfm_spark.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "ingest", *map(str, shop.arguments())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **SHORT_LIVED},
    )
    deadline = time.monotonic() + 300
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if len(list(log.glob("*.json"))) > before:
                time.sleep(seconds)
                break
            time.sleep(0.02)
    finally:
        is_running = process.poll() is None
        if is_running:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return is_running and len(list(log.glob("*.json"))) > before
