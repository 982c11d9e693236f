"""Nights of a shop: one command each, which something may happen to before its end."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rfm_spark.session import FEW_ROWS

_SUBMIT = Path(__file__).parents[1] / "submit"
_LONGEST_SECONDS = 1_800
_STARTING = "start Spark"
_SMALL = {
    **FEW_ROWS,
    # Both executors have something to do.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.leafNodeDefaultParallelism": "2",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "700m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.dynamicAllocation.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.log.level": "WARN",
}
"""What a driver on a small cluster is given."""


@dataclass(frozen=True)
class Moment:
    """A moment of a night, told by its step: a machine with much to do takes longer for each.

    Attributes:
        after_seconds: from the beginning of an undisturbed night.
        step: that had begun; None before the first one.
        into_seconds: from the beginning of that step.
    """

    after_seconds: float
    step: str | None
    into_seconds: float


@dataclass(frozen=True)
class Course:
    """How an undisturbed night went.

    Attributes:
        seconds: that it took.
        steps: what it did, each with the seconds from the night's beginning to the step's.
    """

    seconds: float
    steps: tuple[tuple[str, float], ...]

    def moment(self, chance: random.Random) -> Moment:
        """Any after Spark was started, before which nothing is written; each is as likely."""
        numbers = [number for number, (step, _) in enumerate(self.steps) if step == _STARTING]
        first = self.steps[numbers[-1] + 1][1] if numbers else 0.0
        after = chance.uniform(first, self.seconds)
        begun = [(step, began) for step, began in self.steps if began <= after]
        step, began = begun[-1] if begun else (None, 0.0)
        return Moment(after, step, after - began)


@dataclass(frozen=True)
class Ended:
    """A night that ended, or was killed.

    Attributes:
        seconds: until then.
        code: it ended with; None where it was killed.
        running: the step that had begun and was not done; None between two of them.
        problems: what it told of why it failed.
        log: the last lines of all that it told.
        course: of its steps.
    """

    seconds: float
    code: int | None
    running: str | None
    problems: tuple[str, ...]
    log: str
    course: Course


@dataclass(frozen=True)
class Command:
    """The night of a day.

    Attributes:
        config: of the shop.
        day: that the night is of.
        master: of Spark's own cluster that does it; None for an embedded Spark.
    """

    config: Path
    day: str
    master: str | None = None

    @property
    def argv(self) -> list[str]:
        """The command line, but for the places."""
        job = ["--date", self.day, "--config", str(self.config)]
        if self.master is None:
            return [sys.executable, "-m", "rfm_spark", "nightly", *job]
        settings = (word for one in _SMALL.items() for word in ("--conf", "=".join(one)))
        return [str(_SUBMIT), "nightly", "--master", self.master, *settings, "--", *job]


@dataclass(frozen=True)
class Shop:
    """A warehouse and the deliveries that are there for it.

    Attributes:
        folder: of the shop.
    """

    folder: Path

    @property
    def warehouse(self) -> Path:
        """Its tables."""
        return self.folder / "warehouse"

    @property
    def input(self) -> Path:
        """Its deliveries."""
        return self.folder / "input"

    def deliver(self, made_up: Path, days: Sequence[str]) -> None:
        """Puts the deliveries of some days, of all that are made up, where a night finds them."""
        for source in sorted(one for one in made_up.iterdir() if one.is_dir()):
            for name in (f"delivered={day}" for day in days):
                if (source / name).is_dir():
                    shutil.copytree(source / name, self.input / source.name / name)

    def become(self, other: Shop) -> None:
        """Has the same tables and deliveries as another one; the folders themselves stay."""
        for mine, theirs in ((self.warehouse, other.warehouse), (self.input, other.input)):
            mine.mkdir(parents=True, exist_ok=True)
            for one in mine.iterdir():
                shutil.rmtree(one) if one.is_dir() else one.unlink()
            shutil.copytree(theirs, mine, dirs_exist_ok=True)

    def night(
        self, command: Command, happens: Callable[[subprocess.Popen[bytes]], None] | None = None
    ) -> Ended:
        """One `rfm-spark nightly`.

        Args:
            command: what it is of.
            happens: what is done to its process while it runs.
        """
        began, started_at = time.monotonic(), datetime.now(UTC)
        with self._process(command) as process:
            if happens is not None:
                happens(process)
            code = process.wait(_LONGEST_SECONDS)
        seconds = time.monotonic() - began
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        events = [json.loads(line) for line in lines if _is_event(line)]
        problems = tuple(one["message"] for one in events if one["event"] == "problem")
        log = "\n".join(lines[-20:])
        course = Course(seconds, tuple(_steps(events, started_at)))
        return Ended(seconds, None if code < 0 else code, _running(events), problems, log, course)

    def waits_for(self, moment: Moment, process: subprocess.Popen[bytes]) -> bool:
        """Waits for a moment of a night; False where the night ends before."""
        begins = f'"event": "step_began", "step": {json.dumps(moment.step)}'
        while moment.step is not None and begins not in self._log.read_text(errors="replace"):
            if process.poll() is not None:
                return False
            time.sleep(0.05)
        try:
            process.wait(moment.into_seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    @property
    def _log(self) -> Path:
        return self.folder / "night.log"

    @contextmanager
    def _process(self, command: Command) -> Iterator[subprocess.Popen[bytes]]:
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as told:
            process = subprocess.Popen(
                [
                    *command.argv,
                    *("--input", str(self.input.absolute())),
                    *("--warehouse", str(self.warehouse.absolute())),
                ],
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    **os.environ,
                    "RFM_SPARK_LOG": "json",
                    "SPARK_LOCAL_DIRS": str(scratch),
                    "TMPDIR": str(scratch),
                },
            )
            try:
                yield process
            finally:
                kill(process)
        shutil.rmtree(scratch)  # a process that was killed leaves its blocks behind


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started, at once and without a warning."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_event(line: str) -> bool:
    return line.startswith('{"time"') and line.endswith("}")


def _steps(events: Sequence[dict[str, Any]], began: datetime) -> Iterator[tuple[str, float]]:
    for one in events:
        if one["event"] == "step_began":
            yield one["step"], (datetime.fromisoformat(one["time"]) - began).total_seconds()


def _running(events: Sequence[dict[str, Any]]) -> str | None:
    """The last step that began, where it was neither done nor failed."""
    steps = [one for one in events if one["event"].startswith("step_")]
    is_open = bool(steps) and steps[-1]["event"] in ("step_began", "step_runs")
    return str(steps[-1]["step"]) if is_open else None
