"""A Spark session that starts when it is first needed: what reads a log or a file needs none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from pyspark.sql import SparkSession

from rfm_spark.storage.gateway import default_file_system


class SessionOnDemand:
    """A session from its first use until the context ends.

    Args:
        start: how to get the session.
        has_local_default: whether it is known beforehand that paths without a scheme will be
            local in it.
    """

    def __init__(
        self,
        start: Callable[[], AbstractContextManager[SparkSession]],
        has_local_default: bool = False,
    ) -> None:
        self._start, self._has_local_default = start, has_local_default
        self._started: SparkSession | None = None
        self._stack = ExitStack()

    @property
    def is_started(self) -> bool:
        """Whether there is a session already."""
        return self._started is not None

    @property
    def has_local_paths(self) -> bool:
        """Whether a path without a scheme is one of this machine; the session is asked if need be.

        Raises:
            UserError, RunFailure: if it cannot be started.
        """
        if self._has_local_default and not self.is_started:
            return True
        return default_file_system(self.session).startswith("file:")

    @property
    def session(self) -> SparkSession:
        """The session, started now where it has not been.

        Raises:
            UserError, RunFailure: if it cannot be started.
        """
        self.start()
        if self._started is None:
            raise RuntimeError("the session has ended")
        return self._started

    def start(self) -> None:
        """Starts it: columns of Spark cannot be made before there is a session.

        Raises:
            UserError, RunFailure: if it cannot be started.
        """
        if self._started is None:
            self._started = self._stack.enter_context(self._start())

    def __enter__(self) -> SessionOnDemand:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._started = None
        self._stack.__exit__(kind, error, trace)

    @classmethod
    def of(cls, spark: SparkSession | SessionOnDemand) -> SessionOnDemand:
        """The same of a session that runs already, which others will end."""
        if isinstance(spark, SessionOnDemand):
            return spark
        running = cls(_never)
        running._started = spark
        return running


def _never() -> AbstractContextManager[SparkSession]:
    raise RuntimeError("the session has ended")
