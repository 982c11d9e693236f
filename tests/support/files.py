"""Parquet files written anew."""

from __future__ import annotations

from pathlib import Path

import duckdb


def damage(file: Path) -> None:
    """Overwrites the data of a small file; its footer stays."""
    content = bytearray(file.read_bytes())
    content[4:200] = b"\xff" * 196
    file.write_bytes(content)


def rewrite(file: Path, where: str, order: str) -> None:
    """The file with some of its rows, in another order, in small row groups."""
    new = file.with_name("new.parquet")
    duckdb.sql(
        f"COPY (SELECT * FROM '{file}' WHERE {where} ORDER BY {order}) TO '{new}'"
        " (FORMAT parquet, ROW_GROUP_SIZE 20000)"
    )
    new.replace(file)
