"""Nights of a shop: one command each, which something may happen to before its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SECONDS = 1_800


@dataclass(frozen=True)
class Ended:
    """A night that ended, or was killed.

    Attributes:
        seconds: until then.
        code: it ended with; None where it was killed.
        step: the last step that it had done.
        told: the last lines of what it told.
    """

    seconds: float
    code: int | None
    step: str
    told: str


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

    def night(
        self,
        config: Path,
        day: str,
        happens: Callable[[subprocess.Popen[bytes]], None] | None = None,
    ) -> Ended:
        """One `rfm-spark nightly`.

        Args:
            config: its configuration.
            day: that it is of.
            happens: what is done to its process while it runs.
        """
        began = time.monotonic()
        with self._process(config, day) as process:
            if happens is not None:
                happens(process)
            code = process.wait(_LONGEST_SECONDS)
        seconds = time.monotonic() - began
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        done = [line for line in lines if line.startswith("✓")]
        step = f"after: {_step(done[-1])}" if done else "before the first step"
        return Ended(seconds, None if code < 0 else code, step, "\n".join(lines[-20:]))

    @property
    def _log(self) -> Path:
        return self.folder / "night.log"

    @contextmanager
    def _process(self, config: Path, day: str) -> Iterator[subprocess.Popen[bytes]]:
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as told:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "rfm_spark", "nightly", "--date", day),
                    *("--config", str(config)),
                    *("--input", str(self.folder / "input"), "--warehouse", str(self.warehouse)),
                ],
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "SPARK_LOCAL_DIRS": str(scratch)},
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


def _step(line: str) -> str:
    """What a line of progress says was done, without its time and figures."""
    return line.removeprefix("✓").strip().split("  ")[0]
