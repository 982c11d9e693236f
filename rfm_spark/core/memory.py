"""Memory: what this process may use, in a container less than the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def usable_memory(root: Path = Path("/")) -> int:
    """Bytes of memory that this process and those it starts may use together.

    Those of the machine, or fewer where a container, a service or a batch system limits it by a
    control group of Linux (version 1 or 2).

    Args:
        root: below which `proc` and `sys` lie.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """Of the process's control group and of those around it, each of which limits it too."""
    for file in _limit_files(root):
        with suppress(OSError):  # a container does not see the groups around it
            text = file.read_text(encoding="ascii").strip()
            if text.isdecimal():  # or `max`
                yield int(text)


def _limit_files(root: Path) -> Iterator[Path]:
    groups = root / "sys/fs/cgroup"
    with suppress(OSError):  # another system than Linux
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers == "":
                folder, name = groups, "memory.max"
            elif "memory" in controllers.split(","):
                folder, name = groups / "memory", "memory.limit_in_bytes"
            else:
                continue
            # A container may be told its place on the machine, of which it sees the end only.
            place = PurePosixPath(group.lstrip("/"))
            for one in (place, *place.parents):
                yield folder / one / name
