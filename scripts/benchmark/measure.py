"""Measures a command as a whole: its time, its memory, and what Spark read and wrote."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_BETWEEN_SAMPLES = 0.2


@dataclass(frozen=True)
class Measured:
    """One execution of a command.

    Attributes:
        seconds: from start to end, the JVM's and Python's own start included.
        peak_bytes: largest sum of the resident memory of the process and all its children.
        read_bytes: Spark's input; None for other programs.
        shuffled_bytes: written by Spark's shuffles; the same.
        written_bytes: Spark's output; the same.
        written_rows: the same.
    """

    seconds: float
    peak_bytes: int
    read_bytes: int | None = None
    shuffled_bytes: int | None = None
    written_bytes: int | None = None
    written_rows: int | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """For JSON."""
        return asdict(self)


def measured(
    command: Sequence[str], log: Path, environment: Mapping[str, str], events: Path | None
) -> Measured:
    """Runs a command to its end.

    Args:
        command: what to run.
        log: file for what it prints.
        environment: of the process.
        events: folder in which Spark leaves its event log; None where the command has no Spark.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    before = set(events.iterdir()) if events else set()
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=dict(environment)
        )
        memory = _Memory(process.pid)
        memory.start()
        code = process.wait()
        seconds = time.monotonic() - began
        peak = memory.stop()
    if code:
        raise subprocess.CalledProcessError(code, command)
    if events is None:
        return Measured(seconds, peak)
    return Measured(seconds, peak, **_task_sums(set(events.iterdir()) - before))


class _Memory(threading.Thread):
    """Watches the memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._peak = 0

    def run(self) -> None:
        while not self._ended.wait(_BETWEEN_SAMPLES):
            try:
                family = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self._peak = max(self._peak, sum(map(_resident, family)))

    def stop(self) -> int:
        self._ended.set()
        self.join()
        return self._peak


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _task_sums(logs: set[Path]) -> dict[str, int]:
    sums = {"read_bytes": 0, "shuffled_bytes": 0, "written_bytes": 0, "written_rows": 0}
    for file in logs:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith('{"Event":"SparkListenerTaskEnd"'):
                    continue
                metrics = json.loads(line).get("Task Metrics")
                if not metrics:
                    continue
                sums["read_bytes"] += metrics["Input Metrics"]["Bytes Read"]
                sums["shuffled_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                sums["written_bytes"] += metrics["Output Metrics"]["Bytes Written"]
                sums["written_rows"] += metrics["Output Metrics"]["Records Written"]
    return sums
