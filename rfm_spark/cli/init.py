"""`rfm-spark init`: a configuration for files that nobody has described."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from rfm_spark.app.proposal.presets import presets
from rfm_spark.app.proposal.proposal import (
    proposal,
    require_new_configuration,
    write_configuration,
)
from rfm_spark.cli.display import show_panels

Places = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Files, or folders of them: receipts, and what lies beside them.",
        show_default=False,
    ),
]  # fmt: skip
Out = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The configuration to write, in TOML.")
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"What the export has to be: {', '.join(presets())}. Without it, it is recognised.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def init(
    files: Places, out: Out = Path("shop.toml"), preset: PresetName = None, force: Force = False
) -> None:
    """Look into files of receipts, and write a configuration that reads them."""
    require_new_configuration(out, files, is_forced=force)
    found = proposal(files, preset)
    write_configuration(out, found.text)
    show_panels(found.panels())
    place = shlex.quote(os.path.relpath(found.folder))
    config = f"--config {shlex.quote(str(out))}"
    typer.echo(
        f"\n{out} is written. Look at its lines with ?, then:\n"
        f"  rfm-spark check {config} --input {place}\n"
        f"  rfm-spark run {config} --input {place} --warehouse warehouse"
    )
