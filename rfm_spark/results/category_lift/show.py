"""Category lift of a stored day on one screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.panel import Panel
from rfm_spark.results.category_lift.panels import compared_panel, day_panels
from rfm_spark.results.category_lift.tables import CATEGORY_LIFT
from rfm_spark.results.stored_days import stored_day
from rfm_spark.run import Run


def shown_category_lift(
    run: Run, as_of: date | None, group: str | None, against: str | None
) -> Iterator[Panel]:
    """What each group buys more often than all, or one more often than another.

    Args:
        run: the run.
        as_of: a day that is stored; by default the newest.
        group: a segment or tier; None for all.
        against: another one of the same breakdown.

    Raises:
        UserError: if the day or a group is not stored, or only one of two groups is named.
    """
    if (group is None) != (against is None):
        raise UserError("two groups are compared: give both --of and --against")
    day = stored_day(run, CATEGORY_LIFT, as_of, "category-lift")
    if group is None or against is None:
        yield Panel(f"Category lift as of {day}")
        yield from day_panels(run, day)
        return
    rows = run.warehouse.rows(CATEGORY_LIFT, {"as_of": day})
    breakdown = _breakdown_of_both(rows, group, against)
    own = [row for row in rows if row["breakdown"] == breakdown]
    yield compared_panel(own, group, against, day)


def _breakdown_of_both(rows: Sequence[Mapping[str, Any]], group: str, against: str) -> str:
    """What two groups are groups of; a segment may be called like a tier."""
    breakdowns: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        breakdowns[row["value"]].add(row["breakdown"])
    for name in (group, against):
        if name not in breakdowns:
            raise UserError(f"{name}: no such group; {did_you_mean(name, sorted(breakdowns))}")
    both = sorted(breakdowns[group] & breakdowns[against])
    if not both:
        one, other = (min(breakdowns[name]) for name in (group, against))
        raise UserError(f"{group} is a {one} and {against} a {other}: compare two of one kind")
    return both[0]
