"""Folder columns: those of a sample that stand in the names of folders, as in `dt=2026-01-05/`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rfm_spark.app.proposal.fields import Column
from rfm_spark.app.proposal.sample import Sample
from rfm_spark.core.folder_values import folder_values


def with_folder_columns(sample: Sample, folder: Path) -> Sample:
    """A sample with what the folders of its file tell; a column of the file itself counts before.

    Args:
        sample: of one file; a Delta table knows its folders itself.
        folder: the input.
    """
    if sample.format == "delta":
        return sample
    present = {name.casefold() for name in sample.columns}
    told = {
        name: value
        for name, value in folder_values(sample.file.relative_to(folder).as_posix()).items()
        if name.casefold() not in present
    }
    return replace(
        sample,
        columns={**sample.columns, **{name: Column(name) for name in told}},
        rows=[{**row, **told} for row in sample.rows],
        folder_columns=tuple(told),
    )
