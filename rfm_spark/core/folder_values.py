"""Folder values: columns that the names of folders tell, as Spark and Hive write them."""

from __future__ import annotations

from urllib.parse import unquote

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def folder_values(name: str) -> dict[str, str | None]:
    """What the folders of a file say.

    >>> folder_values("sales/dt=2026-01-05/store=S%C3%BCd/part-0.parquet")
    {'dt': '2026-01-05', 'store': 'Süd'}

    Args:
        name: path of the file below the input.

    Returns:
        Column to value; None where there is none.
    """
    found: dict[str, str | None] = {}
    for folder in name.split("/")[:-1]:
        column, sign, value = folder.partition("=")
        if sign and column:
            found[unquote(column)] = None if value == _NO_VALUE else unquote(value)
    return found
