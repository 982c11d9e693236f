"""Settings of the tests' Spark session."""

from __future__ import annotations

from contextlib import AbstractContextManager

from pyspark.sql import SparkSession

from rfm_spark.session import FEW_ROWS
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.session_settings import session_settings

SHORT_LIVED = {
    # The JVM's second compiler pays after some minutes only. Without it the room for code is so
    # small by default that code is thrown away and made again.
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
}
"""Environment of processes that run one job."""


def no_spark() -> AbstractContextManager[SparkSession]:
    """What starts no session: for what is to be told without one."""
    raise AssertionError("Spark was started")


def without_session() -> SessionOnDemand:
    """Where no session is to be got, as by a command on a laptop that needs none."""
    return SessionOnDemand(no_spark, has_local_default=True)


def as_in_use(spark: SparkSession) -> AbstractContextManager[None]:
    """The session as a user has it, for rows in earnest."""
    started = spark.sparkContext.getConf()
    return session_settings(spark, {name: started.get(name) for name in FEW_ROWS})
