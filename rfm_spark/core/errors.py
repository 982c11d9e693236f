"""What can go wrong, and whose turn it is to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class UserError(Exception):
    """A mistake in what was given: configuration, input, or arguments. Exit code 2.

    Args:
        problems: one line each: what is wrong, where, and what to do.
    """

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The end of a message about a name nobody knows: the nearest one, or else all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(known))}"


class RunFailure(Exception):
    """The run could not be finished, though nothing was wrong with the request. Exit code 1."""
