"""Scored days: those that commands which only read can tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from rfm_spark.core.errors import UserError
from rfm_spark.results.rfm.tables import SEGMENTS
from rfm_spark.run import Run


def scored_days(run: Run) -> dict[str, list[date]]:
    """By profile the days with stored scores, in their order.

    Raises:
        UserError: if nobody has been scored yet.
    """
    days: dict[str, set[date]] = {}
    for row in run.warehouse.rows(SEGMENTS, columns=["profile", "as_of", "customers"]):
        if row["customers"]:
            days.setdefault(row["profile"], set()).add(row["as_of"])
    if not days:
        raise UserError(f"{run.warehouse.path(SEGMENTS)}: has no day: run `rfm-spark run` first")
    return {name: sorted(found) for name, found in days.items()}


def described_day(scored: Mapping[str, Sequence[date]], asked: date | None) -> date:
    """The day to tell of: the one asked for, or the newest of any profile.

    Raises:
        UserError: if it is not stored.
    """
    days = sorted({day for found in scored.values() for day in found})
    if asked is None or asked in days:
        return asked or days[-1]
    near = sorted(days, key=lambda one: abs(one - asked))[:3]
    told = ", ".join(map(str, sorted(near)))
    raise UserError(
        f"--as-of {asked}: no scores are stored of that day (near it: {told}): run "
        f"`rfm-spark rfm --as-of {asked}` first"
    )
