"""Nights of a shop: one command each, which may be killed before its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """A night that ended, or was killed.

    Attributes:
        seconds: until then.
        is_killed: whether it was.
        step: the last line it had told, which names the step that it was in or had done.
    """

    seconds: float
    is_killed: bool
    step: str


@dataclass(frozen=True)
class Shop:
    """A warehouse and the deliveries that are there for it.

    Attributes:
        folder: of the shop.
        made_up: where `rfm-spark generate` put all deliveries, by day.
    """

    folder: Path
    made_up: Path

    @property
    def warehouse(self) -> Path:
        """Its tables."""
        return self.folder / "warehouse"

    def deliver(self, days: list[str]) -> None:
        """Puts the deliveries of some days where the next night finds them."""
        for source in sorted(one for one in self.made_up.iterdir() if one.is_dir()):
            for day in days:
                name = f"delivered={day}"
                if (source / name).is_dir():
                    shutil.copytree(source / name, self.folder / "input" / source.name / name)

    def night(self, config: Path, kill_after_seconds: float | None = None) -> Ended:
        """One `rfm-spark nightly`, killed with all its processes after some time if it still runs.

        Raises:
            RuntimeError: if it fails by itself.
        """
        log = self.folder / "night.log"
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with log.open("wb") as told:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "rfm_spark", "nightly", "--config", str(config)),
                    *("--input", str(self.folder / "input"), "--warehouse", str(self.warehouse)),
                ],
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "SPARK_LOCAL_DIRS": str(scratch)},
            )
            try:
                code = process.wait(kill_after_seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code = None
        seconds = time.monotonic() - began
        shutil.rmtree(scratch)  # a process that was killed leaves its blocks behind
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        if code:
            raise RuntimeError("\n".join(["a night failed by itself:", *lines[-20:]]))
        done = [line for line in lines if line.startswith("✓")]
        return Ended(seconds, code is None, _step(done[-1]) if done else "before the first step")


def _step(line: str) -> str:
    """What a line of progress says was done, without its time and figures."""
    return "after: " + line.removeprefix("✓").strip().split("  ")[0]
