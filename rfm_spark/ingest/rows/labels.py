"""Labels of sources: the sections of the configuration that `source` names in tables."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

RECEIPTS_LABEL = "receipts"


def is_of_receipts() -> Column:
    """Whether `source` is receipts: the only feed, or one of several by name."""
    source = F.col("source")
    return (source == RECEIPTS_LABEL) | source.startswith(f"{RECEIPTS_LABEL}.")
