"""Deliveries: further ones than those made up, derived from the last of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_NEW_IDS = 10**12
_CORRECTED_WITHIN_DAYS = 10
"""Of what `rfm-spark generate` makes up."""


def next_delivery(receipts: Path, last: date, out: Path) -> None:
    """The delivery of a night, after the last one: its receipts once more, as new ones.

    Those of the last day are of the next one now; what was late is late for the same days. What
    had been delivered before, repeated or corrected, comes once more as it was.
    """
    rows = _delivery(receipts, last)
    of_last = _is_day(rows, last)
    moved = _moved(rows.filter(of_last), timedelta(days=1))
    earlier = rows.filter(pc.invert(of_last))
    again = pc.is_in(earlier["receipt_id"], value_set=_ids_before(receipts, last))
    late = _changed(earlier.filter(pc.invert(again)), "receipt_id", _NEW_IDS)
    _write(pa.concat_tables([moved, late, earlier.filter(again)]), last, out)


def late_delivery(receipts: Path, last: date, days_late: int, out: Path) -> None:
    """The delivery of a day that comes late: as many new receipts as the last day has."""
    rows = _delivery(receipts, last)
    _write(_moved(rows.filter(_is_day(rows, last)), timedelta(days=-days_late)), last, out)


def clean_delivery(receipts: Path, last: date, out: Path) -> None:
    """The delivery of a day on which nothing is late or corrected."""
    rows = _delivery(receipts, last)
    _write(_moved(rows.filter(_is_day(rows, last)), timedelta(days=1)), last, out)


def corrected_delivery(receipts: Path, last: date, days_ago: int, out: Path) -> None:
    """A single receipt of an earlier day once more, for a cent more."""
    day = last - timedelta(days=days_ago)
    rows = _delivery(receipts, day)
    one = rows.filter(pc.and_(_is_day(rows, day), pc.greater(rows["customer_id"], 0))).slice(0, 1)
    _write(_changed(one, "amount", Decimal("0.01")), last, out)


def some_customer(receipts: Path, last: date) -> int:
    """A customer of the last delivery, the one with the median id."""
    ids = _delivery(receipts, last)["customer_id"]
    return int(pc.quantile(ids.filter(pc.greater(ids, 0)), interpolation="lower")[0].as_py())


def _delivery(receipts: Path, day: date) -> pa.Table:
    return pq.read_table(receipts / f"delivered={day}", partitioning=None)


def _ids_before(receipts: Path, last: date) -> pa.ChunkedArray:
    """Receipts of the deliveries before, as far back as made-up corrections reach."""
    days = [last - timedelta(days=back + 1) for back in range(_CORRECTED_WITHIN_DAYS)]
    return pa.concat_tables([_delivery(receipts, day) for day in days])["receipt_id"]


def _is_day(rows: pa.Table, day: date) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(pc.cast(rows["time"], pa.date32()), pa.scalar(day)), False)


def _moved(rows: pa.Table, by: timedelta) -> pa.Table:
    """New receipts, on another day."""
    return _changed(_changed(rows, "receipt_id", _NEW_IDS), "time", by)


def _changed(rows: pa.Table, name: str, by: int | timedelta | Decimal) -> pa.Table:
    place = rows.schema.get_field_index(name)
    field = rows.schema.field(place)
    return rows.set_column(place, field, pc.cast(pc.add(rows[name], pa.scalar(by)), field.type))


def _write(rows: pa.Table, last: date, out: Path) -> None:
    folder = out / "receipts" / f"delivered={last + timedelta(days=1)}"
    half = folder / "part-0.half"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, half)
    half.rename(folder / "part-0.parquet")
