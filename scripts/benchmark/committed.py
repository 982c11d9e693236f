"""What commits added to the tables of a warehouse, by their own logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def log_versions(warehouse: Path) -> dict[str, int]:
    """The newest version of every table."""
    newest: dict[str, int] = {}
    for log in warehouse.glob("*/_delta_log/*.json"):
        table = log.parts[-3]
        newest[table] = max(newest.get(table, 0), int(log.stem))
    return newest


def added_bytes(warehouse: Path, since: Mapping[str, int]) -> dict[str, int]:
    """Bytes of the files that later commits added, by table; of rows they kept, too."""
    added: dict[str, int] = {}
    for log in sorted(warehouse.glob("*/_delta_log/*.json")):
        table = log.parts[-3]
        if int(log.stem) > since.get(table, -1):
            actions = (json.loads(line) for line in log.read_text("utf-8").splitlines())
            sizes = [action["add"]["size"] for action in actions if "add" in action]
            added[table] = added.get(table, 0) + sum(sizes)
    return added
