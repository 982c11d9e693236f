"""Locations: a warehouse and an input are URIs; a plain path is a local one."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from rfm_spark.errors import UserError


def location(given: str) -> str:
    """A URI or local path, without a trailing slash; local ones become absolute plain paths."""
    if not given.strip():
        raise UserError("an empty location: give a folder or a URI")
    if "`" in given or "\n" in given:
        raise UserError(f"{given!r}: a location must not hold backticks or line breaks")
    scheme = urlsplit(given).scheme
    if scheme and scheme != "file" and len(scheme) > 1:
        return given.rstrip("/")
    local = re.sub("^file:/+", "/", given)
    return str(Path(local).expanduser().absolute()).rstrip("/") or "/"


def is_local(place: str) -> bool:
    """Whether a location is a folder of this machine."""
    return place.startswith("/")


def below(place: str, name: str) -> str:
    """A file or folder under a location."""
    return f"{place}/{name}"


def plain(path: str) -> str:
    """A path as Hadoop names it, in the form `location` gives."""
    return re.sub("^file:/+", "/", path)
