"""Exports of shop systems with invented rows, and shapes in which receipts can be written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "exports"


def _rows(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


SHOPIFY = _rows("shopify.csv")
SHOPIFY_RECEIPTS = {
    ("#2001", "ada@shop.test", "2026-01-03", 5490),
    ("#2002", "bob@shop.test", "2026-01-05", 0),
    ("#2003", "ada@shop.test", "2026-02-01", 2500),
    # In UTC, which init assumes, it is still the evening before.
    ("#2005", "dee@shop.test", "2026-02-09", 900),
    ("#2006", None, "2026-02-11", 1000),
}

WOOCOMMERCE = _rows("woocommerce.csv")
WOOCOMMERCE_RECEIPTS = {
    ("501|2026-01-05 10:30:00", "Ada Berg", "2026-01-05", 123450),
    ("502|2026-01-07 18:00:00", "Bo Lind", "2026-01-07", 2000),
    ("502|2026-01-09 09:15:00", "Bo Lind", "2026-01-09", -2000),
}

SQUARE = _rows("square.csv")
SQUARE_RECEIPTS = {
    ("T1|Payment", "C1", "2026-07-18", 105800),
    ("T2|Payment", None, "2026-07-19", 4000),
    ("T3|Refund", "C1", "2026-07-20", -900),
}

STRIPE = _rows("stripe.csv")
STRIPE_RECEIPTS = {
    ("ch_1", "cus_a", "2026-01-06", 101999),
    ("ch_2", "cus_a", "2026-01-06", 1500),
    ("ch_4", "b@shop.test", "2026-01-07", 1011),
}

LIGHTSPEED = _rows("lightspeed.jsonl")
LIGHTSPEED_RECEIPTS = {
    ("501", "8", "2026-07-18", 101990),
    ("502", None, "2026-07-18", 4500),
    ("505", "8", "2026-07-21", -999),
}

GA4 = _rows("ga4.jsonl")
KLAVIYO = _rows("klaviyo.jsonl")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Rows as CSV, quoted where they must be."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def written(file: Path, text: str, encoding: str = "utf-8") -> Path:
    """A file with a text."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding=encoding, newline="")
    return file
