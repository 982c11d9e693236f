"""Outcomes: what the treated did in the days after, beside the holdout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.app.audiences.groups import ALL, DaysAfter, Groups, groups_by_segment
from rfm_spark.app.audiences.job import audience_slice
from rfm_spark.app.audiences.members import HOLDOUT, TREATED
from rfm_spark.app.audiences.merged_members import members_by_now
from rfm_spark.app.audiences.statistics import (
    Difference,
    addressed_difference,
    effect_of_addressing,
    response_difference,
    revenue_difference,
    sample_ratio_p_value,
)
from rfm_spark.app.audiences.tables import AUDIENCE_RESULTS, AUDIENCES
from rfm_spark.app.recording import recorded
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.facts.as_of import days_of_data
from rfm_spark.run import Run

_SURELY = 0.001
"""A p-value below which sizes of groups are not taken for chance, as is usual for this check."""


def audience_outcome(
    run: Run, name: str, as_of: date | None, until: date, addressed_by: str | None = None
) -> list[dict[str, Any]]:
    """Compares treated and holdout over the days after an audience was built, and writes it down.

    Args:
        run: session, settings and warehouse.
        name: of an audience that was built.
        as_of: for which day; by default the last.
        until: the last day that counts.
        addressed_by: kind of the interactions by which customers were addressed, such as an email
            that was sent; what being addressed changed is told as well.

    Returns:
        Rows of `audience_results`, the one of all first.

    Raises:
        UserError: if it was not built, nobody was held out, no such days have passed, or nobody
            was addressed by interactions of this kind.
    """
    day = _built_day(run, name, as_of)
    _require_passed(run, day, until)
    with recorded(run, "audience result", day, [AUDIENCE_RESULTS], makes_facts=False):
        built = run.read(AUDIENCES).where(audience_slice(name, day))
        people = members_by_now(run, built)
        with run.progress.step("compare treated and holdout") as step:
            groups = groups_by_segment(run, people, DaysAfter(day, until), addressed_by)
            _require_holdout(name, day, groups[ALL])
            run.notes += _sample_ratio_mismatch(built)
            run.notes += _addressing(groups[ALL], addressed_by)
            key = {"audience": name, "as_of": day, "until": until, "addressed_by": addressed_by}
            rows = [{**key, "segment": one, **_row(of_it)} for one, of_it in groups.items()]
            if addressed_by is not None:
                for row, of_it in zip(rows, groups.values(), strict=True):
                    row.update(_addressed_row(of_it))
            of_days = audience_slice(name, day) & (F.col("until") == F.lit(until))
            run.replace_by(AUDIENCE_RESULTS, rows, of_days)
            step.says(f"{rows[0]['treated_customers']:,} and {rows[0]['holdout_customers']:,}")
    return rows


def _built_day(run: Run, name: str, asked: date | None) -> date:
    built: dict[str, list[date]] = {}
    if run.warehouse.is_there(AUDIENCES):
        stored = run.warehouse.read(AUDIENCES).select("audience", "as_of").distinct()
        for row in stored.orderBy("as_of").collect():
            built.setdefault(row["audience"], []).append(row["as_of"])
    if name not in built:
        hint = did_you_mean(name, list(built)) if built else "none has been"
        raise UserError(f"{name}: no such audience has been built; {hint}")
    if asked is not None and asked not in built[name]:
        days = ", ".join(map(str, built[name]))
        raise UserError(f"--as-of {asked}: {name} was not built for that day; it was for {days}")
    return asked or built[name][-1]


def _require_passed(run: Run, day: date, until: date) -> None:
    if run.settings.receipts is None:
        raise UserError("audience result: tells what was bought day by day, which needs [receipts]")
    if until <= day:
        raise UserError(f"--until {until}: no day has passed: it was built for {day}")
    found = days_of_data(run)
    if found is None or until > found[1]:
        last = None if found is None else found[1]
        raise UserError(f"--until {until}: the data end on {last}: days that are not there yet "
                        "would count as days without a visit")  # fmt: skip


def _require_holdout(name: str, day: date, groups: Groups) -> None:
    if not groups[HOLDOUT].customers or not groups[TREATED].customers:
        told = "nobody was held out" if groups[TREATED].customers else "nobody was treated"
        raise UserError(
            f"{name}: {told} on {day}: without both groups nothing tells what would have happened "
            "anyway; set `holdout` before the next one is built"
        )


def _sample_ratio_mismatch(built: DataFrame) -> list[str]:
    """What is wrong with the sizes of the groups as they were drawn, if anything."""
    definition = built.select("definition").first()
    share = 0.0 if definition is None else float(json.loads(definition[0])["holdout"])
    counted = built.groupBy("audience_group").count().collect()
    sizes = {row["audience_group"]: row["count"] for row in counted}
    held_out, customers = sizes.get(HOLDOUT, 0), sum(sizes.values())
    p_value = sample_ratio_p_value(held_out, customers, share)
    if p_value >= _SURELY:
        return []
    return [
        f"sample ratio mismatch: {held_out:,} of {customers:,} customers are held out, where "
        f"{percent(share)} were to be (p = {p_value:.1e}): some of one group are missing, so that "
        "the difference may be theirs"
    ]


def _addressing(groups: Groups, kind: str | None) -> list[str]:
    """How far who was addressed is not who was to be, where it is known."""
    if kind is None:
        return []
    treated, holdout = groups[TREATED], groups[HOLDOUT]
    told = [
        f"by {kind}, {treated.addressed:,} of {treated.customers:,} treated were addressed, and "
        f"{holdout.addressed:,} of {holdout.customers:,} held out"
    ]
    share = addressed_difference(treated, holdout)
    if share is None or share.low is None or share.low <= 0:
        told.append(
            "it is not sure that more of the treated were addressed than of the holdout: what "
            "being addressed changed cannot be told"
        )
    return told


def _row(groups: Groups) -> dict[str, Any]:
    """The numbers of a row of `audience_results`."""
    told: dict[str, Any] = {}
    for name, group in groups.items():
        told |= {
            f"{name}_customers": group.customers,
            f"{name}_responders": group.responders,
            f"{name}_revenue_cents": group.cents,
            f"{name}_response_rate": group.response_rate,
            f"{name}_revenue_per_customer_cents": group.mean_cents,
        }
    treated, holdout = groups[TREATED], groups[HOLDOUT]
    revenue = revenue_difference(treated, holdout)
    differences = {
        "response_difference": response_difference(treated, holdout),
        "revenue_difference_cents": revenue,
        "extra_revenue_cents": None if revenue is None else revenue.times(treated.customers),
    }
    return told | _with_ends(differences)


def _addressed_row(groups: Groups) -> dict[str, Any]:
    """The numbers of a row that tell what being addressed changed."""
    treated, holdout = groups[TREATED], groups[HOLDOUT]
    effects = {
        "addressed_response_effect": effect_of_addressing(treated, holdout, is_money=False),
        "addressed_revenue_effect_cents": effect_of_addressing(treated, holdout, is_money=True),
    }
    sizes = {"treated_addressed": treated.addressed, "holdout_addressed": holdout.addressed}
    return sizes | _with_ends(effects)


def _with_ends(differences: Mapping[str, Difference | None]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, found in differences.items():
        ends = found or Difference(None, None, None)
        told |= {name: ends.value, f"{name}_low": ends.low, f"{name}_high": ends.high}
    return told


def outcome_panels(rows: list[dict[str, Any]], money: MoneyFormat) -> Iterator[Panel]:
    """What a person sees of it."""
    first = rows[0]
    yield Panel(
        f"{first['audience']}, built for {first['as_of']}: visits and revenue of the days up to "
        f"{first['until']}",
        f", in {money.currency}, with 95 % intervals",
        [
            PanelColumn(title, is_number=place > 0)
            for place, title in enumerate(
                ("segment", "treated", "held out", "came", "held out", "more came", "extra revenue")
            )
        ],
        [
            (
                row["segment"] or "all",
                f"{row['treated_customers']:,}",
                f"{row['holdout_customers']:,}",
                percent(row["treated_response_rate"]),
                percent(row["holdout_response_rate"]),
                _told(row, "response_difference", lambda rate: f"{100 * rate:+.1f}"),
                _told(row, "extra_revenue_cents", money.rounded),
            )
            for row in rows
        ],
    )
    if first["addressed_by"] is not None:
        yield _addressed_panel(rows, money)


def _addressed_panel(rows: list[dict[str, Any]], money: MoneyFormat) -> Panel:
    titles = ("segment", "treated addressed", "held out", "more came", "extra revenue per customer")
    return Panel(
        f"Addressed by {rows[0]['addressed_by']}: what it changed for those who were because of it",
        f", in {money.currency}, with 95 % intervals",
        [PanelColumn(title, is_number=place > 0) for place, title in enumerate(titles)],
        [
            (
                row["segment"] or "all",
                f"{row['treated_addressed']:,}",
                f"{row['holdout_addressed']:,}",
                _told(row, "addressed_response_effect", lambda rate: f"{100 * rate:+.1f}"),
                _told(row, "addressed_revenue_effect_cents", lambda one: money.exact(round(one))),
            )
            for row in rows
        ],
    )


def _told(row: Mapping[str, Any], name: str, shown: Any) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None:
        return ""
    return shown(value) if low is None else f"{shown(value)} ({shown(low)} to {shown(high)})"
