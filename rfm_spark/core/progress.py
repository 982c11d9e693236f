"""Progress: what a person sees of the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """A piece of work a person can follow."""

    def says(self, result: str) -> None:
        """What came of it, in a few words."""


class Progress(Protocol):
    """Shows a person what is being done."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """A piece of work from now until the context ends."""


class _Silent:
    def says(self, result: str) -> None:
        """Says nothing."""


class Quiet:
    """Shows nothing: for callers that do not watch."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002 - nobody watches
        """A piece of work nobody watches."""
        yield _Silent()
