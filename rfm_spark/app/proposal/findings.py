"""Findings: what a file is taken for, field by field, and what is not certain of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rfm_spark.app.proposal.conditions import AnyOf, IsThere
from rfm_spark.app.proposal.fields import Field
from rfm_spark.app.proposal.sample import Sample


@dataclass(frozen=True)
class FileGroup:
    """Files that are written in the same way.

    Attributes:
        files: in the order of their names.
        sample: of the first of them, or of the first two and the last.
        pattern: the path below the input that names them; empty until the input is known.
    """

    files: tuple[Path, ...]
    sample: Sample
    pattern: str = ""

    @property
    def shown(self) -> str:
        """For messages."""
        others = len(self.files) - 1
        return f"{self.files[0].name}{f' and {others} like it' if others else ''}"


@dataclass(frozen=True)
class Finding:
    """One section of the configuration.

    Attributes:
        section: such as `receipts`, or `interactions.clicks`.
        group: its files.
        fields: by the keys of the section's `columns`.
        attributes: of customers, by their names.
        settings: further keys of the section.
        keep: which rows belong to it; None for all.
        doubts: what is not certain, with the reason.
        notes: what is certain, and a reader of the numbers must know.
        title: of the preset that it follows; empty without.
        currency: ISO 4217 code that the file tells; empty where it tells none.
        digits: most digits behind the decimal mark of money.
        lookups: name to the files of a look-up and the column it is joined on.
    """

    section: str
    group: FileGroup
    fields: Mapping[str, Field]
    attributes: Mapping[str, Field] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    keep: AnyOf | IsThere | None = None
    doubts: Sequence[str] = ()
    notes: Sequence[str] = ()
    title: str = ""
    currency: str = ""
    digits: int = 0
    lookups: Mapping[str, tuple[FileGroup, str]] = field(default_factory=dict)
