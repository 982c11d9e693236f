"""Contents of two warehouses, compared row by row."""

from __future__ import annotations

from pathlib import Path

import duckdb
from deltalake import DeltaTable

ABOUT_RUNS = ("runs", "settings", "published")
"""Tables that tell of runs, of which a disturbed warehouse has more."""


def tables_of(warehouse: Path) -> list[str]:
    """Tables that tell of customers."""
    found = sorted(log.parent.name for log in warehouse.glob("*/_delta_log"))
    return [name for name in found if name not in ABOUT_RUNS]


def differences(one: Path, other: Path) -> list[str]:
    """What is not the same in two warehouses, by table; empty where all is."""
    if tables_of(one) != tables_of(other):
        return [f"tables: {tables_of(one)} and {tables_of(other)}"]
    told = []
    for name in tables_of(one):
        only = [_rows_only_in(first, second) for first, second in _both(one / name, other / name)]
        if any(only):
            told.append(f"{name}: {only[0]:,} rows only in the one, {only[1]:,} in the other")
    return told


def _both(one: Path, other: Path) -> list[tuple[Path, Path]]:
    return [(one, other), (other, one)]


def _rows_only_in(one: Path, other: Path) -> int:
    """Rows of a table that another one has not, as often as they are too many."""
    with duckdb.connect() as connection:
        for name, place in (("one", one), ("other", other)):
            connection.register(name, DeltaTable(str(place)).to_pyarrow_dataset())
        [(rows,)] = connection.sql(
            "SELECT count(*) FROM (SELECT * FROM one EXCEPT ALL SELECT * FROM other)"
        ).fetchall()
    return int(rows)
