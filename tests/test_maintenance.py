"""Maintenance: what it must not do."""

from __future__ import annotations

from datetime import date

from support.shop import versions

from rfm_spark.pipeline.context import Job
from rfm_spark.pipeline.maintenance import maintain
from rfm_spark.settings import load_settings
from rfm_spark.storage.warehouse import Warehouse


def test_maintenance_goes_by_the_data_not_by_a_date_far_ahead(spark, copied_shop):
    settings = load_settings(copied_shop.config, ("maintenance.keep_results_days=1",))
    before = versions(copied_shop.warehouse)
    maintain(
        Job(spark, settings, Warehouse(spark, str(copied_shop.warehouse)), str(copied_shop.raw)),
        date(2125, 1, 1),
    )
    after = versions(copied_shop.warehouse)
    kept = ("rfm", "segments", "cohorts", "customer_360", "cluster_assignments")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
