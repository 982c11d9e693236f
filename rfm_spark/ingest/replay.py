"""Deliveries with rejected rows, which are read again by the configuration of now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame

from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.natural_order import natural_key
from rfm_spark.ingest.batches import Batch, Intake
from rfm_spark.ingest.counts import DeliveryCounts
from rfm_spark.ingest.files.deliveries import RETRACTED, UNFINISHED, Delivery, without_mark
from rfm_spark.ingest.rejected_share import most_frequent_reasons
from rfm_spark.ingest.tables.deliveries import DELIVERIES
from rfm_spark.run import Run

_MAX_NAMES_SHOWN = 20


def asked_again(run: Run, configured: Collection[str]) -> dict[str, dict[str, DeliveryCounts]]:
    """The deliveries that are to be read again: by source and name, what was counted before.

    A delivery of which reading again has stopped half-way is one of them, whatever its counts.

    Args:
        run: the run; `read_again` names the deliveries.
        configured: labels of the sources that are configured.

    Raises:
        UserError: with a line for each name by which nothing can be read again.
    """
    taken_in = run.warehouse.rows(DELIVERIES)
    if run.read_again:
        problems = [one for name in run.read_again for one in _problems(name, taken_in, configured)]
        found = [row for row in taken_in if row["delivery"] in run.read_again and _has_kept(row)]
    else:
        found = [row for row in taken_in if row["rejected_rows"] or _is_unfinished(row)]
        of_others = sorted({row["source"] for row in found}.difference(configured))
        run.notes += [f"[{label}] is not configured: nothing of it is read" for label in of_others]
        found = [row for row in found if row["source"] in configured]
        problems = (
            [] if found else ["no delivery has rejected rows: there is nothing to read again"]
        )
    if problems:
        raise UserError(problems)
    asked: dict[str, dict[str, DeliveryCounts]] = {}
    for row in found:
        counts = DeliveryCounts(**{name: row[name] for name in vars(DeliveryCounts())})
        asked.setdefault(row["source"], {})[row["delivery"]] = counts
    return asked


def _problems(
    name: str, taken_in: Sequence[Mapping[str, Any]], configured: Collection[str]
) -> Iterator[str]:
    """Why a delivery cannot be read again, by what is stored of it."""
    known = [row for row in taken_in if row["delivery"] == name]
    there = [row for row in known if not row["fingerprint"].startswith(RETRACTED)]
    of_others = sorted({row["source"] for row in there}.difference(configured))
    if not known:
        names = sorted({row["delivery"] for row in taken_in}, key=natural_key)
        hint = did_you_mean(name, names[:_MAX_NAMES_SHOWN])
        yield f"{name}: no such delivery has been taken in; {hint}"
    elif not there:
        yield f"{name}: has been taken back; it is taken in again when its file changes"
    elif not any(map(_has_kept, there)):
        yield f"{name}: none of its rows is in quarantine: there is nothing to read again"
    elif of_others:
        yield f"{name}: is of [{'], ['.join(of_others)}], which is not configured"


def _has_kept(row: Mapping[str, Any]) -> bool:
    """Whether rows of a delivery are in quarantine, or may be."""
    return row["rejected_rows"] + row["dropped_rows"] > 0 or _is_unfinished(row)


def _is_unfinished(row: Mapping[str, Any]) -> bool:
    return bool(row["fingerprint"].startswith(UNFINISHED))


def as_they_were(
    there: Sequence[Delivery], known: Mapping[str, str], names: Collection[str], label: str
) -> tuple[list[Delivery], list[str]]:
    """Those of some deliveries whose files are as they were taken in; a line on each other one.

    Args:
        there: deliveries of the source, as they are now.
        known: name to fingerprint of those that were taken in.
        names: of the deliveries to be read again.
        label: configuration section of the source.
    """
    by_name = {delivery.name: delivery for delivery in there}
    found: list[Delivery] = []
    problems: list[str] = []
    for name in sorted(names, key=natural_key):
        delivery = by_name.get(name)
        if delivery is None:
            problems.append(
                f"[{label}] {name}: is not there any more: put the file back as it was, with its "
                "time"
            )
        elif not without_mark(known[name]).startswith(delivery.fingerprint):
            problems.append(
                f"[{label}] {name}: has changed since it was taken in: `rfm-spark ingest` takes it "
                "in as it is now"
            )
        else:
            found.append(delivery)
    return found, problems


def tell_other_settings(run: Run, label: str, deliveries: int) -> None:
    """Notes that others of the source were taken in by another configuration.

    Args:
        run: the run.
        label: configuration section of the source.
        deliveries: how many.
    """
    if deliveries:
        run.notes.append(
            f"[{label}] {deliveries:,} other deliveries were taken in by other settings: "
            "`rfm-spark ingest`, and each run that looks for them, takes them in again"
        )


def tell_unfinished(run: Run, label: str, known: Mapping[str, str], there: Collection[str]) -> None:
    """Notes deliveries of which reading again stopped half-way, where this run does not read them.

    Args:
        run: the run.
        label: configuration section of the source.
        known: name to fingerprint of the deliveries that were taken in.
        there: names of those that this run has looked for and found.
    """
    for name, fingerprint in known.items():
        if fingerprint.startswith(UNFINISHED) and name not in there:
            run.notes.append(
                f"[{label}] {name}: was being read again when that was stopped, and rows of it may "
                "be missing: run `rfm-spark replay` for it once more"
            )


def unfinished_rows(intake: Intake) -> list[dict[str, Any]]:
    """Rows of `deliveries` for what is read again, until it is whole.

    Rows leave quarantine in one commit and come to their table in another: stopped in between, a
    delivery that counted as taken in would have lost them.
    """
    return [
        {
            "source": batch.label,
            "delivery": delivery.name,
            "fingerprint": UNFINISHED + delivery.fingerprint,
            **vars(batch.read_again[delivery.name]),
        }
        for batch in intake.batches
        for delivery in batch.deliveries
        if delivery.name in batch.read_again
    ]


def tell_read_again(run: Run, intake: Intake, batch: Batch, quarantine: DataFrame) -> None:
    """Notes how many rows of a source were taken in and rejected before and are now, and why.

    Args:
        run: the run.
        intake: which was written.
        batch: of the source.
        quarantine: what is stored of its deliveries.
    """
    before = list(batch.read_again.values())
    now = [intake.counts[key] for key in batch.delivery_keys]
    names = batch.delivery_names
    what = names[0] if len(names) == 1 else f"{len(names):,} deliveries"
    told = (
        f"[{batch.label}] {what} read again: {_taken_in(now):,} rows taken in, "
        f"{_taken_in(before):,} before; {_rejected(now):,} rejected, {_rejected(before):,} before"
    )
    reasons = f": {most_frequent_reasons(quarantine)}" if _rejected(now) else ""
    run.notes.append(told + reasons)


def _taken_in(counts: Iterable[DeliveryCounts]) -> int:
    return sum(one.rows - one.rejected_rows - one.dropped_rows for one in counts)


def _rejected(counts: Iterable[DeliveryCounts]) -> int:
    return sum(one.rejected_rows for one in counts)
