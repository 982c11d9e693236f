"""Maintenance: what it must not do."""

from __future__ import annotations

from datetime import date

from support.shop import assert_same_tables, stored_tables

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
