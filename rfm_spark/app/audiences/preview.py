"""Previews: how large an audience would be, of whom it is made, and what its holdout can show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rfm_spark.app.audiences.counts import Counts, audience_counts
from rfm_spark.app.audiences.definition import Definition
from rfm_spark.app.audiences.job import asks_consent
from rfm_spark.app.audiences.statistics import smallest_effect
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.run import Run

_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the holdout that respond, for which the smallest effect is told."""


def preview_panels(run: Run, definition: Definition, day: date) -> Iterator[Panel]:
    """Size, revenue and mix of an audience that is not built yet; nothing is written."""
    money, rules = run.settings.business.money_format, definition.rules
    counts = audience_counts(run, definition, day)
    customers = sum(one.customers for one in counts.segments)
    held_out = sum(one.held_out for one in counts.segments)
    revenue = sum(one.revenue_cents for one in counts.segments)
    spent = f"{money.rounded(revenue)} {money.currency}"
    noun = "customer" if customers == 1 else "customers"
    yield Panel(
        f"{definition.name}: {customers:,} {noun} as of {day}",
        f", {held_out:,} of them held out, who have spent {spent}: {rules.where}",
    )
    yield from _left_out(definition, counts, asks_consent(run, definition))
    if not customers:
        return
    columns = ("segment", "customers", "share", "held out", f"revenue, {money.currency}")
    yield Panel(
        "Segments",
        "",
        [PanelColumn(title, is_number=place > 0) for place, title in enumerate(columns)],
        [
            (
                one.segment,
                f"{one.customers:,}",
                percent(one.customers / customers),
                f"{one.held_out:,}",
                money.rounded(one.revenue_cents),
            )
            for one in counts.segments
        ],
    )
    yield _effects(customers - held_out, held_out)


def _left_out(definition: Definition, counts: Counts, asks_consent: bool) -> Iterator[Panel]:
    """How many are on the exclusion lists, have not agreed, and are left out by a limit."""
    rules = definition.rules
    if not (rules.exclude or rules.limit or asks_consent):
        return
    told = [f"{counts.met:,} meet the condition"]
    if rules.exclude:
        told.append(f"{counts.listed:,} are on exclusion lists")
    if asks_consent:
        told.append(f"{counts.without_consent:,} have not agreed to be contacted")
    if rules.limit is not None:
        willing = counts.met - counts.listed - counts.without_consent
        told.append(f"the limit leaves out {max(0, willing - rules.limit):,}")
    yield Panel("Of whom: ", "; ".join(told))


def _effects(treated: int, held_out: int) -> Panel:
    if not held_out:
        return Panel("No holdout", ": what it brings could not be told; set `holdout`, such as 0.1")
    rows = [
        (percent(share), _points(smallest_effect(share, treated, held_out))) for share in _SHARES
    ]
    return Panel(
        f"The smallest effect that a holdout of {held_out:,} can show",
        ", in 80 % of all cases at 5 % error, two-sided",
        (
            PanelColumn("if of the holdout respond", is_number=True),
            PanelColumn("the treated must respond more by", is_number=True),
        ),
        rows,
    )


def _points(rise: float | None) -> str:
    return "no rise is enough" if rise is None else f"{100 * rise:.1f} points"
