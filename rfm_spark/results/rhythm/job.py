"""The rhythm of every customer as of a day."""

from __future__ import annotations

from contextlib import ExitStack

from pyspark.sql import DataFrame

from rfm_spark.core.kept_rows import keep
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.declaration import Request
from rfm_spark.results.rhythm.gaps import (
    LostRules,
    customer_rhythm,
    customer_status,
    second_purchases,
)
from rfm_spark.results.rhythm.settings import Rhythm
from rfm_spark.results.rhythm.tables import (
    CUSTOMER_RHYTHM,
    CUSTOMER_STATUS,
    SECOND_PURCHASE_DAYS,
    SECOND_PURCHASES,
)
from rfm_spark.session import in_parts
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.warehouse import as_of_slice

_IN_ORDER = {"spark.sql.execution.useObjectHashAggregateExec": "false"}
"""Days lie by customer already: medians are taken one customer after another, not in a map that is
given up for a sort of its own after so many of them (`session.SPEED`). The plan of rows that are
kept is made by `persist`."""


def refresh_rhythm(request: Request[Rhythm], _: DataFrame | None = None) -> None:
    """Tells how regularly each customer comes, how soon they came again, and who is lost."""
    run, rules, as_of = request.run, request.rules, request.as_of
    lost = LostRules(run.settings.business.lost_after_days, rules.lost_after_gaps, rules.least_days)
    with (
        run.progress.step("rhythm") as step,
        in_parts(run.spark, run.warehouse.detail(CUSTOMER_DAYS)[1]),
        ExitStack() as kept,
    ):
        with session_settings(run.spark, _IN_ORDER):
            found = keep(kept, customer_rhythm(run.read(CUSTOMER_DAYS), as_of, lost))
        commit = run.replace(CUSTOMER_RHYTHM, found, as_of_slice(as_of))
        by_status = customer_status(found).coalesce(1)
        run.replace(CUSTOMER_STATUS, by_status, as_of_slice(as_of))
        again = second_purchases(found, as_of, SECOND_PURCHASE_DAYS).coalesce(1)
        run.replace(SECOND_PURCHASES, again, as_of_slice(as_of))
        step.says(f"{commit.rows:,} customers")
