"""Schema 11: readers take the versions that `published` names.

In earlier releases they took every table as it was: these versions are published as they are, so
that the first night of this release is seen as a whole. An earlier release would publish nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.app.publishing import publish, published
from rfm_spark.app.tables import ALL_TABLES, PUBLISHED, RUNS
from rfm_spark.run import Run


def publish_what_is_there(run: Run) -> Iterator[str]:
    """Publishes all tables as they are; nothing where no run has ended yet."""
    if run.warehouse.is_there(RUNS) and published(run.warehouse).number == 0:
        publish(run, ALL_TABLES)
        yield f"{PUBLISHED.name}: all tables as they are"
