"""The lease: one writer a warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import Timeout, UnixFileLock

from rfm_spark.core.errors import UserError
from rfm_spark.core.progress import Progress
from rfm_spark.storage.locations import is_local, plain
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.remote_lease import LEASE, RemoteLease, Spans


class Hold(Protocol):
    """A lease that is held."""

    @property
    def number(self) -> int | None:
        """Greater than that of every holder before; None where holders have none."""

    @property
    def tag(self) -> str | None:
        """Of Spark's jobs that are stopped when it is lost; None where it cannot be."""

    def check(self) -> None:
        """Makes sure that it is still held.

        Raises:
            RunFailure: if another run has taken it over, or it cannot be told.
        """


class Unlosable:
    """What cannot be lost: a lock of the operating system, or that nobody holds anything."""

    number = None
    tag = None

    def check(self) -> None:
        """Nothing to make sure of."""


@contextmanager
def lease(
    sessions: SessionOnDemand,
    place: str,
    holder: str,
    progress: Progress | None = None,
    spans: Spans | None = None,
) -> Iterator[Hold]:
    """Holds the warehouse for writing.

    A local folder is held by a lock of the operating system, which ends with the process. On
    other file systems files are created atomically (`remote_lease`); after a crash the lease
    expires. A store without atomic creation needs the scheduler to start one run.

    Args:
        sessions: for remote file systems.
        place: the warehouse.
        holder: who holds it, for the other run's error message.
        progress: shows that it waits for another run.
        spans: how long a remote one lasts.

    Yields:
        The lease; whoever writes must make sure that it is still held.

    Raises:
        UserError: if another run holds it, or it cannot be written.
    """
    if is_local(place):
        with _local(Path(plain(place)), holder):
            yield Unlosable()
        return
    remote = RemoteLease(sessions, place, holder, spans, progress)
    remote.take()
    try:
        yield remote
    finally:
        remote.release()


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
        other = file.read_bytes()[:300].decode(errors="replace").strip()
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
