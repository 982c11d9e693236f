"""The revenue bridge of a day, proved to add up to the change of all revenue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import RunFailure
from rfm_spark.core.look_back import LookBack, in_window, in_years
from rfm_spark.facts.asks import RECEIPTS_EVER, Ask
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.bridge.causes import BREAKDOWNS, revenue_bridge, window_asks
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.declaration import Request, required
from rfm_spark.results.rfm.result import RESULT as RFM_RESULT
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.warehouse import as_of_slice


def bridge_asks(rules: Bridge, _: ShopSettings) -> list[Ask]:
    """Money and visits of both windows, and ever."""
    windows = [ask for days in rules.window_days for ask in window_asks(days)]
    return [RECEIPTS_EVER, *windows]


def refresh_bridge(request: Request[Bridge], sums: DataFrame | None) -> None:
    """Compares the revenue of each window with that of as many days before.

    Raises:
        RunFailure: if the changes do not add up to that of all revenue; nothing is written then.
    """
    run, rules, as_of = request.run, request.rules, request.as_of
    with run.progress.step("revenue bridge") as step:
        first = F.col("first_visit")
        is_member = F.col("customer_id").isNotNull() & (first <= F.lit(as_of))  # no guest is one
        cohort = F.when(is_member, F.date_format(first, "yyyy-MM"))
        customers = (
            required(sums)
            .withColumn("cohort", cohort)
            .join(_segments(request), "customer_id", "left")
        )
        found = revenue_bridge(customers, rules.window_days).withColumn("as_of", F.lit(as_of))
        whole = _whole_windows(request)
        rows = [  # a few for each month
            {**row.asDict(), "is_whole": row["window_days"] in whole} for row in found.collect()
        ]
        revenue = _revenue(run.read(CUSTOMER_DAYS), as_of, rules.window_days)
        if wrong := list(bridge_problems(rows, revenue)):
            raise RunFailure(f"the revenue bridge does not add up: {'; '.join(wrong)}")
        run.replace_by(REVENUE_BRIDGE, rows, as_of_slice(as_of))
        told = [f"{n:,}" + ("" if n in whole else " (too short a history)")
                for n in rules.window_days]  # fmt: skip
        step.says(f"over {' and '.join(told)} days")


def _whole_windows(request: Request[Bridge]) -> set[int]:
    """Lengths of windows whose both the data reach back to."""
    begin, _ = request.run.warehouse.bounds(CUSTOMER_DAYS, "day")
    firsts = {n: LookBack(2 * n).first_day(request.as_of) for n in request.rules.window_days}
    return {n for n, first in firsts.items() if begin and first and begin <= first}


def _segments(request: Request[Bridge]) -> DataFrame:
    """Today's segments of the profile that leads; none where it was not scored for the day."""
    profiles = RFM_RESULT.rules(request.run.settings)
    is_own = (F.col("profile") == leading_profile(profiles)) & as_of_slice(request.as_of)
    return request.run.read_or_empty(RFM).where(is_own).select("customer_id", "segment")


def _revenue(days: DataFrame, as_of: date, lengths: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Net amount of everybody in both windows, by their length, added up by day."""
    longest = LookBack(2 * max(lengths))
    in_first = {n: in_window("day", as_of, LookBack(2 * n)) for n in lengths}
    in_second = {n: in_window("day", as_of, LookBack(n)) for n in lengths}
    sums = [
        F.coalesce(F.sum(F.when(where, F.col("net_cents"))), F.lit(0)).alias(f"{name}_{n}")
        for name, windows in (("both", in_first), ("second", in_second))
        for n, where in windows.items()
    ]
    (row,) = days.where(in_years(as_of, longest)).agg(*sums).collect()
    return {n: (row[f"both_{n}"] - row[f"second_{n}"], row[f"second_{n}"]) for n in lengths}


def bridge_problems(
    rows: Sequence[Mapping[str, Any]], revenue: Mapping[int, tuple[int, int]]
) -> Iterator[str]:
    """What does not add up.

    Args:
        rows: of `revenue_bridge`.
        revenue: by length of the windows, net amount of the first and of the second, by days.
    """
    for days, wanted in revenue.items():
        for breakdown in BREAKDOWNS:
            own = [r for r in rows if (r["window_days"], r["breakdown"]) == (days, breakdown)]
            told = tuple(sum(r[n] for r in own) for n in ("revenue_before_cents", "revenue_cents"))
            if told != wanted:
                yield f"{days:,} days by {breakdown}: {told} in minor units of money, of {wanted}"
