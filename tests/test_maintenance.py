"""Maintenance: what it must not do, and what others do to the tables."""

from __future__ import annotations

from datetime import date

import pytest
from deltalake import DeltaTable
from support.shop import assert_same_tables, stored, stored_tables

from rfm_spark.app.loading import load_settings
from rfm_spark.app.maintenance import maintain
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


def _emptied(place, table):
    DeltaTable(str(place / table)).delete("customer_id IS NOT NULL")


def _restored(place, table):
    DeltaTable(str(place / table)).restore(0)


@pytest.mark.parametrize("by_hand", [_emptied, _restored])
def test_facts_that_were_changed_by_hand_are_made_again(cli, copied_shop, by_hand):
    before = stored_tables(copied_shop.warehouse)
    for table in ("customer_days", "first_receipts"):
        by_hand(copied_shop.warehouse, table)
    assert cli("ingest", *copied_shop.arguments()) == 0
    assert_same_tables(stored_tables(copied_shop.warehouse), before)
