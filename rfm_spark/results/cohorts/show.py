"""Cohorts as a person reads them: a row for each, a column for each period since its start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.core.periods import Grain
from rfm_spark.results.cohorts.periods import BRACKETS, CALENDAR
from rfm_spark.results.cohorts.settings import Cohorts
from rfm_spark.results.cohorts.tables import COHORT_CURVES, COHORTS
from rfm_spark.run import Run

_COHORTS_SHOWN = 24
_RUNNING = "*"
_FORMATS: Mapping[Grain, str] = {"year": "%Y", "month": "%Y-%m"}


@dataclass(frozen=True)
class Shown:
    """Which cohorts are asked for.

    Attributes:
        as_of: a day that is stored; None for the one that was made last.
        origin: its name; None for the first that is configured.
        grain: length of a cohort's period; None for the first that is configured.
        kind: of the periods.
        periods: how many of them.
    """

    as_of: date | None = None
    origin: str | None = None
    grain: str | None = None
    kind: str = CALENDAR
    periods: int = 9


def shown_cohorts(run: Run, rules: Cohorts, asked: Shown) -> Iterator[Panel]:
    """Retention of the last cohorts, and of all that are complete.

    Args:
        run: the run; nothing is written, and on a local warehouse Spark is not started.
        rules: the section of the configuration.
        asked: what to show.

    Raises:
        UserError: if nothing like that is stored.
    """
    origin = asked.origin or rules.followed(run.settings)[0].origin
    grain = asked.grain or rules.grains[0]
    day = asked.as_of or _last_made(run)
    where: dict[str, Any] = {"as_of": day, "origin": origin, "grain": grain, "kind": asked.kind}
    firsts = {**where, "period_index": 0}
    found = run.warehouse.rows(COHORTS, firsts, ["cohort"]) if day is not None else []
    cohorts = sorted(row["cohort"] for row in found)
    if not cohorts:
        kinds = dict.fromkeys(one.kind for one in rules.periods())
        raise UserError(
            f"{run.warehouse.path(COHORTS)}: has no cohorts of '{origin}' by {grain}, "
            f"{asked.kind}, as of {day or 'any day'}; configured are the origins "
            f"{', '.join(one.origin for one in rules.followed(run.settings))}, the grains "
            f"{', '.join(rules.grains)} and the kinds {', '.join(kinds)}: run "
            "`rfm-spark cohorts` first, or for another day"
        )
    last = cohorts[-_COHORTS_SHOWN:]
    some = f", the last {len(last)} of {len(cohorts)}" if len(last) < len(cohorts) else ""
    where["period_index"] = list(range(asked.periods))
    rows = run.warehouse.rows(COHORTS, {**where, "cohort": last})
    pooled = run.warehouse.rows(COHORT_CURVES, where, ["period_index", "retention"])
    yield _triangle(rows, pooled, f"{origin} by {grain}{some}", day)


def _last_made(run: Run) -> date | None:
    run.warehouse.require(COHORTS)
    made = run.warehouse.last_note(COHORTS)
    return date.fromisoformat(made.content["as_of"]) if made else None


def _triangle(
    rows: Sequence[Mapping[str, Any]],
    pooled: Sequence[Mapping[str, Any]],
    title: str,
    day: date | None,
) -> Panel:
    found = {(row["cohort"], row["period_index"]): row for row in rows}
    shown = range(1 + max(row["period_index"] for row in rows))
    firsts = {k: next(row for row in rows if row["period_index"] == k) for k in shown}
    form = _FORMATS.get(rows[0]["grain"], "%Y-%m-%d")
    table = [
        [
            f"{cohort:{form}}",
            f"{found[cohort, 0]['cohort_size']:,}",
            *[_told(found.get((cohort, k))) for k in shown],
        ]
        for cohort in sorted({row["cohort"] for row in rows})
    ]
    complete = {row["period_index"]: percent(row["retention"]) for row in pooled}
    table.append(["complete", "", *[complete.get(k, "") for k in shown]])
    return Panel(
        f"Cohorts of {title}",
        f", share that came in each period, as of {day} ({_RUNNING} still runs)",
        (
            PanelColumn("cohort"),
            PanelColumn("customers", is_number=True),
            *[PanelColumn(_title(k, firsts[k]), is_number=True) for k in shown],
        ),
        table,
    )


def _title(index: int, row: Mapping[str, Any]) -> str:
    if row["kind"] != BRACKETS:
        return str(index)
    first, last = row["first_day_index"], row["last_day_index"]
    return f"day {first}" if first == last else f"{first}-{last}"


def _told(row: Mapping[str, Any] | None) -> str:
    """A cell: nothing where the period has not begun, marked where it runs for some.

    It is then of those for whom it is over, or where it is for nobody, of all so far. Where nobody
    has come yet only the mark is shown: it is no 0 %.
    """
    if row is None:
        return ""
    if row["is_complete"]:
        return percent(row["retention"])
    begun = row["begun"] or row["cohort_size"]  # not kept by earlier releases
    share = row["active_so_far"] / begun if row["eligible"] == 0 else row["retention"]
    return (percent(share) if share else "") + _RUNNING
