"""What is shown of cohorts."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import functions as F

from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.declaration import Request
from rfm_spark.storage.warehouse import as_of_slice

_COHORTS_SHOWN = 4
_PERIODS_SHOWN = 6


def cohort_panels(request: Request[Cohorts]) -> Iterator[Panel]:
    """The first cohorts by month as a triangle: retention over their first months."""
    of_day = as_of_slice(request.as_of) & (F.col("grain") == "month")
    rows = request.run.warehouse.read(COHORTS).where(of_day)
    first = rows.select("cohort").distinct().orderBy("cohort").limit(_COHORTS_SHOWN)
    shown = rows.where(F.col("period_index") < _PERIODS_SHOWN)
    found = shown.join(first, "cohort").orderBy("cohort", "period_index").collect()
    if not found:
        return
    periods = range(max(row["period_index"] for row in found) + 1)
    retention = {(row["cohort"], row["period_index"]): percent(row["retention"]) for row in found}
    sizes = {row["cohort"]: row["cohort_size"] for row in found}
    yield Panel(
        "First cohorts",
        ", share that came again in month 1, 2, ...",
        (
            PanelColumn("cohort"),
            PanelColumn("customers", is_number=True),
            *[PanelColumn(str(k), is_number=True) for k in periods],
        ),
        [
            (f"{cohort:%Y-%m}", f"{size:,}", *[retention.get((cohort, k), "") for k in periods])
            for cohort, size in sorted(sizes.items())
        ],
    )
