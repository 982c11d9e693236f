"""Strangers: odd values in a column, such as an N/A among amounts, and how many are too many."""

from __future__ import annotations

from rfm_spark.settings.shop import Ingest

_MOST = 0.02
"""Share of values that may be odd, whatever the column is called."""
_FEW, _MOST_OF_FEW = 2, 0.2
"""In a small file two percent is no value at all: as many as this may be odd, up to that share."""


def most_strangers(values: int, *, is_named: bool = False) -> int:
    """How many values may be odd before the column is taken for something else.

    Args:
        values: how many there are.
        is_named: whether the column's name tells what it is; then half of them decide.
    """
    if is_named:
        return values // 2
    return max(int(_MOST * values), min(_FEW, int(_MOST_OF_FEW * values)))


def strangers_doubt(strangers: int, values: int, what: str, of: str = "values") -> str:
    """What to say of odd values; empty without any.

    Args:
        strangers: how many there are.
        values: of how many.
        what: none of which they are, such as `number`.
        of: what they are, such as `values`.
    """
    if not strangers:
        return ""
    is_one = strangers == 1
    told = f"{'is' if is_one else 'are'} no {what}{'' if is_one else 's'}"
    rows = "its row is" if is_one else "their rows are"
    doubt = f"{strangers:,} of {values:,} {of} {told}: {rows} turned away"
    allowed = Ingest().max_rejected_share
    if strangers <= allowed * values:
        return doubt
    return f"{doubt}, and a run stops above ingest.max_rejected_share = {allowed:g}"
