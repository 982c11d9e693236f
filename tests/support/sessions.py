"""Settings of the tests' Spark session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from pyspark.sql import SparkSession

from rfm_spark.session import FEW_ROWS

SHORT_LIVED = {
    # The JVM's second compiler pays after some minutes only. Without it the room for code is so
    # small by default that code is thrown away and made again.
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
}
"""Environment of processes that run one job."""


def as_in_use(spark: SparkSession) -> AbstractContextManager[None]:
    """The session as a user has it, for rows in earnest."""
    started = spark.sparkContext.getConf()
    return session_settings(spark, {name: started.get(name) for name in FEW_ROWS})


@contextmanager
def session_settings(spark: SparkSession, settings: Mapping[str, str | None]) -> Iterator[None]:
    """Changes settings of the session for a while; None is Spark's own default."""
    before = {name: spark.conf.get(name, None) for name in settings}
    _set(spark, settings)
    try:
        yield
    finally:
        _set(spark, before)


def _set(spark: SparkSession, settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        if value is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, value)
