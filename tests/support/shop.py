"""A tiny shop: a few receipts, written as files, with a configuration that reads them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from rfm_spark.app.tables import ALL_TABLES

ABOUT_RUNS = ("runs", "settings", "published")
"""Tables that tell of runs, not of customers."""

NOT_OF_A_RUN = (
    *("customer_totals", "audiences", "audience_results", "forgotten_customers"),
    *("identities", "merged_customers"),
    *("lifetime_value", "lifetime_classes", "lifetime_models"),
    *("lifetime_parameters", "lifetime_checks"),
    *("backtest", "backtest_rankings", "backtest_gains"),
    "category_lift",
)
"""Tables that a run of a shop with receipts does not make."""

EMPTY_AFTER_A_RUN = (
    "rfm_drift", "segment_moves", "cluster_moves", "cluster_candidates", "cohort_cuts"
)  # fmt: skip
"""Tables without rows after it: they compare days, or nobody asked for them."""

Rows = Iterable[Mapping[str, str | None]]

TILLS = """
[business]
time_zone = "Europe/Berlin"
guest_ids = ["0"]

[ingest]
max_rejected_share = 0.5

[receipts]
path = "receipts*.csv"
format = "csv"
grain = "line"

[receipts.columns]
receipt_id = "receipt"
customer_id = "customer"
time = "time"
quantity = "quantity"
amount = "amount"
category = "category"
is_void = "coalesce(void, '') = 'yes'"
"""
"""Receipts, with as few results as there can be."""

RECEIPTS = (
    TILLS
    + """
[cohorts]
grains = ["month"]

[clusters]
window_days = 60
k = 2
starts = 1
features = ["recency_days", "frequency", "monetary_cents"]
"""
)

INTERACTIONS = """
[interactions.web]
path = "clicks*.csv"
format = "csv"

[interactions.web.columns]
interaction_id = "click"
customer_id = "customer"
kind = "kind"
time = "time"
value = "seconds"
"""

CUSTOMERS = """
[customers]
path = "customers*.csv"
format = "csv"

[customers.columns]
customer_id = "customer"
valid_from = "since"

[customers.columns.attributes]
city = "city"
"""

EVERYTHING = RECEIPTS + INTERACTIONS + CUSTOMERS


def line(
    receipt: str | None,
    customer: str | None,
    time: str | None,
    amount: str | None,
    quantity: str = "1",
    category: str = "bread",
    void: str = "",
) -> dict[str, str | None]:
    """One line of a receipt, as the shop's till writes it."""
    return {
        "receipt": receipt,
        "customer": customer,
        "time": time,
        "quantity": quantity,
        "amount": amount,
        "category": category,
        "void": void,
    }


def click(number: str, customer: str, time: str, kind: str = "click", seconds: str = "5") -> Any:
    """One interaction, as the web shop writes it."""
    return {"click": number, "customer": customer, "kind": kind, "time": time, "seconds": seconds}


def person(customer: str, city: str, since: str = "") -> dict[str, str | None]:
    """One row of attributes."""
    return {"customer": customer, "since": since, "city": city}


def some_lines() -> list[dict[str, str | None]]:
    """Fourteen receipts of six customers and a guest over two years, one a return."""
    found = [
        line(
            f"r{customer}{visit}", f"c{customer}", f"2025-0{visit + 1}-1{customer}", f"{amount}.50"
        )
        for customer, visits in enumerate([1, 2, 3, 1, 2, 2])
        for visit, amount in zip(range(visits), (10, 25, 40), strict=False)
    ]
    return [
        *found,
        line("r00", "c0", "2025-01-10", "2.25", category="milk"),
        line("r90", "0", "2025-02-03 09:30:00", "7.00"),
        line("r91", "c5", "2025-03-20", "-4.00", quantity="-1"),
        line("r92", "c2", "2024-12-30 18:00:00", "12.00", category="milk"),
    ]


