"""The Spark session: an embedded local one, or the one spark-submit made."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pyspark
from filelock import UnixFileLock
from pyspark.sql import SparkSession

from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.memory import usable_memory
from rfm_spark.storage.comet import comet_settings
from rfm_spark.storage.engine import DELTA_PACKAGE, require_tested_pair
from rfm_spark.storage.gateway import know_functions
from rfm_spark.storage.session_settings import session_settings

_DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
_DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

# delta-spark needs only delta-storage and delta-kernel of these; Spark brings the rest itself.
_IN_SPARK_ALREADY = (
    "org.apache.hadoop",
    "org.apache.parquet",
    "com.fasterxml.jackson.core",
    "com.fasterxml.jackson.datatype",
    "com.github.luben",
    "com.google.code.findbugs",
    "commons-logging",
    "commons-pool",
    "io.airlift",
    "io.unitycatalog",
    "javax.annotation",
    "org.apache.logging.log4j",
    "org.locationtech.jts",
    "org.roaringbitmap",
    "org.slf4j",
    "org.xerial.snappy",
)

MEANING = {
    # What a number means must not depend on where it is worked out.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.caseSensitive": "false",
    # A file that cannot be read is told, not left out of what is counted.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    # The rows of a commit are counted by its metrics; files lie as they were written, in order.
    "spark.databricks.delta.history.metricsEnabled": "true",
    "spark.databricks.delta.autoCompact.enabled": "false",
    "spark.databricks.delta.optimizeWrite.enabled": "false",
}

SPEED = {
    # Measured on 100 million receipts: small splits keep a task's customers in one hash map.
    "spark.sql.files.maxPartitionBytes": "16m",
    "spark.sql.codegen.aggregate.fastHashMap.capacityBit": "18",
    # The JVM compiles no method of more than 8,000 bytes: it would interpret it for every row.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Listing a thousand files is not worth a thousand tasks.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
    # A task's rows lie in a few months or years: a file open for each is less work than sorting
    # them first, and leaves them in the order of customers.
    "spark.sql.maxConcurrentOutputFileWriters": "16",
    # Parts of one partition each stay as many tasks, instead of becoming one that reads them all.
    "spark.sql.unionOutputPartitioning": "false",
    # A file is the least that is rewritten, and one row group the least that a task reads.
    "spark.sql.files.maxRecordsPerFile": "1000000",
    "spark.databricks.delta.optimize.minFileSize": str(8 * 2**20),
    "spark.databricks.delta.optimize.maxFileSize": str(32 * 2**20),
    # A commit's checksum would list all files of a table that has few, and Delta reads the log once
    # more to know them. Nothing here needs that list.
    "spark.databricks.delta.allFilesInCrc.enabled": "false",
    # The first rows of an order: beyond so many each task would keep all of them in memory.
    "spark.sql.execution.topKSortFallbackThreshold": "100000",
    # Where Comet is there: it reads no tables of Delta by itself, but goes on from Spark's rows.
    "spark.comet.convert.parquet.enabled": "true",
    # Receipts are put together from their lines in a hash map, not by sorting after 128 of them.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "65536",
}

SERVED = {
    # Rows go to a client of `rfm-spark serve` part by part: all of them need not fit the driver.
    "spark.sql.thriftServer.incrementalCollect": "true",
}
"""What only a session can begin with from which others are made, one for each client."""

FEW_ROWS = {
    # Plans are interpreted, not compiled, and made with less care; work is not split.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.lightweightPlanChangeValidation": "false",
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "false",
    "spark.databricks.delta.stats.skipping": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.files.openCostInBytes": "0",
    "spark.databricks.delta.snapshotPartitions": "1",
}
"""What a session has that works on a few megabytes: there, planning and compiling is most of it."""

_SHORT_LIVED = "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
"""The JVM's second compiler pays after some minutes only. Without it the room for code is so small
by default that code is thrown away and made again."""

_LOCAL = {
    "spark.sql.shuffle.partitions": "{threads}",
    "spark.databricks.delta.snapshotPartitions": "2",
    # A local disk tells of ten thousand files in the time of a few tasks, and opens one at once.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    "spark.sql.files.openCostInBytes": "1m",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.debug.maxToStringFields": "200",
    # Nobody looks at the plans that Spark writes down for each query, at length by default.
    "spark.sql.ui.explainMode": "simple",
    # Of a local disk Hadoop asks other processes, one after another, for each file that it renames
    # with care: twelve for a commit and its checksum. The log is not written by two at once.
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    "spark.hadoop.spark.sql.streaming.checkpointFileManagerClass": "org.apache.spark.sql.execution"
    ".streaming.checkpointing.FileSystemBasedCheckpointFileManager",
    "spark.log.level": "ERROR",
    # Errors are told in our words: nobody asks which line of Python, or of Spark, made a column.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.sql.dataFrameQueryContext.enabled": "false",
    # Throughput counts here, not pauses. And the JVM's optimising compiler took more of a short run
    # than the work itself: it is to wait until a method has been called four times as often as
    # by default, which code that goes through rows does at once and code that plans seldom does.
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=20000"
    " -XX:Tier4MinInvocationThreshold=2400 -XX:Tier4CompileThreshold=60000",
}


_WITHOUT_YARN = Path(__file__).parent / "hadoop"
"""Found by the JVM before Hadoop's own defaults: half of these are YARN's, and Spark sends all of
them with each job that reads files, the name of the file that each came from packed by gzip."""

DRIVER_MEMORY = "RFM_SPARK_DRIVER_MEMORY"
"""The variable of the environment that says how large the heap of an embedded Spark is."""

_SETTINGS_FILES = ("core-site.xml", "spark-defaults.conf")
_LEAST_MEGABYTES = 512
"""Spark does not start with less than 450."""
_MEGABYTES = {"m": 1, "g": 1024}

_PARTS = "spark.sql.adaptive.coalescePartitions.initialPartitionNum"
_PART_BYTES = 32 * 2**20


@contextmanager
def local_session(
    driver_memory: str | None = None, has_few_rows: bool = False, comet_jar: str | None = None
) -> Iterator[SparkSession]:
    """An embedded Spark on all cores of this machine; what Spark itself prints goes to a file.

    Args:
        driver_memory: the JVM's heap, such as 3g or 3072m; by default half of what this process
            may use.
        has_few_rows: it works on a few megabytes, and would take longer for more.
        comet_jar: file of Apache DataFusion Comet, whose native code then works through much of
            what Spark plans; for Spark 4.1. A quarter of what this process may use is then outside
            the heap, and another one the heap, where no `driver_memory` is given. Left
            out where there are few rows.

    Raises:
        UserError: if that file is not there, or for another Spark, or the heap is too small.
        RunFailure: if Spark does not start; it names the file.
    """
    if driver_memory is not None:
        _require_memory(driver_memory)
    threads = os.cpu_count() or 1
    log = error_log()
    settings = {
        **MEANING,
        **SPEED,
        **SERVED,
        **{name: value.format(threads=2 * threads) for name, value in _LOCAL.items()},
        "spark.jars.packages": DELTA_PACKAGE,
        "spark.jars.excludes": ",".join(f"{group}:*" for group in _IN_SPARK_ALREADY),
        "spark.sql.extensions": _DELTA_EXTENSION,
        "spark.sql.catalog.spark_catalog": _DELTA_CATALOG,
        "spark.driver.memory": driver_memory or f"{_half_of_memory()}m",
        "spark.driver.extraClassPath": str(_WITHOUT_YARN),
        "spark.sql.warehouse.dir": tempfile.gettempdir() + "/rfm-spark-catalog",
    }
    if comet_jar is not None:
        megabytes = max(_LEAST_MEGABYTES, _half_of_memory() // 2)
        comet = comet_settings(comet_jar, megabytes)
        if not has_few_rows:
            comet["spark.driver.extraClassPath"] += f":{_WITHOUT_YARN}"
            settings |= {"spark.driver.memory": driver_memory or f"{megabytes}m", **comet}
    if has_few_rows:
        settings |= FEW_ROWS | {"spark.driver.extraJavaOptions": _SHORT_LIVED}
    builder = SparkSession.builder.appName("rfm-spark").master(f"local[{threads}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = _started(builder, log)
    try:
        require_tested_pair(spark)
        know_functions(spark)
        yield spark
        log.unlink(missing_ok=True)
    except UserError:
        log.unlink(missing_ok=True)
        raise
    finally:
        spark.stop()


def has_hadoop_settings(environment: Mapping[str, str]) -> bool:
    """Whether an embedded session would find settings of others, such as which paths are local.

    Args:
        environment: variables of the process, which say where Spark looks for them.
    """
    of_spark = environment.get("SPARK_HOME") or Path(pyspark.__file__).parent
    folders = (
        environment.get("HADOOP_CONF_DIR"),
        environment.get("YARN_CONF_DIR"),
        environment.get("SPARK_CONF_DIR") or Path(of_spark, "conf"),
    )
    files = (Path(folder, file) for folder in folders if folder for file in _SETTINGS_FILES)
    return "PYSPARK_SUBMIT_ARGS" in environment or any(file.exists() for file in files)


@contextmanager
def in_parts(spark: SparkSession, size: int, least: int = 1) -> Iterator[None]:
    """Plans made meanwhile move rows to so many tasks that each can hold its own in memory.

    The plan of rows that are kept is made by `persist`, of all others when they are needed.

    Args:
        spark: the session.
        size: of the files the rows are read from, in bytes.
        least: parts to make where the rows are not kept: Spark puts small ones together again.
    """
    before = spark.conf.get(_PARTS, None)
    default = before or spark.conf.get("spark.sql.shuffle.partitions") or "1"
    parts = max(int(default), size // _PART_BYTES, least)
    with session_settings(spark, {_PARTS: str(parts)}):
        yield


@cache
def error_log() -> Path:
    """Where what only experts read is written, for this user alone; removed if all went well."""
    descriptor, name = tempfile.mkstemp(prefix="rfm-spark-", suffix=".log")
    os.close(descriptor)
    return Path(name)


@contextmanager
def submitted_session() -> Iterator[SparkSession]:
    """The session of spark-submit, with its own master and resources.

    Raises:
        UserError: if Delta is missing from it.
    """
    builder = SparkSession.builder.appName("rfm-spark")
    for name, value in (MEANING | SERVED).items():
        builder = builder.config(name, value)
    _quieten_python()
    spark = builder.getOrCreate()
    require_delta(spark)
    require_tested_pair(spark)
    know_functions(spark)
    for name, value in SPEED.items():
        if spark.conf.get(name, None) is None:
            spark.conf.set(name, value)
    try:
        yield spark
    finally:
        spark.stop()


def require_delta(spark: SparkSession) -> None:
    """Makes sure that the session can write Delta tables.

    Raises:
        UserError: naming the settings that are missing.
    """
    wanted = {
        "spark.sql.extensions": _DELTA_EXTENSION,
        "spark.sql.catalog.spark_catalog": _DELTA_CATALOG,
    }
    missing = [
        f"{name}={value}"
        for name, value in wanted.items()
        if value not in (spark.conf.get(name, "") or "")
    ]
    if missing:
        raise UserError(
            f"this Spark session has no Delta: submit with --packages {DELTA_PACKAGE} and "
            + " ".join(f"--conf {one}" for one in missing)
        )


def _quieten_python() -> None:
    """Errors are told once, by whoever handles them: PySpark would print each as it is raised.

    And Py4J each call that a signal interrupts, by the root logger.
    """
    for name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_of_py4j)


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    return Path(record.pathname).parent.name != "py4j"


def _started(builder: SparkSession.Builder, log: Path) -> SparkSession:
    """Starts the JVM with what it prints in a file: Ivy, Spark and Delta speak to experts only.

    One process of a user at a time: on a new machine Ivy fetches Delta's jars, and where two fill
    its folder at once, one ends with an error.
    """
    starting = Path(tempfile.gettempdir(), f"rfm-spark-{os.getuid()}-starting.lock")
    with UnixFileLock(starting, fallback_to_soft=False, preserve_lock_file=True):
        return _started_alone(builder, log)


def _started_alone(builder: SparkSession.Builder, log: Path) -> SparkSession:
    _quieten_python()
    sys.stdout.flush()
    sys.stderr.flush()
    screen = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    with log.open("ab") as file:
        for descriptor in screen:
            os.dup2(file.fileno(), descriptor)
    try:
        return builder.getOrCreate()
    except Exception as error:
        said = log.read_text(errors="replace")
        if "unresolved dependency" in said or "UNRESOLVED DEPENDENCIES" in said:
            raise RunFailure(
                f"the Delta jars ({DELTA_PACKAGE}) could not be fetched: see {log}"
            ) from None
        raise RunFailure(f"Spark did not start ({type(error).__name__}): see {log}") from None
    finally:
        for descriptor, kept in screen.items():
            os.dup2(kept, descriptor)
            os.close(kept)


def _require_memory(driver_memory: str) -> None:
    number, unit = driver_memory[:-1], driver_memory[-1:].lower()
    is_size = number.isascii() and number.isdecimal() and unit in _MEGABYTES
    if not is_size or int(number) * _MEGABYTES[unit] < _LEAST_MEGABYTES:
        raise UserError(
            f"{DRIVER_MEMORY} (driver_memory in Python): {driver_memory!r} is no memory for Spark: "
            f"give a whole number of gigabytes or megabytes, such as 3g or 3072m, and at least "
            f"{_LEAST_MEGABYTES}m"
        )


def _half_of_memory() -> int:
    """In megabytes. Python, and what the JVM needs beside its heap, have the other half."""
    megabytes = usable_memory() // 2**21
    return max(_LEAST_MEGABYTES, min(megabytes, 24 * 1024))
