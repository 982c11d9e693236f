"""Deliveries that are to count no more: taken back, or there under another name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import did_you_mean
from rfm_spark.core.natural_order import natural_key
from rfm_spark.ingest.batches import Batch
from rfm_spark.ingest.files.deliveries import RETRACTED, Delivery, retracted, without_mark
from rfm_spark.ingest.files.lookup_days import LookupDays
from rfm_spark.ingest.rows.rules import is_invalid
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run
from rfm_spark.settings.sources import Receipts, Source

_MAX_NAMES_SHOWN = 20


def is_taken_in(
    delivery: Delivery, known: Mapping[str, str], settings_digest: str, days: LookupDays | None
) -> bool:
    """Whether the files of a delivery have been read as they are, or taken back as they are.

    Args:
        delivery: as it is now.
        known: name to fingerprint of the deliveries of its source that were taken in.
        settings_digest: of the settings by which it would be read.
        days: of the look-ups of a day with which it would be read.
    """
    before = known.get(delivery.name, "")
    if before.startswith(RETRACTED):
        return without_mark(before).startswith(delivery.fingerprint)
    now = delivery.fingerprint + settings_digest
    return before == now if days is None else days.is_as_before(before, now)


def retraction(label: str, source: Source, known: Mapping[str, str], names: Sequence[str]) -> Batch:
    """What takes deliveries of a source back: they come again, with nothing in them.

    Args:
        label: configuration section of the source.
        source: the source.
        known: name to fingerprint of its deliveries that were taken in.
        names: of the deliveries; those of other sources are passed over.
    """
    deliveries = [retracted(name, known[name]) for name in names if name in known]
    return Batch(label, source, deliveries, "", frozenset(names) & frozenset(known))


def retraction_problems(
    names: Sequence[str], fingerprints: Mapping[tuple[str, str], str], configured: Collection[str]
) -> Iterator[str]:
    """Messages on deliveries that cannot be taken back.

    Args:
        names: of the deliveries.
        fingerprints: source and name of every delivery that was taken in, to its fingerprint.
        configured: labels of the sources that are configured: by what others brought is not known.
    """
    there = {name for (_, name), one in fingerprints.items() if not one.startswith(RETRACTED)}
    for name in names:
        labels = {label for label, known in fingerprints if known == name}
        if not labels:
            hint = did_you_mean(name, sorted(there, key=natural_key)[:_MAX_NAMES_SHOWN])
            yield f"{name}: no such delivery has been taken in; {hint}"
        elif name not in there:
            yield f"{name}: has been taken back already"
        elif missing := sorted(labels.difference(configured)):
            yield (
                f"{name}: is of [{'], ['.join(missing)}], which is not configured: take it back "
                "with the configuration that took it in"
            )


def with_moved_retracted(run: Run, batch: Batch, rows: DataFrame) -> Batch:
    """A batch, with those deliveries taken back that come in it under another name.

    Receipts without ids of their own are told by their delivery, so that a file which was renamed,
    moved or compressed would count twice. It is known by its rows.

    Args:
        run: the run.
        batch: new deliveries, and what is gone.
        rows: validated rows of the new ones.
    """
    has_ids = not isinstance(batch.source, Receipts) or batch.source.columns.receipt_id is not None
    if has_ids or not batch.gone or not run.warehouse.is_there(RECEIPTS):
        return batch
    stored = run.warehouse.read(RECEIPTS).where(F.col("delivery").isin([*batch.gone]))
    accepted = rows.where(~is_invalid() & ~F.col("delivery").isin([*batch.previously_loaded]))
    new_names = {content: name for name, content in _contents(accepted).items()}
    moved = {
        name: new_names[content]
        for name, content in _contents(stored).items()
        if content in new_names
    }
    for name, now in sorted(moved.items(), key=lambda pair: natural_key(pair[0])):
        run.notes.append(
            f"[{batch.label}] {name} is gone, and {now} has the same receipts: they count once"
        )
    return replace(
        batch,
        deliveries=[*batch.deliveries, *(retracted(name, batch.gone[name]) for name in moved)],
        previously_loaded=batch.previously_loaded | moved.keys(),
        gone={name: one for name, one in batch.gone.items() if name not in moved},
    )


def tell_gone(run: Run, batch: Batch) -> None:
    """Notes the deliveries that were taken in and are not there."""
    if batch.gone:
        first = min(batch.gone, key=natural_key)
        run.notes.append(
            f"[{batch.label}] {len(batch.gone):,} deliveries that were taken in are not there any "
            f"more, such as {first}: what they brought stays, unless `rfm-spark retract` takes it "
            "back"
        )


def _contents(receipts: DataFrame) -> dict[str, tuple[int, int, int]]:
    """What the receipts of each delivery are: equal for the same rows, whatever its name is.

    An id is the delivery, and behind a `#` what the row is.
    """
    row = F.expr("substring(receipt_id, length(delivery) + 2)")
    sums = receipts.groupBy("delivery").agg(
        F.count(F.lit(1)), F.bit_xor(F.xxhash64(row)), F.bit_xor(F.xxhash64(F.lit(1), row))
    )
    return {delivery: (count, one, two) for delivery, count, one, two in sums.collect()}
