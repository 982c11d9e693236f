"""The lease: one writer a warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from filelock import Timeout, UnixFileLock

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import FileExists, HadoopFolder, JvmError
from rfm_spark.storage.locations import below, is_local
from rfm_spark.storage.on_demand import SessionOnDemand

LEASE = "_lease"


@contextmanager
def lease(sessions: SessionOnDemand, place: str, holder: str) -> Iterator[None]:
    """Holds the warehouse for writing.

    A local folder is held by a lock of the operating system, which ends with the process. On
    HDFS, ABFS and GCS a file is created atomically; after a crash it stays and must be removed
    by hand. An object store without atomic create (S3) needs the scheduler to start one run.

    Args:
        sessions: for remote file systems.
        place: the warehouse.
        holder: who holds it, for the other run's error message.

    Raises:
        UserError: if another run holds it, or it cannot be written.
    """
    hold = _local(Path(place), holder) if is_local(place) else _remote(sessions, place, holder)
    with hold:
        yield


@contextmanager
def _local(folder: Path, holder: str) -> Iterator[None]:
    file = folder / LEASE
    # Without a lock of the operating system the file of a killed process would hold for ever.
    lock = UnixFileLock(
        file, timeout=0, mode=0o644, fallback_to_soft=False, preserve_lock_file=True
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        other = file.read_bytes()[:200].decode(errors="replace").strip()
        raise UserError(
            f"{folder}: another run is writing this warehouse ({other}); wait for its end"
        ) from None
    except OSError as error:
        raise UserError(f"{folder}: cannot write the warehouse: {error.strerror}") from None
    try:
        file.write_text(holder, encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(folder: HadoopFolder) -> str:
    """Who holds the lease; it may be gone, or not be written yet."""
    try:
        return next(iter(folder.lines(LEASE)), "")[:200] or "it has not said who it is"
    except JvmError:
        return "its lease is gone meanwhile"


@contextmanager
def _remote(sessions: SessionOnDemand, place: str, holder: str) -> Iterator[None]:
    folder = HadoopFolder(sessions.session, place)
    try:
        folder.create(LEASE, holder)
    except FileExists:
        raise UserError(
            f"{place}: another run is writing this warehouse ({_holder(folder)}); wait for its "
            f"end, or, if it was killed, hadoop fs -rm {quote(below(place, LEASE))}"
        ) from None
    except JvmError as error:
        raise UserError(f"{place}: cannot write the warehouse: {error}") from None
    try:
        yield
    finally:
        folder.delete(LEASE)
