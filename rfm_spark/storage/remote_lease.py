"""The lease of a warehouse that is not on this machine: files that are created one after another.

Every holder has a number, one more than any before it. The folder `_lease` has of the last one
`NUMBER.holder`, in which it says who it is and which it removes at its end, and
`NUMBER.renewed-TIMES`, which a thread replaces by that of the next time as long as it holds. No
file is ever written over, so all that a file system must do is to create a file only where there is
none, and to list a folder as it is. HDFS, ABFS and GCS do, and S3 where it is asked to
(`HadoopFolder.create`).

Who waits compares what is there with what was there a span ago by its own clock, one that only
goes forward. No time is compared with that of another machine or of the file system: their clocks
differ.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from threading import Event, Thread

from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.progress import Progress, Quiet
from rfm_spark.storage.gateway import FileExists, HadoopFolder, JvmError
from rfm_spark.storage.locations import below
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.spark_errors import GONE

LEASE = "_lease"

_FILE = re.compile(r"(\d{8})\.(holder|renewed-\d+)")


@dataclass(frozen=True)
class Spans:
    """How long a lease lasts.

    Attributes:
        renewed_every_s: seconds from one renewal to the next.
        expires_after_s: seconds without a renewal after which another run takes it over. A holder
            that renews late, as its machine stood still for less, does not lose it.
        clock: seconds that only go forward.
        wait: waits some seconds.
    """

    renewed_every_s: float = 15.0
    expires_after_s: float = 120.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class _Seen:
    """What the folder shows.

    Attributes:
        number: of the last holder; 0 where there was none yet.
        files: names of its files.
    """

    number: int
    files: frozenset[str]

    @property
    def is_held(self) -> bool:
        """Whether the last holder has not let it go."""
        return _holder_file(self.number) in self.files


class RemoteLease:
    """A lease on any file system of Hadoop, held from `take` to `release`.

    Args:
        sessions: to reach the file system by.
        place: the warehouse.
        holder: who takes it, in words, for the messages of other runs.
        spans: how long it lasts.
        progress: shows that it waits for another run.
    """

    def __init__(
        self,
        sessions: SessionOnDemand,
        place: str,
        holder: str,
        spans: Spans | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._sessions, self._place, self._holder = sessions, place, holder
        self._spans, self._progress = spans or Spans(), progress or Quiet()
        self._folder = HadoopFolder(sessions.session, below(place, LEASE))
        self._number, self._renewals = 0, 0
        self.tag = f"rfm-spark-lease-{uuid.uuid4()}"
        """Of Spark's jobs for what is to be committed: they are stopped where it was lost."""
        self._ends = Event()
        self._thread = Thread(target=self._renewing, name="lease", daemon=True)

    @property
    def number(self) -> int:
        """Greater than that of every holder before."""
        return self._number

    def take(self) -> None:
        """Takes the lease; waits for it where who holds it may be gone.

        Raises:
            UserError: if another run holds it, or it cannot be written.
        """
        try:
            while not self._is_taken_next():
                pass
        except JvmError as error:
            raise UserError(f"{self._place}: cannot write the warehouse: {error}") from None
        self._thread.start()

    def check(self) -> None:
        """Makes sure that it is still held.

        Raises:
            RunFailure: if another run has taken it over, or it cannot be told.
        """
        try:
            seen = self._seen()
        except JvmError as error:
            raise RunFailure(
                f"{self._place}: it cannot be told whether this run still holds the lease: {error}"
            ) from None
        if self._is_own(seen):
            return
        by = f", by {self._who(seen)}" if seen.is_held and seen.number > self._number else ""
        raise RunFailure(
            f"{self._place}: the lease of this run was taken over{by}: it was not renewed for "
            f"{self._spans.expires_after_s:g} s, or its file was removed; nothing more is written"
        )

    def release(self) -> None:
        """Lets it go; where that cannot be done, it expires."""
        self._ends.set()
        self._thread.join()
        with suppress(JvmError, *GONE):  # the session has ended before the run
            self._folder.delete(_holder_file(self._number))

    def _is_taken_next(self) -> bool:
        """Whether the lease could be taken by the number after the last one."""
        seen = self._seen()
        if seen.is_held:
            self._outlive(seen)
        number = seen.number + 1
        try:
            self._folder.create(_holder_file(number), self._holder)
        except FileExists:  # another one was faster
            return False
        self._require_that_files_stay(_holder_file(number))
        now = self._seen()
        if now.number > number or now.files != {_holder_file(number)}:
            # Others came and went since the first look: theirs may be the number.
            self._folder.delete(_holder_file(number))
            return False
        self._number = number
        self._renew()
        for name in self._folder.names():
            if (file := _FILE.fullmatch(name)) and int(file[1]) < number:
                self._folder.delete(name)
        return True

    def _require_that_files_stay(self, name: str) -> None:
        """Makes sure that a file which is there is not created once more.

        Raises:
            UserError: if it is: some stores write over it, and two runs would both hold the lease.
        """
        try:
            self._folder.create(name, self._holder)
        except FileExists:
            return
        self._folder.delete(name)
        raise UserError(
            f"{self._place}: cannot write the warehouse: this store writes over a file that is to "
            "be created only where there is none, so two runs could write at once; see "
            "docs/operations.md, S3"
        )

    def _outlive(self, held: _Seen) -> None:
        """Returns when who holds the lease has let it go, or has not renewed it for the span.

        Raises:
            UserError: if it is renewed meanwhile, or another run has taken it over.
        """
        who = self._who(held)
        began, spans = self._spans.clock(), self._spans
        with self._progress.step(f"see whether another run lives ({who})") as step:
            while spans.clock() - began < spans.expires_after_s:
                spans.wait(spans.renewed_every_s / 2)
                now = self._seen()
                if now != held and now.is_held:
                    file = quote(below(below(self._place, LEASE), _holder_file(now.number)))
                    raise UserError(
                        f"{self._place}: another run is writing this warehouse ({self._who(now)}); "
                        "wait for its end; should it hang, end it, and its lease expires in "
                        f"{spans.expires_after_s:g} s, or at once by hadoop fs -rm {file}"
                    )
                if now != held:
                    step.says("it has just ended")
                    return
            step.says(f"not for {spans.expires_after_s:g} s: its lease is taken over")

    def _seen(self) -> _Seen:
        names = self._folder.names()
        if LEASE in names:  # listed is a file, not a folder
            file = quote(below(self._place, LEASE))
            raise UserError(
                f"{self._place}: a run of an older release is writing this warehouse, or was "
                f"killed: see that it is gone, then hadoop fs -rm {file}"
            )
        files = [file for file in map(_FILE.fullmatch, names) if file]
        last = max((int(file[1]) for file in files), default=0)
        return _Seen(last, frozenset(file[0] for file in files if int(file[1]) == last))

    def _is_own(self, seen: _Seen) -> bool:
        return seen.number == self._number and seen.is_held

    def _who(self, seen: _Seen) -> str:
        """Who holds the lease; it may be gone, or not be written yet."""
        try:
            said = next(iter(self._folder.lines(_holder_file(seen.number))), "")
        except JvmError:
            return "gone meanwhile"
        return said[:300] or "it has not said who it is"

    def _renew(self) -> None:
        before, self._renewals = self._renewals, self._renewals + 1
        with suppress(FileExists):  # by ourselves, and the answer got lost
            self._folder.create(self._renewed_file(self._renewals), "")
        self._folder.delete(self._renewed_file(before))

    def _renewed_file(self, times: int) -> str:
        return f"{self._number:08}.renewed-{times}"

    def _renewing(self) -> None:
        """Renews the lease until it is let go; where it was lost, stops what is being written."""
        while not self._ends.wait(self._spans.renewed_every_s):
            try:
                if self._is_own(self._seen()):
                    self._renew()
                else:  # again and again: between two jobs of a write there is nothing to stop
                    # Not by the session, whose tags are of one thread.
                    self._sessions.session.sparkContext.cancelJobsWithTag(self.tag)
            except JvmError:
                continue  # the next time may do; a lease that was lost is told by `check`
            except (UserError, *GONE):
                return  # the session has ended, or the folder is gone: nothing can be written


def _holder_file(number: int) -> str:
    return f"{number:08}.holder"
