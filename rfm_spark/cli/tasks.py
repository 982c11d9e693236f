"""Tasks of Spark that run now: how many of all are done, and how long the rest will take."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pyspark.sql import SparkSession


@dataclass(frozen=True)
class TasksNow:
    """The stages that run.

    Attributes:
        done: tasks of them that are done.
        all: of them.
        seconds_left: until they are done, if the rest goes on as it did; None before the first.
    """

    done: int
    all: int
    seconds_left: float | None

    def __str__(self) -> str:
        """In words.

        >>> print(TasksNow(40, 200, 12.4), "/", TasksNow(0, 8, None))
        40 of 200 tasks, about 12 s left / 0 of 8 tasks
        """
        told = f"{self.done:,} of {self.all:,} tasks"
        if self.seconds_left is None:
            return told
        return f"{told}, about {_duration(self.seconds_left)} left"


class TaskWatch:
    """Asks Spark's status tracker, which knows of stages and their tasks.

    Args:
        spark: the session.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._tracker = spark.sparkContext.statusTracker()
        self._began: dict[int, float] = {}

    def now(self) -> TasksNow | None:
        """Of all stages that run at this moment; None where none does."""
        active = self._tracker.getActiveStageIds()
        stages = [stage for one in active if (stage := self._tracker.getStageInfo(one))]
        self._began = {
            stage.stageId: self._began.get(stage.stageId, time.monotonic()) for stage in stages
        }
        if not stages:
            return None
        done, total = (
            sum(getattr(stage, name) for stage in stages)
            for name in ("numCompletedTasks", "numTasks")
        )
        elapsed = time.monotonic() - min(self._began.values())
        return TasksNow(done, total, elapsed * (total - done) / done if done else None)


def _duration(seconds: float) -> str:
    """Seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
