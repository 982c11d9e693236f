"""What a person sees of a command."""

from __future__ import annotations

import pytest

STACK_TRACE = ("Traceback", "\tat ", "java.", "org.apache", "Py4J", "JVM stacktrace")


def on_screen(capfd: pytest.CaptureFixture[str]) -> str:
    """Everything printed since the last look; fails on a stack trace."""
    out, err = capfd.readouterr()
    text = out + err
    for trace in STACK_TRACE:
        assert trace not in text, text
    return text


def problems(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that tell what went wrong."""
    text = on_screen(capfd)
    start = "rfm-spark: "
    return [one.removeprefix(start) for one in text.splitlines() if one.startswith(start)]
