"""What Spark fails with."""

from __future__ import annotations

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    DeltaConcurrentModificationException,
    MetadataChangedException,
    ProtocolChangedException,
)
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException

FAILED = (PySparkException, Py4JJavaError)
"""PySpark leaves an error it has no class for, such as a file's that cannot be read, to Py4J."""

CONFLICTS = (
    DeltaConcurrentModificationException,
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
"""Somebody else has committed meanwhile.

The first one is no base of the others (findings/delta_python_conflicts_no_base.sh).
"""

GONE = (Py4JError, OSError)
"""A question to a JVM that has ended, or ends meanwhile."""


_DISKS = {
    "No space left on device": "a disk is full",
    "Disk quota exceeded": "a disk is full",
    "Read-only file system": "a disk is read-only",
}


def disk_problem(error: BaseException) -> str | None:
    """What a disk that cannot be written did to a piece of work; None where that was not it."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:  # some are raised from themselves
        seen.append(cause)
        text = f"{cause} {getattr(cause, '_stackTrace', '')}"  # with what it was caused by
        for sign, told in _DISKS.items():
            if sign in text:
                return told
        cause = cause.__cause__ or cause.__context__
    return None


def first_line(error: PySparkException | Py4JJavaError | OSError) -> str:
    """What an error says, without the trace."""
    if isinstance(error, Py4JJavaError):
        text = str(error.java_exception.getMessage())
    else:
        text = str(error)
    return text.strip().splitlines()[0][:300]
