"""What can go wrong, and whose turn it is to mend it."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """A mistake in what was given: configuration, input, or arguments. Exit code 2.

    Args:
        problems: one line each: what is wrong, where, and what to do.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class RunFailure(Exception):
    """The run could not be finished, though nothing was wrong with the request. Exit code 1."""
