"""Measures a command as a whole: its time, its memory, and what it reads and writes."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_BETWEEN_SAMPLES = 0.2
_BETWEEN_LOOKS_AT_SHARED, _GROWTH = 5, 1.03
"""Which pages are shared takes 20 ms a GB to tell: it is asked after so many seconds, and where
memory has grown by so much meanwhile."""


@dataclass(frozen=True)
class Measured:
    """One execution of a command.

    Attributes:
        seconds: from start to end, the JVM's and Python's own start included.
        processor_seconds: of all cores and processes, of the system too: the JVM's compilers and
            collectors are in it. Hardly depends on what else runs on the machine.
        peak_bytes: largest memory of the process and all its children; of pages that several of
            them share, as a child that was forked does with its parent, each has its part.
        disk_bytes: largest growth of what is used of the disk: temporary files and results.
        read_bytes: by all read calls, also of what the system has in memory; not mapped files.
        written_bytes: by all write calls, temporary files and the network included.
        shuffled_bytes: written by Spark's shuffles; None for other programs.
        output_rows: written by Spark to tables; the same.
        jobs: that Spark ran; the same.
        added_bytes: files added to the tables of a warehouse, by table; None where not asked for.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int
    disk_bytes: int
    read_bytes: int
    written_bytes: int
    shuffled_bytes: int | None = None
    output_rows: int | None = None
    jobs: int | None = None
    added_bytes: Mapping[str, int] | None = None

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def measured(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    events: Path | None,
    disk: Path,
) -> Measured:
    """Runs a command to its end.

    Args:
        command: what to run.
        log: file for what it prints.
        environment: of the process.
        events: folder in which Spark leaves its event log; None where the command has no Spark.
        disk: a folder on the disk that it fills; nobody else should.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    before = set(events.iterdir()) if events else set()
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=dict(environment)
        )
        watch = _Watch(process.pid, disk)
        watch.start()
        code = process.wait()
        seconds = time.monotonic() - began
        watch.stop()
    if code:
        raise subprocess.CalledProcessError(code, command)
    sums = _sums_of_events(set(events.iterdir()) - before) if events else {}
    return Measured(
        seconds, watch.processors, watch.memory, watch.disk, watch.read, watch.written, **sums
    )


class _Watch(threading.Thread):
    """Watches a process and its children; what they do after the last look is not seen."""

    def __init__(self, pid: int, disk: Path) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._place = disk
        self._used_before = shutil.disk_usage(disk).used
        self._asked_bytes, self._asked_at = 0, time.monotonic()
        self.memory = self.disk = self.read = self.written = 0
        self.processors = 0.0

    def run(self) -> None:
        while True:
            self.disk = max(self.disk, shutil.disk_usage(self._place).used - self._used_before)
            with suppress(psutil.NoSuchProcess):
                family = [self._process, *self._process.children(recursive=True)]
                self._look_at_memory(family)
                self.processors = max(self.processors, sum(map(_worked, family)))
                # A child that has ended is part of its parent's figures.
                moved = [_moved(one) for one in family]
                self.read = max(self.read, sum(read for read, _ in moved))
                self.written = max(self.written, sum(written for _, written in moved))
            if self._ended.wait(_BETWEEN_SAMPLES):
                return

    def _look_at_memory(self, family: Sequence[psutil.Process]) -> None:
        resident = _sum(family, "rss")
        now = time.monotonic()
        is_due = now - self._asked_at >= _BETWEEN_LOOKS_AT_SHARED
        if is_due or resident > self._asked_bytes * _GROWTH:
            self._asked_bytes, self._asked_at = resident, now
            self.memory = max(self.memory, _sum(family, "pss"))

    def stop(self) -> None:
        """Ends the watch."""
        self._ended.set()
        self.join()


def _sum(family: Sequence[psutil.Process], kind: str) -> int:
    """Memory of processes, `rss` or `pss`; `rss` where the system does not tell the other.

    A child that Java is just starting (a `chmod`, say) runs in its parent's memory for a moment,
    of the same size: it must not count twice.
    """
    told: dict[int, tuple[int, int, int]] = {}
    for process in family:
        with suppress(psutil.Error):  # it has just ended
            found = process.memory_info() if kind == "rss" else process.memory_full_info()
            told[process.pid] = process.ppid(), found.vms, getattr(found, kind, found.rss)
    return sum(
        used for parent, size, used in told.values() if told.get(parent, (0, 0, 0))[1] != size
    )


def _worked(process: psutil.Process) -> float:
    """Seconds of processors, those of children that have ended included."""
    with suppress(psutil.Error):
        return sum(process.cpu_times()[:4])
    return 0.0


def _moved(process: psutil.Process) -> tuple[int, int]:
    with suppress(psutil.Error, RuntimeError):
        if hasattr(process, "io_counters"):  # not on every system
            counters = process.io_counters()
            return counters.read_chars, counters.write_chars
    return 0, 0


def _sums_of_events(logs: set[Path]) -> dict[str, int]:
    sums = {"shuffled_bytes": 0, "output_rows": 0, "jobs": 0}
    for file in logs:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                sums["jobs"] += line.startswith('{"Event":"SparkListenerJobStart"')
                if not line.startswith('{"Event":"SparkListenerTaskEnd"'):
                    continue
                metrics = json.loads(line).get("Task Metrics")
                if not metrics:
                    continue
                sums["shuffled_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                sums["output_rows"] += metrics["Output Metrics"]["Records Written"]
    return sums
