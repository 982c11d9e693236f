"""Receipts written in a test, and what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def receipt(
    customer: str | None,
    on: str,
    net_cents: int = 10_00,
    items: int = 1,
    is_visit: bool = True,
    **fields: Any,
) -> dict[str, Any]:
    """A current receipt without returns: its gross amount is its net amount."""
    return {
        "customer_id": customer,
        "business_date": on,
        "status": "current",
        "net_cents": net_cents,
        "gross_cents": net_cents,
        "items": items,
        "is_visit": is_visit,
    } | fields


def a_return(customer: str | None, on: str, net_cents: int) -> dict[str, Any]:
    """A current receipt on which things are brought back, and nothing is bought."""
    return receipt(customer, on, net_cents, -1, is_visit=False, is_return=True, gross_cents=0)


def sums(names: Sequence[str], *rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows by the names of their columns."""
    return [dict(zip(names, row, strict=True)) for row in rows]
