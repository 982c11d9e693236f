"""Progress on standard error: a line for each step, as a person or as a machine reads it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, Protocol

from pyspark.sql import SparkSession
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from rfm_spark.cli.tasks import TasksNow, TaskWatch
from rfm_spark.core.progress import Step
from rfm_spark.storage.spark_errors import GONE

LogFormat = Literal["text", "json"]

_errors = Console(stderr=True, highlight=False, soft_wrap=True)
_LOOKED_AT_SECONDS = 0.5
"""Between two looks at the tasks of a step that runs."""
_LOOKS_A_LINE = 60
"""Looks from one line about a step to the next, where lines stay: no terminal, or JSON."""


class _Log(Protocol):
    """Where steps and problems are told."""

    def began(self, step: RunningStep) -> None:
        """A step begins."""

    def paused(self, step: RunningStep) -> None:
        """A step inside this one begins."""

    def resumed(self, step: RunningStep) -> None:
        """That one is done."""

    def runs(self, step: RunningStep, tasks: TasksNow, *, is_due: bool) -> None:
        """How far it is; a line that stays is due now and then."""

    def ended(self, step: RunningStep, seconds: float, *, is_whole: bool) -> None:
        """It is done, or has failed."""

    def problem(self, message: str) -> None:
        """What is wrong."""


class RunningStep:
    """A step from its beginning to its end.

    Attributes:
        title: what is done.
        result: what came of it, in a few words.
        seconds_of_others: that steps inside it took.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.result = ""
        self.seconds_of_others = 0.0

    def says(self, result: str) -> None:
        """Keeps what to tell when the step is done."""
        self.result = result


class _Text:
    """For people: a spinner while a step runs, its time and result when it is done."""

    def __init__(self) -> None:
        self._status: dict[RunningStep, Status] = {}

    def began(self, step: RunningStep) -> None:
        self._status[step] = _errors.status(f"{escape(step.title)} ...")
        self._status[step].start()

    def paused(self, step: RunningStep) -> None:
        self._status[step].stop()  # a screen has room for one spinner

    def resumed(self, step: RunningStep) -> None:
        self._status[step].start()

    def runs(self, step: RunningStep, tasks: TasksNow, *, is_due: bool) -> None:
        told = f"{escape(step.title)} ... {tasks}"
        if _errors.is_terminal:
            self._status[step].update(told)
        elif is_due:
            _errors.print(f"  {told}")

    def ended(self, step: RunningStep, seconds: float, *, is_whole: bool) -> None:
        self._status.pop(step).stop()
        if is_whole:
            line = f"[green]✓[/] {step.title:<38}{seconds:6.1f} s  {escape(step.result)}"
        else:
            line = f"[red]✗[/] {step.title}"
        _errors.print(line)

    def problem(self, message: str) -> None:
        _errors.print(f"[red]rfm-spark:[/] {escape(message)}")


class _Json:
    """For machines: an object a line, with `time`, `event` and what belongs to it."""

    def began(self, step: RunningStep) -> None:
        self._write("step_began", step=step.title)

    def paused(self, step: RunningStep) -> None:
        pass

    def resumed(self, step: RunningStep) -> None:
        pass

    def runs(self, step: RunningStep, tasks: TasksNow, *, is_due: bool) -> None:
        if is_due:
            left = None if tasks.seconds_left is None else round(tasks.seconds_left, 1)
            told = {"tasks_done": tasks.done, "tasks": tasks.all, "seconds_left": left}
            self._write("step_runs", step=step.title, **told)

    def ended(self, step: RunningStep, seconds: float, *, is_whole: bool) -> None:
        event = "step_done" if is_whole else "step_failed"
        self._write(event, step=step.title, seconds=round(seconds, 3), result=step.result)

    def problem(self, message: str) -> None:
        self._write("problem", message=message)

    def _write(self, event: str, **fields: object) -> None:
        line = {"time": datetime.now(UTC).isoformat(), "event": event, **fields}
        _errors.file.write(json.dumps(line, ensure_ascii=False) + "\n")
        _errors.file.flush()


class _Telling:
    """What this process tells of now.

    Attributes:
        log: where.
        steps: those that run, each inside the one before.
        lock: held while either changes or is told of: the tasks are looked at by another thread.
    """

    def __init__(self) -> None:
        self.log: _Log = _Text()
        self.steps: list[RunningStep] = []
        self.lock = threading.RLock()


_telling = _Telling()


def choose_format(log_format: LogFormat) -> None:
    """How steps and problems of this process are told from now on."""
    _telling.log = _Json() if log_format == "json" else _Text()


def show_problems(problems: Sequence[str]) -> None:
    """A line for each."""
    for problem in problems:
        _telling.log.problem(problem)


class StepProgress:
    """Tells of each step when it begins and ends; a step inside another is no part of its time."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A piece of work from now until the context ends."""
        began, is_whole = time.monotonic(), False
        shown, log = RunningStep(title), _telling.log
        with _telling.lock:
            outer = _telling.steps[-1] if _telling.steps else None
            if outer:
                log.paused(outer)
            _telling.steps.append(shown)
            log.began(shown)
        try:
            yield shown
            is_whole = True
        finally:
            elapsed = time.monotonic() - began
            with _telling.lock:
                _telling.steps.remove(shown)
                log.ended(shown, elapsed - shown.seconds_of_others, is_whole=is_whole)
                if outer:
                    outer.seconds_of_others += elapsed
                    log.resumed(outer)


@contextmanager
def watched(spark: SparkSession) -> Iterator[None]:
    """Tells how far the step is that runs, by the tasks of Spark's jobs, until the context ends."""
    watch, is_over = TaskWatch(spark), threading.Event()

    def look() -> None:
        last, looks = None, 0
        while not is_over.wait(_LOOKED_AT_SECONDS):
            try:
                tasks = watch.now()
            except GONE:  # whoever works with Spark tells it
                return
            with _telling.lock:
                running = _telling.steps[-1] if _telling.steps else None
                looks = looks + 1 if running is last else 0
                last = running
                if tasks is not None and running is not None:
                    is_due = looks > 0 and looks % _LOOKS_A_LINE == 0
                    _telling.log.runs(running, tasks, is_due=is_due)

    thread = threading.Thread(target=look, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
