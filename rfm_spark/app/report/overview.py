"""The first page: the day in figures and words, and how far its data can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rfm_spark.core.page import Block, Chart, Data, Field, Figure, Figures, Grid, Page, Words
from rfm_spark.core.panel import percent
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.ingest.tables.quarantine import QUARANTINE
from rfm_spark.results.cohorts.tables import COHORTS
from rfm_spark.results.moves.causes import FIRST, LEFT, MERGED, RETURNED, STAYED
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.reconciliation import RAW, TERMS
from rfm_spark.results.rfm.segment_page import MOST_DAYS, evenly
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RECONCILIATION, SEGMENTS
from rfm_spark.run import Run

Rows = Sequence[Mapping[str, Any]]

_TERMS = {
    "raw": "delivered",
    "rejected": "broke a rule, and lie in quarantine",
    "dropped": "rows whose delivery has an equal or newer one",
    "superseded": "replaced by a newer version",
    "void": "cancelled by the shop",
    "forgotten": "of customers who were forgotten",
    "guests": "of nobody who is known",
    "other_kinds": "of kinds that the profile does not count",
    "outside_window": "before the days that the profile looks at, or after the day",
    "unscored": "of customers who are not scored, such as with returns only",
    "scored": "of the customers who are scored",
}
"""What became of what was delivered, for a reader."""


@dataclass(frozen=True)
class Overview:
    """What the first page is made of.

    Attributes:
        run: the run.
        as_of: the day.
        name: of the profile that leads.
        rules: its rules.
        before: the stored day before; None where there is none.
    """

    run: Run
    as_of: date
    name: str
    rules: Profile
    before: date | None

    def page(self) -> Page:
        """Figures, what they mean, moves, and the data behind them."""
        return Page(
            "Overview", [*self._customers(), *self._moves(), *self._deliveries(), *self._terms()]
        )

    def _of_profile(self, table: Any, day: date | None) -> list[dict[str, Any]]:
        if day is None:
            return []
        return self.run.warehouse.rows(table, {"profile": self.name, "as_of": day})

    def _customers(self) -> Iterator[Block]:
        now, earlier = (self._of_profile(SEGMENTS, day) for day in (self.as_of, self.before))
        customers, revenue = _sum(now, "customers"), _sum(now, "revenue_cents")
        before = _sum(earlier, "customers") if earlier else None
        figures = [
            Figure("customers scored", customers, before=before, note=told_window(self.rules))
        ]
        if self.run.settings.tells_purchases:
            revenue_before = _sum(earlier, "revenue_cents") if earlier else None
            sizes = (customers, before)
            figures.append(
                Figure("revenue", revenue, "money", revenue_before, "in the window", *sizes)
            )
            each, each_before = (
                _sum(rows, "revenue_cents") / of if (of := _sum(rows, "customers")) else None
                for rows in (now, earlier)
            )
            figures.append(Figure("revenue a customer", each, "money", each_before, "", *sizes))
        ever = self._ever(customers)
        yield Figures([*figures, *ever], since="" if self.before is None else str(self.before))
        yield Words(self._largest(now, customers, revenue))
        yield from self._trends()

    def _trends(self) -> Iterator[Block]:
        """Customers and revenue on the stored days."""
        sums: defaultdict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        columns = ["as_of", "customers", "revenue_cents"]
        for row in self.run.warehouse.rows(SEGMENTS, {"profile": self.name}, columns):
            if row["as_of"] <= self.as_of:
                for name in columns[1:]:
                    sums[row["as_of"]][name] += row[name]
        if len(sums) < 2:
            return
        days = [{"as_of": day, **sums[day]} for day in evenly(sorted(sums), MOST_DAYS)]
        day, customers = Field("as_of", "day", "date"), Field("customers", "customers", "count")
        measures = [customers]
        if self.run.settings.tells_purchases:
            measures.append(Field("revenue_cents", "revenue", "money"))
        for field in measures:
            fields = (day, customers) if field is customers else (day, customers, field)
            title = f"{field.title.capitalize()} in the window, by day"
            yield Chart(title, Data(fields, days), "lines", "as_of", field.name, is_small=True)

    def _ever(self, active: int) -> Iterator[Figure]:
        """Who has ever bought, where the population is whoever bought in the window."""
        basis = self.rules.basis
        if basis.interactions or basis.has_all_known or basis.filter is not None:
            return
        where = {"as_of": self.as_of, "origin": "receipt", "period_index": 0, "kind": "calendar"}
        rows = self.run.warehouse.rows(COHORTS, where, ["grain", "cohort_size"])
        if not rows:
            return
        grain = rows[0]["grain"]
        ever = sum(row["cohort_size"] for row in rows if row["grain"] == grain)
        yield Figure("have ever bought", ever)
        yield Figure("of these lost", ever - active, note="no visit in the window")

    def _largest(self, rows: Rows, customers: int, revenue: int) -> str:
        """The segment with the most customers, and the one with the most money, in words."""
        if not customers:
            return "Nobody is scored."
        most = max(rows, key=lambda row: row["customers"])
        share = percent(most["customer_share"])
        told = f"{most['segment']} is the largest segment, with {share} of customers"
        if self.run.settings.tells_purchases and revenue > 0:
            best = max(rows, key=lambda row: row["revenue_cents"])
            told += f"; {best['segment']} brings most, {percent(best['revenue_share'])} of revenue"
        return told + "."

    def _moves(self) -> Iterator[Block]:
        rows = self._of_profile(SEGMENT_MOVES, self.as_of)
        if not rows:
            return
        since = max(row["since"] for row in rows)
        sizes: defaultdict[str, int] = defaultdict(int)
        for row in rows:
            if row["since"] == since:
                sizes[row["cause"]] += row["customers"]
        others = (FIRST, RETURNED, LEFT, MERGED, STAYED)
        moved = sum(sizes[one] for one in sizes if one not in others)
        yield Figures(
            [
                Figure("came for the first time", sizes[FIRST]),
                Figure("came back", sizes[RETURNED]),
                Figure("left the window", sizes[LEFT]),
                Figure("changed the segment", moved),
                Figure("stayed in it", sizes[STAYED]),
                *([Figure("merged", sizes[MERGED])] if sizes[MERGED] else []),
            ]
        )
        yield Words(f"These are the moves since {since}; the page Segments tells them in full.")

    def _deliveries(self) -> Iterator[Block]:
        """Rows of every source, and how many of them break a rule."""
        sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        columns = ["source", "rows", "rejected_rows", "dropped_rows"]
        for row in self.run.warehouse.rows(DELIVERIES, columns=columns):
            for name in columns[1:]:
                sums[row["source"]][name] += row[name]
        fields = (
            Field("source", "source"),
            Field("rows", "rows delivered", "count"),
            Field("rejected_rows", "in quarantine", "count"),
            Field("rejected_share", "share", "share"),
            Field("dropped_rows", "equal or older rows left out", "count"),
        )
        told = [
            {
                **one,
                "source": source,
                "rejected_share": one["rejected_rows"] / one["rows"] if one["rows"] else None,
            }
            for source, one in sorted(sums.items())
        ]
        if told:
            yield Grid(
                "How good the data are",
                Data(fields, told, size=None),
                "Rows in quarantine broke a rule; the table quarantine has all of them.",
            )
        reasons = self.run.warehouse.counts(QUARANTINE, "reasons")
        if reasons:
            ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
            broken = [{"reason": name.replace("_", " "), "rows": rows} for name, rows in ordered]
            yield Grid(
                "Why rows are in quarantine",
                Data(
                    (Field("reason", "reason"), Field("rows", "rows", "count")), broken, size=None
                ),
                "A row can have several reasons.",
            )

    def _terms(self) -> Iterator[Block]:
        """Where every receipt went; terms that are zero say nothing."""
        rows = self._of_profile(RECONCILIATION, self.as_of)
        ordered = sorted(rows, key=lambda row: TERMS.index(row["term"]))
        shown = [
            {**row, "term": _TERMS[row["term"]]}
            for row in ordered
            if row["term"] == RAW or row["receipts"] or row["net_cents"] or row["events"]
        ]
        fields = [Field("term", "what became of them")]
        if self.run.settings.tells_purchases:
            word = self.run.settings.purchase_word
            fields += [
                Field("receipts", f"{word}s", "count"),
                Field("net_cents", "money", "money"),
            ]
        if any(row["events"] is not None for row in ordered):
            fields.append(Field("events", "interactions", "count"))
        if shown:
            yield Grid(
                "Where everything went",
                Data(fields, shown, size=None),
                "The first line is the sum of the others, to the last cent.",
            )


def _sum(rows: Rows, column: str) -> int:
    return sum(row[column] for row in rows)
