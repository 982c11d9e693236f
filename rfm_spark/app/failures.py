"""Results that failed in a run: what does not read them is made all the same."""

from __future__ import annotations

from rfm_spark.core.errors import RunFailure
from rfm_spark.results.declaration import AnyResult
from rfm_spark.results.registry import tables_read
from rfm_spark.settings.shop import ShopSettings


class ResultsFailed(RunFailure):
    """Some results could not be made; all that do not read them are whole."""


class Failures:
    """What failed so far, and what was not made because it reads that."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._left_out: list[str] = []
        self._not_made: set[str] = set()

    def add(self, result: AnyResult, error: RunFailure) -> None:
        """Notes a result that failed."""
        self._told.append(str(error))
        self._not_made |= {table.name for table in result.tables}

    def keep_from(self, result: AnyResult, settings: ShopSettings) -> bool:
        """Whether a result reads what was not made; it is noted then, as not made either."""
        if self._not_made.isdisjoint(tables_read(result, settings)):
            return False
        self._left_out.append(result.name)
        self._not_made |= {table.name for table in result.tables}
        return True

    def require_none(self) -> None:
        """Ends a run in which something failed.

        Raises:
            ResultsFailed: with what each failure says.
        """
        if not self._told:
            return
        left_out = ", ".join(self._left_out)
        told = [*self._told, f"not made, as made of that: {left_out}"] if left_out else self._told
        raise ResultsFailed("; ".join(told))
