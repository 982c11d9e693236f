"""Which code made a result."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from rfm_spark import __version__


@cache
def code_version() -> str:
    """The version of rfm_spark and a digest of its source: results of other code do not stand."""
    digest = sha256()
    for path, file in sorted(_sources(resources.files("rfm_spark"), "")):
        digest.update(path.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"


def _sources(folder: Traversable, path: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        inside = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, inside)
        elif entry.name.endswith(".py"):
            found.append((inside, entry))
    return found