@dataclass(frozen=True)
class Shop:
    """A folder of raw files, a configuration and a place for the warehouse.

    Attributes:
        folder: everything lies below it.
    """

    folder: Path

    @property
    def raw(self) -> Path:
        """Where the raw files lie."""
        return self.folder / "raw"

    @property
    def warehouse(self) -> Path:
        """Where the tables go."""
        return self.folder / "warehouse"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "shop.toml"

    def configure(self, text: str = RECEIPTS, changes: Mapping[str, str] | None = None) -> Path:
        """Writes the configuration; every change must find its text."""
        for old, new in (changes or {}).items():
            assert old in text, f"the configuration has no {old!r}"
            text = text.replace(old, new)
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text, encoding="utf-8")
        return self.config

    def file(self, name: str) -> Path:
        """A raw file, its folder made."""
        path = self.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def csv(self, name: str, rows: Rows) -> Path:
        """A CSV file with the header of the first row."""
        listed = list(rows)
        with self.file(name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(listed[0]))
            writer.writeheader()
            writer.writerows(listed)
        return self.file(name)

    def touch(self, name: str) -> None:
        """The same file, delivered again later."""
        later = self.file(name).stat().st_mtime + 60
        os.utime(self.file(name), (later, later))

    def json_lines(self, name: str, rows: Rows) -> Path:
        """A file of JSON lines."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        self.file(name).write_text(text, encoding="utf-8")
        return self.file(name)

    def parquet(self, name: str, rows: Rows) -> Path:
        """A Parquet file of text columns."""
        pq.write_table(_table(rows), self.file(name))
        return self.file(name)

    def delta(self, name: str, rows: Rows) -> Path:
        """A Delta table of text columns, replaced if it is there."""
        write_deltalake(str(self.file(name)), _table(rows), mode="overwrite")
        return self.file(name)

    def arguments(self, *more: object) -> list[object]:
        """The options every command takes."""
        return [
            "--config", self.config, "--input", self.raw, "--warehouse", self.warehouse, *more,
        ]  # fmt: skip


def stored(warehouse: Path, table: str) -> list[dict[str, Any]]:
    """All rows of a table, in an order of their own, read without Spark."""
    rows = DeltaTable(str(warehouse / table)).to_pyarrow_table().to_pylist()
    return sorted(rows, key=repr)


def stored_tables(warehouse: Path, without: Sequence[str] = ABOUT_RUNS) -> dict[str, Any]:
    """The rows of every table of a warehouse."""
    return {
        table.name: stored(warehouse, table.name)
        for table in ALL_TABLES
        if table.name not in without and (warehouse / table.name / "_delta_log").is_dir()
    }


def versions(warehouse: Path) -> dict[str, int]:
    """The Delta version of every table of a warehouse."""
    return {
        log.parent.name: DeltaTable(str(log.parent)).version()
        for log in sorted(warehouse.glob("*/_delta_log"))
    }


def receipts_shop(folder: Path, configuration: str) -> Shop:
    """A delivery of receipts alone, for places where each result takes its time."""
    shop = Shop(folder)
    shop.configure(configuration)
    shop.csv("receipts1.csv", some_lines())
    return shop


def whole_shop(folder: Path) -> Shop:
    """Receipts, clicks and customers with a configuration; one line is to be rejected."""
    shop = Shop(folder)
    shop.configure(EVERYTHING)
    shop.csv("receipts1.csv", [*some_lines(), line("bad", "c1", "2025-01-02", "ten")])
    shop.csv("clicks1.csv", [click("1", "c1", "2025-01-03"), click("2", "c7", "2025-01-04")])
    shop.csv("customers1.csv", [person("c1", "Ulm"), person("c8", "Aix", "2025-01-01")])
    return shop


def assert_same_tables(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """The same tables with the same rows; names the first table that differs."""
    assert sorted(found) == sorted(expected)
    for name, rows in expected.items():
        assert found[name] == rows, f"{name} differs"


def _table(rows: Rows) -> pa.Table:
    listed = list(rows)
    schema = pa.schema([(name, pa.string()) for name in listed[0]])
    return pa.Table.from_pylist(listed, schema=schema)
