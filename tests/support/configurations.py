"""A configuration that is right, for tests to change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

BASE = """
[business]
time_zone = "Europe/Madrid"

[receipts]
path = "*.csv"
format = "csv"
grain = "line"

[receipts.columns]
receipt_id = "id"
customer_id = "customer"
time = "at"
quantity = "units"
unit_price = "price"
"""

OWN_DAYS = ("cohorts.rolling_days=[28]", "cohorts.brackets=[0, 30, 90]")
"""Periods from each customer's own first day, beside calendar ones."""


def inline_toml(value: Any) -> str:
    """A text, a flag, a number, a list or a table, as TOML writes it in one line."""
    if not isinstance(value, Mapping):
        return json.dumps(value)
    pairs = (f"{json.dumps(key)} = {inline_toml(inner)}" for key, inner in value.items())
    return f"{{ {', '.join(pairs)} }}"
