"""The record of disturbed nights: a line of JSON each, in a file that is added to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Disturbed:
    """A night that something happened to.

    Attributes:
        fault: what happened.
        seed: that all choices were drawn with.
        number: of the night among those of this seed, from 1.
        moment_seconds: when it happened, in the undisturbed night.
        night_seconds: what that night took.
        step: that had begun at this moment.
        running: the step that was not done when the night ended; None between two of them.
        code: that it ended with; None where it was killed.
        problems: what it told of why it failed.
    """

    fault: str
    seed: int
    number: int
    moment_seconds: float
    night_seconds: float
    step: str | None
    running: str | None
    code: int | None
    problems: tuple[str, ...]

    @property
    def ended(self) -> str:
        """How it ended, for a person."""
        return "killed" if self.code is None else f"exit code {self.code}"


def add_to(file: Path, nights: Iterable[Disturbed], result: str) -> None:
    """Adds nights whose tables were compared.

    Args:
        file: of the record, made where it is not there.
        nights: one after another, of which the last was begun again until it ended well.
        result: of the comparison.
    """
    at, commit = datetime.now(UTC).isoformat(timespec="seconds"), _commit()
    lines = [
        json.dumps({**asdict(night), "result": result, "at": at, "commit": commit}) + "\n"
        for night in nights
    ]
    with file.open("a", encoding="utf-8") as record:
        record.writelines(lines)


def _commit() -> str:
    """The code that was tried, as git names it; `-dirty` where it differs from that commit."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
