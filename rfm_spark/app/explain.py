"""Explain: why one customer has the scores it has, from what is stored of it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.app.customer_events import CustomerEvent, events_of, falls_on
from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.core.table import Table
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.results.registry import BY_COMMAND, CUSTOMER_360
from rfm_spark.results.rfm.boundaries.stored import stored_set
from rfm_spark.results.rfm.boundaries.units import units_of
from rfm_spark.results.rfm.boundaries.versions import SetVersion
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.score_ranges import score_range
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM, SEGMENTS
from rfm_spark.run import Run

_MAX_EVENTS = 20
_MAX_DAYS = 8


def explanation(run: Run, customer: str, as_of: date | None) -> Iterator[Panel]:
    """Everything that is stored of one customer, and what its scores come from.

    Reads the files that can hold the customer alone; nothing is written.

    Args:
        run: the run.
        customer: id, as delivered and trimmed.
        as_of: a day that is stored; by default the newest.

    Raises:
        UserError: if the day is not stored, or nobody has this id.
    """
    day = stored_day(run, as_of)
    events = events_of(run, customer, day)
    wide = run.warehouse.rows(CUSTOMER_360, {"as_of": day, "customer_id": customer})
    if not events and not wide:
        raise UserError(
            f"{run.warehouse.place}: no customer has this id: give it as it was delivered, "
            "leading zeros and letter case too"
        )
    yield from _person(wide, day, run)
    profiles: Mapping[str, Profile] = BY_COMMAND["rfm"].rules(run.settings)
    for name, profile in profiles.items():
        yield from _scores(run, customer, name, profile, day, events)
    yield _what_counts(run, profiles, events, day)
    yield from _days_before(run, customer, day)
    yield from _files_read(run, customer)


def stored_day(run: Run, as_of: date | None) -> date:
    """A day with stored scores: the one asked for, or the newest.

    Raises:
        UserError: if it is not stored.
    """
    days: list[date] = sorted(
        {row["as_of"] for row in run.warehouse.rows(SEGMENTS, columns=["as_of"])}
    )
    if not days:
        raise UserError(f"{run.warehouse.path(SEGMENTS)}: has no day: run `rfm-spark run` first")
    if as_of is None:
        return days[-1]
    if as_of not in days:
        near = sorted(days, key=lambda one: abs(one - as_of))[:3]
        told = ", ".join(map(str, sorted(near)))
        raise UserError(
            f"--as-of {as_of}: no scores are stored of that day (near it: {told}): run "
            f"`rfm-spark rfm --as-of {as_of}` first"
        )
    return as_of


def _person(wide: Sequence[Mapping[str, Any]], day: date, run: Run) -> Iterator[Panel]:
    """Lifetime, cohort and cluster, of who was known on the day."""
    money = run.settings.business.money_format
    for row in wide:
        first = row["first_visit"]
        spent = f"{money.exact(row['lifetime_revenue_cents'])} {money.currency}"
        told = [
            f"{row['lifetime_visits']:,} visits, {spent} in all",
            f"first visit {first}, cohort of {first:%Y-%m}" if first else "no visit yet",
            f"{row['interactions']:,} interactions" if row["interactions"] else "",
            f"cluster {row['cluster']}: {row['persona']}" if row["cluster"] else "",
        ]
        yield Panel(f"{row['segment']} as of {day}", f", {'; '.join(one for one in told if one)}")


def _scores(
    run: Run,
    customer: str,
    name: str,
    profile: Profile,
    day: date,
    events: Sequence[CustomerEvent],
) -> Iterator[Panel]:
    """The values of a profile, between which cuts they lie, and what other scores would take."""
    where = {"profile": name, "as_of": day, "customer_id": customer}
    for row in run.warehouse.rows(RFM, where):
        version = SetVersion.of_columns(row["boundary_version"], row["boundary_edition"])
        cuts = stored_set(run, name, version).cuts
        counted = [one for one in events if one.is_inside(profile.basis, day)]
        cells = [
            _dimension(run, profile, dimension, row, cuts[dimension], counted)
            for dimension in DIMENSIONS
        ]
        yield Panel(
            f"{name}: {row['segment']}, {row['rfm_cell']}",
            f", {told_window(profile)}, boundaries of {version}",
            (
                PanelColumn("dimension"),
                PanelColumn("value", is_number=True),
                PanelColumn("score", is_number=True),
                PanelColumn("this score takes"),
                PanelColumn("a better one takes"),
                PanelColumn("without more it falls"),
            ),
            cells,
        )
        return
    yield Panel(f"{name}: not scored", f", nothing in {told_window(profile)}")


def _dimension(
    run: Run,
    profile: Profile,
    dimension: str,
    row: Mapping[str, Any],
    cuts: Sequence[int | None],
    counted: Sequence[CustomerEvent],
) -> tuple[str, ...]:
    """One row of the panel: the value in words and the way to its neighbouring scores."""
    basis = profile.basis
    value = {
        "recency": row["recency_days"],
        "frequency": row["frequency"],
        "monetary": round((row["value"] or 0) * basis.units_per_value),
    }[dimension]
    score = str(row[DIMENSIONS[dimension][1]])
    if row["recency_days"] is None:
        return (dimension, "none", score, "nothing in the window", "any event", "")
    found = score_range(value, cuts, profile.scores, dimension == "recency")

    unit = units_of(basis, run.settings.business.money_format)[dimension]
    better = worse = ""
    if found.better_from is not None:
        gap = "" if dimension == "recency" else f" ({unit.told(found.better_from - value)} more)"
        bound = "at most " if dimension == "recency" else "from "
        better = f"{found.better_score}: {bound}{unit.told(found.better_from)}{gap}"
    title = dimension if dimension != "monetary" or basis.is_money else "value"
    if found.worse_score is not None and (on := falls_on(found, dimension, basis, counted)):
        worse = f"below {score} on {on}"
    taken = unit.range_told(found.least, None if found.most is None else found.most + 1)
    return (title, unit.told(value), score, taken, better, worse)


def _what_counts(
    run: Run, profiles: Mapping[str, Profile], events: Sequence[CustomerEvent], day: date
) -> Panel:
    """The latest days, and which profiles count them."""
    by_then = [one for one in events if one.known_on <= day]
    money = run.settings.business.money_format
    shown = by_then[:_MAX_EVENTS]
    note = f", the last {len(shown)} of {len(by_then)}" if len(shown) < len(by_then) else ""
    if run.settings.customer_totals is not None:
        note += ", of orders only the last day: they are given as totals, without receipts"
    return Panel(
        "What it did",
        note,
        (
            PanelColumn("day"),
            PanelColumn("what"),
            PanelColumn("times", is_number=True),
            PanelColumn(f"net, {money.currency}", is_number=True),
            PanelColumn("counts for"),
        ),
        [
            (
                str(one.day),
                one.what,
                f"{max(one.count, 1):,}",
                money.exact(one.cents) if one.kind is None else "",
                ", ".join(n for n, p in profiles.items() if one.is_inside(p.basis, day)),
            )
            for one in shown
        ],
    )


def _days_before(run: Run, customer: str, day: date) -> Iterator[Panel]:
    columns = ["profile", "as_of", "rfm_cell", "segment"]
    rows = run.warehouse.rows(RFM, {"customer_id": customer}, columns)
    rows = [row for row in rows if row["as_of"] <= day]
    rows.sort(key=lambda one: (one["as_of"], one["profile"]), reverse=True)
    if rows:
        yield Panel(
            "Its segments on stored days",
            "",
            tuple(PanelColumn(name) for name in ("day", "profile", "cell", "segment")),
            [
                (str(row["as_of"]), row["profile"], row["rfm_cell"], row["segment"])
                for row in rows[:_MAX_DAYS]
            ],
        )


def _files_read(run: Run, customer: str) -> Iterator[Panel]:
    """How much was looked at, where the log tells."""
    told = []
    has_totals = run.settings.customer_totals is not None
    bought = CUSTOMER_TOTALS if has_totals else CUSTOMER_DAYS
    tables: tuple[Table, ...] = (bought, CUSTOMER_DAY_EVENTS, RFM)
    for table in tables:
        found = run.warehouse.files_holding(table, "customer_id", customer)
        if found is not None:
            told.append(f"{found[0]:,} of {found[1]:,} of {table.name}")
    if told:
        yield Panel("Files read: ", "; ".join(told))
