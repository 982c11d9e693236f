"""Batches and intakes: the new deliveries of a source, and what a table is loaded from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame

from rfm_spark.core.table import Table
from rfm_spark.ingest.counts import CountsByDelivery, DeliveryCounts
from rfm_spark.ingest.files.deliveries import Delivery
from rfm_spark.ingest.files.generations import Generation
from rfm_spark.ingest.files.lookup_days import LookupDays
from rfm_spark.ingest.forgotten import Forgotten
from rfm_spark.settings.sources import Receipts, Source


@dataclass(frozen=True)
class Batch:
    """New or changed deliveries of one source.

    Attributes:
        label: configuration section of the source.
        source: source of the deliveries.
        deliveries: new or changed deliveries.
        settings_digest: digest of the settings and look-ups, but those of a day, that their rows
            are read with.
        previously_loaded: names of deliveries that were loaded before and have changed.
        gone: name to fingerprint of deliveries that were taken in, and are not there any more.
        listed: names of all deliveries that are there, new or not.
        read_again: of deliveries that are read again as they are, what was counted before; empty
            where all are new or have changed.
        lookup_days: of the look-ups of a day that their rows are read with; None without any.
    """

    label: str
    source: Source
    deliveries: list[Delivery]
    settings_digest: str
    previously_loaded: frozenset[str]
    gone: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    read_again: Mapping[str, DeliveryCounts] = field(default_factory=dict)
    lookup_days: LookupDays | None = None

    @property
    def has_files(self) -> bool:
        """Whether there is anything to read: not where all that is asked is to take back."""
        return any(delivery.files for delivery in self.deliveries)

    @property
    def delivery_names(self) -> list[str]:
        """Names of the deliveries."""
        return [delivery.name for delivery in self.deliveries]

    @property
    def delivery_keys(self) -> list[tuple[str, str]]:
        """Source and name of every delivery."""
        return [(self.label, name) for name in self.delivery_names]

    @property
    def size_bytes(self) -> int:
        """Total size of the files in bytes; 0 for a Delta table."""
        return sum(file.length for delivery in self.deliveries for file in delivery.files)

    @property
    def has_lines(self) -> bool:
        """Whether receipts are delivered as lines, which must be aggregated."""
        return isinstance(self.source, Receipts) and self.source.grain == "line"

    @property
    def shares_ids(self) -> bool:
        """Whether receipts of other feeds may have the same ids."""
        return isinstance(self.source, Receipts) and self.source.shares_ids

    @property
    def zero_is_visit(self) -> bool:
        """Whether a receipt of exactly 0 is a visit."""
        return isinstance(self.source, Receipts) and self.source.zero_is_visit


@dataclass
class Intake:
    """New data for one table, of all its sources.

    Attributes:
        table: target table: that of the sources.
        batches: new deliveries, one batch per source.
        rows: one validated row per raw row; for receipts with `is_single`, true for a row that is
            a whole receipt and the only one of its id.
        counts: counts by delivery; rows that are not single are added once they are versions.
        single_days: business days with accepted single receipts.
        slow_path_rows: receipt rows that are rejected or need a merge; all other rows are appended
            without a shuffle. All rows where receipts are delivered as lines.
        rows_by_month: `rows`, read so that no task mixes the deliveries of two months; None where
            deliveries contain many months each.
        generations: of the files of receipts.
        replacing_receipts: receipts that took the place of another customer's of another day.
        forgotten: who is kept out; None for nobody.
    """

    table: Table
    batches: list[Batch]
    rows: DataFrame
    counts: CountsByDelivery = field(default_factory=dict)
    single_days: set[date] = field(default_factory=set)
    slow_path_rows: DataFrame = field(init=False)
    rows_by_month: DataFrame | None = None
    generations: Sequence[Generation] = ()
    replacing_receipts: int = 0
    forgotten: Forgotten | None = None

    @property
    def delivery_keys(self) -> list[tuple[str, str]]:
        """Source and name of every delivery."""
        return [key for batch in self.batches for key in batch.delivery_keys]
