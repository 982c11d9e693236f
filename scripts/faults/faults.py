"""Faults: what happens to a night at a random moment, and how things are put right again."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import psutil
from disks import leave_free, mount_disk, turn_read_only, turn_writable
from nights import Command, Course, Ended, Moment, Shop, kill
from support.cluster import standalone_cluster

_LARGE_BYTES = 4 * 2**30
_MOST_FREE_BYTES = 64 * 2**10


class Fault(Protocol):
    """What happens to nights of a shop."""

    def prepare(self, shop: Shop) -> None:
        """Before the first night, when the shop has no tables yet."""

    def disturbed(
        self, shop: Shop, night: Command, course: Course, chance: random.Random
    ) -> tuple[Ended, Moment | None]:
        """A night that something happens to, and as soon as it is over is put right again.

        Args:
            shop: of the night.
            night: its command.
            course: of the undisturbed night.
            chance: of the moment, and of what else is to be chosen.

        Returns:
            How it ended, and when something happened; None where it was over before.
        """


@dataclass(frozen=True)
class Kill:
    """The driver and all its processes are killed."""

    def prepare(self, shop: Shop) -> None:
        """Nothing."""

    def disturbed(
        self, shop: Shop, night: Command, course: Course, chance: random.Random
    ) -> tuple[Ended, Moment | None]:
        """Kills at a moment; see `Fault`."""
        moment = course.moment(chance)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if shop.waits_for(moment, process):
                kill(process)

        end = shop.night(night, happens)
        return end, moment if end.code is None else None


@dataclass(frozen=True)
class DiskFull:
    """The warehouse's disk has no more room."""

    def prepare(self, shop: Shop) -> None:
        """Puts the warehouse on a disk of its own."""
        mount_disk(shop.warehouse, _LARGE_BYTES)

    def disturbed(
        self, shop: Shop, night: Command, course: Course, chance: random.Random
    ) -> tuple[Ended, Moment | None]:
        """Leaves no more than some kilobytes from a moment on; see `Fault`."""
        moment, bytes_free = course.moment(chance), chance.randrange(_MOST_FREE_BYTES)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if shop.waits_for(moment, process):
                leave_free(shop.warehouse, bytes_free)

        end = shop.night(night, happens)
        leave_free(shop.warehouse, _LARGE_BYTES)
        return end, moment if end.code != 0 else None


@dataclass(frozen=True)
class ReadOnly:
    """The warehouse's disk turns read-only."""

    def prepare(self, shop: Shop) -> None:
        """Puts the warehouse on a disk of its own."""
        mount_disk(shop.warehouse, _LARGE_BYTES)

    def disturbed(
        self, shop: Shop, night: Command, course: Course, chance: random.Random
    ) -> tuple[Ended, Moment | None]:
        """Turns it at the first moment after a chosen one when no file is open; see `Fault`."""
        moment = course.moment(chance)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if shop.waits_for(moment, process):
                while process.poll() is None and not turn_read_only(shop.warehouse):
                    time.sleep(0.01)

        end = shop.night(night, happens)
        turn_writable(shop.warehouse)
        return end, moment if end.code != 0 else None


@dataclass(frozen=True)
class KillOnCluster:
    """Of Spark's own cluster, two workers with an executor each, one process is killed.

    Attributes:
        runs: the class that the process runs.
    """

    runs: str

    def prepare(self, shop: Shop) -> None:
        """Nothing."""

    def disturbed(
        self, shop: Shop, night: Command, course: Course, chance: random.Random
    ) -> tuple[Ended, Moment | None]:
        """Kills at a moment; what was lost the cluster is to make up for. See `Fault`."""
        moment, number = course.moment(chance), chance.randrange(2)
        killed = list[psutil.Process]()
        folder = shop.folder / "cluster"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with standalone_cluster(folder.absolute()) as master:

            def happens(process: subprocess.Popen[bytes]) -> None:
                if not shop.waits_for(moment, process):
                    return
                while not (found := self._processes()) and process.poll() is None:
                    time.sleep(0.05)
                if found:
                    one = found[number % len(found)]
                    with suppress(psutil.NoSuchProcess):  # it ended by itself: nothing was done
                        one.kill()
                        killed.append(one)

            end = shop.night(replace(night, master=master), happens)
        shutil.rmtree(folder)
        return end, moment if killed else None

    def _processes(self) -> list[psutil.Process]:
        """Those of the cluster, the oldest first."""
        family = psutil.Process().children(recursive=True)
        found = [one for one in family if self._is_one(one)]
        return sorted(found, key=psutil.Process.create_time)

    def _is_one(self, process: psutil.Process) -> bool:
        try:
            program, *arguments = process.cmdline() or [""]
        except psutil.NoSuchProcess:
            return False  # it has just ended
        return Path(program).name == "java" and self.runs in arguments


FaultName = Literal["kill", "kill-executor", "kill-worker", "disk-full", "read-only"]
FAULTS: dict[FaultName, Fault] = {
    "kill": Kill(),
    "kill-executor": KillOnCluster("org.apache.spark.executor.CoarseGrainedExecutorBackend"),
    "kill-worker": KillOnCluster("org.apache.spark.deploy.worker.Worker"),
    "disk-full": DiskFull(),
    "read-only": ReadOnly(),
}
