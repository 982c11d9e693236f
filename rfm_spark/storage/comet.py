"""Comet: native code in the place of Spark's own, where the file of its jar is named."""

from __future__ import annotations

import re
from pathlib import Path

import pyspark

from rfm_spark.core.errors import UserError
from rfm_spark.storage.engine import minor

_JAR = re.compile(r"comet-spark-spark(?P<spark>\d+\.\d+)_2\.13-[^/]+\.jar$")

COMET_JAR = "RFM_SPARK_COMET_JAR"
"""The variable of the environment that names the file of Comet's jar."""

_SETTING = f"{COMET_JAR} (comet_jar in Python): "

COMET_SETTINGS = {
    "spark.plugins": "org.apache.spark.CometPlugin",
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    # Without it a machine on which the library does not load is told of in the log alone.
    "spark.comet.nativeLoadRequired": "true",
    "spark.memory.offHeap.enabled": "true",
}
"""What every session with Comet begins with, beside its jar on the class path and its memory."""


def comet_settings(jar: str, megabytes: int) -> dict[str, str]:
    """Settings of an embedded session that has Comet.

    Args:
        jar: file, such as `comet-spark-spark4.1_2.13-1.2.0.jar`.
        megabytes: of memory outside the JVM's heap, which Comet and Spark share.

    Returns:
        `COMET_SETTINGS`, the size of that memory, and `spark.driver.extraClassPath`: Spark's own
        class loader must have the jar, as its shuffle uses classes of Spark's packages.

    Raises:
        UserError: if there is no such file, or it is for another Spark than this one.
    """
    named = _JAR.search(jar)
    if named is None:
        raise UserError(
            f"{_SETTING}{jar} is no jar of Comet: give the path of one called "
            f"comet-spark-spark{minor(pyspark.__version__)}_2.13-VERSION.jar"
        )
    if named["spark"] != minor(pyspark.__version__):
        raise UserError(
            f"{_SETTING}{jar} is for Spark {named['spark']}, and this is {pyspark.__version__}: "
            f"install pyspark {named['spark']}.* in an environment of its own, or leave Comet out"
        )
    if not Path(jar).is_file():
        raise UserError(f"{_SETTING}there is no file {jar}")
    return COMET_SETTINGS | {
        "spark.memory.offHeap.size": f"{megabytes}m",
        "spark.driver.extraClassPath": str(Path(jar).absolute()),
    }
