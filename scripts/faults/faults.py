"""Faults: what happens to a night at a random moment, and how things are put right again."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from disks import leave_free, mount_disk, turn_read_only, turn_writable
from nights import Ended, Shop, kill

_LARGE_BYTES = 4 * 2**30
_MOST_FREE_BYTES = 64 * 2**10


Night = tuple[Path, str]
"""Configuration and day."""


class Fault(Protocol):
    """What happens to nights of a shop."""

    def prepare(self, shop: Shop) -> None:
        """Before the first night."""

    def disturbed(self, shop: Shop, night: Night, seconds: float, moments: random.Random) -> Ended:
        """A night that something happens to, and as soon as it is over is put right again.

        Args:
            shop: of the night.
            night: its configuration and day.
            seconds: that the night takes undisturbed.
            moments: when it happens.
        """


@dataclass(frozen=True)
class Kill:
    """The driver and all its processes are killed."""

    def prepare(self, shop: Shop) -> None:
        """Nothing."""

    def disturbed(self, shop: Shop, night: Night, seconds: float, moments: random.Random) -> Ended:
        """Kills at a moment; see `Fault`."""
        after = moments.uniform(0, seconds)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if _still_runs(process, after):
                kill(process)

        return shop.night(*night, happens)


@dataclass(frozen=True)
class DiskFull:
    """The warehouse's disk has no more room."""

    def prepare(self, shop: Shop) -> None:
        """Puts the warehouse on a disk of its own."""
        mount_disk(shop.warehouse)

    def disturbed(self, shop: Shop, night: Night, seconds: float, moments: random.Random) -> Ended:
        """Leaves no more than some kilobytes from a moment on; see `Fault`."""
        after, bytes_free = moments.uniform(0, seconds), moments.randrange(_MOST_FREE_BYTES)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if _still_runs(process, after):
                leave_free(shop.warehouse, bytes_free)

        end = shop.night(*night, happens)
        leave_free(shop.warehouse, _LARGE_BYTES)
        return end


@dataclass(frozen=True)
class ReadOnly:
    """The warehouse's disk turns read-only."""

    def prepare(self, shop: Shop) -> None:
        """Puts the warehouse on a disk of its own."""
        mount_disk(shop.warehouse)

    def disturbed(self, shop: Shop, night: Night, seconds: float, moments: random.Random) -> Ended:
        """Turns it at the first moment after a chosen one when no file is open; see `Fault`."""
        after = moments.uniform(0, seconds)

        def happens(process: subprocess.Popen[bytes]) -> None:
            if _still_runs(process, after):
                while process.poll() is None and not turn_read_only(shop.warehouse):
                    time.sleep(0.01)

        end = shop.night(*night, happens)
        turn_writable(shop.warehouse)
        return end


FaultName = Literal["kill", "disk-full", "read-only"]
FAULTS: dict[FaultName, Fault] = {"kill": Kill(), "disk-full": DiskFull(), "read-only": ReadOnly()}


def _still_runs(process: subprocess.Popen[bytes], after_seconds: float) -> bool:
    try:
        process.wait(after_seconds)
    except subprocess.TimeoutExpired:
        return True
    return False
