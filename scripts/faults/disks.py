"""Disks of memory, which can be too small or turn read-only; of a mount namespace of one's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def mount_disk(place: Path, size: int) -> None:
    """Puts an empty disk of so many bytes at a folder.

    Raises:
        RuntimeError: if no disk can be mounted.
    """
    place.mkdir(parents=True, exist_ok=True)
    _mount(place, "-t", "tmpfs", "-o", f"size={size}", "none")


def leave_free(place: Path, bytes_free: int) -> None:
    """Makes the disk so small, or so large, that this is free."""
    _mount(place, "-o", f"remount,size={shutil.disk_usage(place).used + bytes_free}")


def turn_read_only(place: Path) -> bool:
    """Lets nothing be written any more; False while a file is being written, which prevents it."""
    return _is_done(place, "-o", "remount,ro")


def turn_writable(place: Path) -> None:
    """Lets everything be written again."""
    _mount(place, "-o", "remount,rw")


def _mount(place: Path, *options: str) -> None:
    if not _is_done(place, *options):
        raise RuntimeError(f"mount {' '.join(options)} {place}: failed; it needs `unshare --mount`")


def _is_done(place: Path, *options: str) -> bool:
    command = ["mount", *options, str(place)]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
