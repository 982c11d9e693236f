"""Maintenance: what it must not do, and what others do to the tables."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable
from support.shop import assert_same_tables, stored, stored_tables

from rfm_spark.app.loading import load_settings
from rfm_spark.app.maintenance import maintain
from rfm_spark.app.run_record import SUCCEEDED, Outcome, record_run
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.run import Run
from rfm_spark.storage.warehouse import Warehouse


def test_maintenance_goes_by_the_data_not_by_a_date_far_ahead(spark, copied_shop):
    settings = load_settings(copied_shop.config, ("maintenance.keep_results_days=1",))
    before = stored_tables(copied_shop.warehouse)
    maintain(
        Run(spark, settings, Warehouse(spark, str(copied_shop.warehouse)), str(copied_shop.raw)),
        date(2125, 1, 1),
    )
    assert_same_tables(stored_tables(copied_shop.warehouse), before)


def test_old_results_are_dropped_but_not_what_was_decided(spark, run, copied_shop):
    hold = "rfm.purchase.refit=hold"
    for day in (date(2025, 2, 3), date(2025, 3, 3)):
        run(copied_shop.config, copied_shop.raw, copied_shop.warehouse, "rfm", day, (hold,))
    settings = load_settings(copied_shop.config, (hold, "maintenance.keep_results_days=10"))
    maintain(
        Run(spark, settings, Warehouse(spark, str(copied_shop.warehouse)), str(copied_shop.raw)),
        date(2025, 3, 20),
    )
    days = {
        name: {row["as_of"] for row in stored(copied_shop.warehouse, name)}
        for name in ("rfm", "rfm_drift")
    }
    assert days == {"rfm": {date(2025, 3, 20)}, "rfm_drift": {date(2025, 3, 3)}}


def test_every_table_has_its_turn_though_nights_are_weeks_apart(spark, copied_shop, monkeypatch):
    vacuumed = []
    monkeypatch.setattr(Warehouse, "vacuum", lambda _, table: vacuumed.append(table))
    present = [table for table in ALL_TABLES if (copied_shop.warehouse / table.name).is_dir()]
    settings, day = load_settings(copied_shop.config), date(2025, 3, 20)
    place = Warehouse(spark, str(copied_shop.warehouse))
    for number in range(3):
        run = Run(spark, settings, place, str(copied_shop.raw))
        outcome = Outcome(SUCCEEDED, datetime(2025, 3, 20 + number, tzinfo=UTC), 1.0)
        record_run(run, "nightly", f"night {number}", day, outcome)
        maintain(run, day)
    places = [present.index(table) for table in vacuumed]
    assert [place - places[0] for place in places] == [0, 1, 2]


def test_months_that_a_pause_left_out_are_compacted(spark, copied_shop):
    receipts = str(copied_shop.warehouse / "receipts")
    rows = spark.read.format("delta").load(receipts)
    rows.repartition(5, "receipt_id").write.format("delta").mode("overwrite").save(receipts)

    def files():
        months = (Path(file).parent.name for file in DeltaTable(receipts).file_uris())
        return Counter(month.removeprefix("month=") for month in months)

    before = files()
    assert min(before[month] for month in ("2025-01", "2025-02", "2025-03")) > 1
    settings = load_settings(copied_shop.config, ("maintenance.late_days=10",))
    maintain(
        Run(spark, settings, Warehouse(spark, str(copied_shop.warehouse)), str(copied_shop.raw)),
        date(2025, 3, 20),
    )
    later = {month: count for month, count in before.items() if month > "2025-02"}
    assert files() == {month: later.get(month, 1) for month in before}


def _emptied(place, table):
    DeltaTable(str(place / table)).delete("customer_id IS NOT NULL")


def _restored(place, table):
    DeltaTable(str(place / table)).restore(0)


def _updated(place, table):
    changed = {"customer_id": "'somebody else'"}
    DeltaTable(str(place / table)).update(changed, predicate="customer_id = 'c1'")


@pytest.mark.parametrize("by_hand", [_emptied, _restored, _updated])
def test_facts_that_were_changed_by_hand_are_made_again(cli, copied_shop, by_hand):
    before = stored_tables(copied_shop.warehouse)
    for table in ("customer_days", "first_receipts"):
        by_hand(copied_shop.warehouse, table)
    assert cli("ingest", *copied_shop.arguments()) == 0
    assert_same_tables(stored_tables(copied_shop.warehouse), before)
