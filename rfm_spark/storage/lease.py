"""The lease: one writer a warehouse."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from rfm_spark.errors import UserError
from rfm_spark.storage.locations import below, is_local

LEASE = "_lease"


@contextmanager
def lease(spark: SparkSession, place: str, holder: str) -> Iterator[None]:
    """Holds the warehouse for writing.

    A local folder is held by a lock of the operating system, which ends with the process. On
    HDFS, ABFS and GCS a file is created atomically; after a crash it stays and must be removed
    by hand. An object store without atomic create (S3) needs the scheduler to start one run.

    Args:
        spark: for remote file systems.
        place: the warehouse.
        holder: who holds it, for the other run's error message.

    Raises:
        UserError: if another run holds it, or it cannot be written.
    """
    hold = _local(Path(place), holder) if is_local(place) else _remote(spark, place, holder)
    with hold:
        yield


@contextmanager
def _local(folder: Path, holder: str) -> Iterator[None]:
    file = folder / LEASE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UserError(f"{folder}: cannot write the warehouse: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(descriptor, 200).decode(errors="replace").strip()
            raise UserError(
                f"{folder}: another run is writing this warehouse ({other}); wait for its end"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, holder.encode())
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _remote(spark: SparkSession, place: str, holder: str) -> Iterator[None]:
    # By the JVM: no public API of Spark creates a file only if it is not there.
    jvm: Any = spark.sparkContext._jvm
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    path = jvm.org.apache.hadoop.fs.Path(below(place, LEASE))
    files = path.getFileSystem(configuration)
    try:
        stream = files.create(path, False)
    except Py4JJavaError as error:
        kind = error.java_exception.getClass().getSimpleName()
        if "AlreadyExists" not in kind:
            raise UserError(f"{place}: cannot write the warehouse: {kind}") from None
        raise UserError(
            f"{place}: another run is writing this warehouse; wait for its end, or, if it was "
            f"killed, remove {below(place, LEASE)}"
        ) from None
    try:
        stream.write(bytearray(holder.encode()))
        stream.close()
        yield
    finally:
        files.delete(path, False)
