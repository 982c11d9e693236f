"""Faults: what happens to a night at a random moment, and how things are put right again."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from disks import leave_free, mount_disk, turn_read_only, turn_writable
from nights import Command, Course, Ended, Moment, Shop, kill

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


FaultName = Literal["kill", "disk-full", "read-only"]
FAULTS: dict[FaultName, Fault] = {
    "kill": Kill(),
    "disk-full": DiskFull(),
    "read-only": ReadOnly(),
}
