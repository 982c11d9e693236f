#!/usr/bin/env bash
# Typer 0.29.2: an application that is called with standalone_mode=False, so that the caller can handle
# errors, handles Ctrl-C itself: KeyboardInterrupt becomes the return value 130. A caller that looks at
# exceptions only takes a command that was stopped for one that succeeded.
#
# Seen: Click 8.3.1 raises Abort; Typer returns 130 and raises nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typer==0.29.2 click==8.3.1
"$folder/venv/bin/python" - <<'PYTHON'
import click
import typer


def stopped() -> None:
    raise KeyboardInterrupt


def ended(command) -> str:
    try:
        return f"returned {command(args=[], standalone_mode=False)}"
    except click.Abort:
        return "raised Abort"


by_typer = typer.Typer()
by_typer.command()(stopped)
seen = {"click": ended(click.command()(stopped)), "typer": ended(by_typer)}
print(seen)
assert seen == {"click": "raised Abort", "typer": "returned 130"}, "this has changed"
PYTHON
