"""The engine: which Spark and Delta are tested together."""

from __future__ import annotations

import re

import pyspark
from pyspark.sql import SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import jar_of

TESTED_PAIRS = {"4.2": "4.4", "4.1": "4.4"}
"""Minor version of Spark to that of Delta."""

_JAR = re.compile(r"delta-spark(?:_(?P<spark>\d+\.\d+))?_2\.\d+-(?P<delta>\d+\.\d+)[^/]*\.jar$")


def minor(version: str) -> str:
    """The first two numbers of a version, such as 4.2 of 4.2.0."""
    return ".".join(version.split(".")[:2])


def _delta_package(of_spark: str) -> str:
    return f"io.delta:delta-spark_{of_spark}_2.13:4.4.0"


DELTA_PACKAGE = _delta_package(
    minor(pyspark.__version__) if minor(pyspark.__version__) in TESTED_PAIRS else "4.2"
)
"""What an embedded Spark loads, and a session without Delta is told to."""


def require_tested_pair(spark: SparkSession) -> None:
    """Makes sure that this Spark and this Delta belong together, before anything is written.

    Delta 4.4.0 for Spark 4.2 commits a first CREATE and INSERT on Spark 4.3.0, and then fails every
    read of it by a linkage error: tables would be left that this Spark cannot read.

    Raises:
        UserError: naming the pairs that are tested.
    """
    jar = jar_of(spark, "io.delta.tables.DeltaTable")
    if problem := pair_problem(spark.version, jar):
        raise UserError(problem)


def pair_problem(spark_version: str, jar: str | None) -> str | None:
    """What is wrong with a Spark and the jar of its Delta; None where they are tested together.

    Args:
        spark_version: such as 4.2.0.
        jar: file or URI; None, or a name of a platform's own, does not tell Delta's version: then
            Spark's decides.

    >>> pair_problem("4.2.1", "file:/jars/io.delta_delta-spark_4.2_2.13-4.4.0.jar")
    >>> pair_problem("4.3.0", None).partition(" is ")[0]
    'Spark 4.3.0 with its Delta'
    """
    of_spark = minor(spark_version)
    tested_delta, what = TESTED_PAIRS.get(of_spark), "its Delta"
    fits = tested_delta is not None
    if named := _JAR.search(jar or ""):
        fits = fits and named["delta"] == tested_delta and named["spark"] in (None, of_spark)
        built_for = f" for Spark {named['spark']}" if named["spark"] else ""
        what = f"Delta {named['delta']}{built_for}"
    if fits:
        return None
    tested = " or ".join(
        f"Spark {one} with Delta {two} ({_delta_package(one)})" for one, two in TESTED_PAIRS.items()
    )
    return (
        f"Spark {spark_version} with {what} is no pair that is tested; "
        f"nothing was written: use {tested}"
    )
