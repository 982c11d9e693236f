"""The explanation of one customer, panel by panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from rfm_spark.app.explain.last_move import last_move_panel
from rfm_spark.app.explain.scores import ExplainedScores, counted_events
from rfm_spark.app.explain.stored import StoredCustomer, customer_by_now, stored_customer
from rfm_spark.app.scored_days import described_day
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.errors import UserError
from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.core.table import Table
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.results.moves.one_customer import Values
from rfm_spark.results.moves.rules import rules_that_differ
from rfm_spark.results.registry import CUSTOMER_360
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import stored_set
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.run import Run

_MAX_EVENTS = 20
_MAX_DAYS = 8


def explanation(run: Run, customer: str, as_of: date | None) -> Iterator[Panel]:
    """Everything that is stored of one customer, and what its scores come from.

    Reads the files that can hold the customer alone; nothing is written. Scores are explained by
    the rules of the day they were given on, and where these, or the facts, have changed since, it
    is said.

    Args:
        run: the run.
        customer: id, as delivered and trimmed.
        as_of: a day that is stored; by default the newest.

    Raises:
        UserError: if the day is not stored, or nobody has this id.
    """
    asked, customer = customer, customer_by_now(run, customer)
    stored = stored_customer(run, customer)
    day = described_day(stored.scored_days, as_of)
    wide = run.warehouse.rows(CUSTOMER_360, {"as_of": day, "customer_id": customer})
    if not stored.is_known(day) and not wide:
        raise UserError(
            f"{run.warehouse.place}: no customer has this id: give it as it was delivered, "
            "leading zeros and letter case too"
        )
    if customer != asked:
        yield Panel(f"{asked} is {customer} now", ", by [identities]: it is told as that one")
    if count := len(stored.merged_ids):
        others = "another id, which was" if count == 1 else f"{count:,} other ids, which were"
        yield Panel(f"Has what was done under {others} merged into it")
    for row in wide:
        yield _person(row, day, run)
    for name in stored.profiles(day):
        yield from _profile(stored, name, day)
        if (move := last_move_panel(stored, name, day)) is not None:
            yield move
    yield _what_counts(stored, day)
    yield from _days_before(stored, day)
    yield from _files_read(run, customer)


def _person(row: Mapping[str, Any], day: date, run: Run) -> Panel:
    """Lifetime, cohort and cluster, of who was known on the day."""
    money = run.settings.business.money_format
    spent = f"{money.exact(row['lifetime_revenue_cents'])} {money.currency}"
    first, month = row["first_visit"], row["cohort_month"]
    visits, did = row["lifetime_visits"], row["interactions"]
    told = [
        f"{visits:,} visit{'' if visits == 1 else 's'}, {spent} in all",
        f"first visit {first}" if first else "no visit yet",
        f"cohort of {month:%Y-%m}" if month else "",
        f"{did:,} interaction{'' if did == 1 else 's'}" if did else "",
        f"cluster {row['cluster']}: {row['persona']}" if row["cluster"] else "",
    ]
    return Panel(f"{row['segment']} as of {day}", f", {'; '.join(one for one in told if one)}")


def _profile(stored: StoredCustomer, name: str, day: date) -> Iterator[Panel]:
    """Its scores in a profile, or why it has none."""
    row, rules = stored.scores.get((name, day)), stored.rules(name, day)
    if row is None:
        yield Panel(f"{name}: not scored", f", {_why_not_scored(stored, name, day)}")
        return
    if rules is None:
        told = "its rules are neither on record nor in the configuration any more"
        yield Panel(f"{name}: {row['segment']}, {row['rfm_cell']}", f", {told}")
        return
    version = DayVersion.of_columns(row["boundary_version"], row["boundary_edition"])
    found = stored_set(stored.run, name, version)
    now = stored.values_now(rules, day)
    is_as_scored = now == Values.of(row, rules.basis)
    counted = counted_events(stored.events(day), rules.basis, day) if is_as_scored else None
    money = stored.run.settings.business.money_format
    yield from ExplainedScores(name, rules, row, found, counted, money).panels()
    if not is_as_scored:
        yield _other_facts(stored, name, rules, now, day)
    yield from _other_rules(stored, name, rules, found.fitted_by, day)


def _other_facts(
    stored: StoredCustomer, name: str, rules: Profile, now: Values, day: date
) -> Panel:
    told = "nothing in the window"
    if now.recency_days is not None:
        last = day - timedelta(days=now.recency_days)
        told = f"the last event on {last}, frequency {now.frequency:,}"
        if rules.basis.is_money:
            money = stored.run.settings.business.money_format
            told += f", {money.exact(now.value_units)} {money.currency}"
    return Panel(
        f"What is known now gives other values of {name}",
        f": {told}; it came after {day} was scored: `rfm-spark rfm --as-of {day}` scores it anew",
    )


def _other_rules(
    stored: StoredCustomer, name: str, rules: Profile, fitted_by: str, day: date
) -> Iterator[Panel]:
    """Where the rules of the day are not those of now, or nothing tells that they are."""
    now = stored.now().get(name)
    title = f"The rules of {name} were others"
    if now is None:
        yield Panel(title, ": the configuration has no such profile now")
    elif stored.rules_on_record(name, day) is None:
        if fitted_by != boundary_digest(now):
            told = f": those by which {day} was scored are not on record; told by those of now"
            yield Panel(f"The rules of {name} may have been others", told)
    elif differing := rules_that_differ(rules, now):
        told = f": the configuration has another {', '.join(differing)} now"
        yield Panel(title, f"{told}; {day} is told by its own")


def _why_not_scored(stored: StoredCustomer, name: str, day: date) -> str:
    if day not in stored.scored_days.get(name, ()):
        return f"as the profile itself was not, as of {day}"
    rules = stored.rules(name, day)
    if rules is None:
        return "and its rules are neither on record nor in the configuration any more"
    basis = rules.basis
    if basis.has_all_known and not stored.is_known_by(day):
        return f"not known by {day}"
    if not basis.has_all_known and stored.values_now(rules, day).recency_days is None:
        return f"nothing in {told_window(rules)}"
    late = f"what is known of it came after {day} was scored"
    if basis.filter is None:
        return late
    no_filter = f"it does not meet the filter `{basis.filter.text}`"
    return f"{no_filter}, or {late}" if stored.have_facts_changed(day) else no_filter


def _what_counts(stored: StoredCustomer, day: date) -> Panel:
    """The latest days, and which profiles count them."""
    by_then = [one for one in stored.events(day) if one.known_on <= day]
    money = stored.run.settings.business.money_format
    shown = by_then[:_MAX_EVENTS]
    note = f", the last {len(shown)} of {len(by_then)}" if len(shown) < len(by_then) else ""
    if stored.run.settings.customer_totals is not None:
        note += ", of orders only the last day: they are given as totals, without receipts"
    rules = {name: stored.rules(name, day) for name in stored.profiles(day)}
    bases = {name: one.basis for name, one in rules.items() if one is not None}
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
                ", ".join(name for name, basis in bases.items() if one.is_inside(basis, day)),
            )
            for one in shown
        ],
    )


def _days_before(stored: StoredCustomer, day: date) -> Iterator[Panel]:
    rows = [row for (_, as_of), row in stored.scores.items() if as_of <= day]
    rows.sort(key=lambda one: one["profile"])
    rows.sort(key=lambda one: one["as_of"], reverse=True)
    if rows:
        yield Panel(
            "Its segments on stored days",
            f", the last {_MAX_DAYS} of {len(rows)}" if len(rows) > _MAX_DAYS else "",
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
