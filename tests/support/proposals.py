"""Proposals of `rfm-spark init` for small exports, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rfm_spark.app.loading import load_settings
from rfm_spark.app.proposal.findings import Finding
from rfm_spark.app.proposal.proposal import Proposal, proposal
from rfm_spark.app.settings import Settings
from support.exports import csv_text, written

HEADER = ["order_id", "customer", "created_at", "total"]


def orders(number: int = 10) -> list[list[str]]:
    """Whole receipts, of three customers in turn."""
    return [
        [f"A{100 + n}", f"k{n % 3}", f"2026-01-{1 + n:02} 10:00:00", f"{n + 1}.50"]
        for n in range(number)
    ]


def with_values(rows: list[list[str]], column: int, values: dict[int, str]) -> list[list[str]]:
    """Rows of which some have another value in a column."""
    return [
        [*row[:column], values.get(at, row[column]), *row[column + 1 :]]
        for at, row in enumerate(rows)
    ]


def proposed(
    place: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER, name: str = "o.csv"
) -> Proposal:
    return proposal([written(place / name, csv_text(header, rows))])


def one_of(found: Proposal) -> Finding:
    [finding] = found.findings
    return finding


def loaded(found: Proposal, place: Path) -> Settings:
    file = place / "proposed.toml"
    file.write_text(found.text, encoding="utf-8")
    return load_settings(file)


def doubts_of(found: Proposal) -> str:
    return "\n".join(
        doubt for one in found.findings for doubt in [*one.group.sample.doubts, *one.doubts]
    )
