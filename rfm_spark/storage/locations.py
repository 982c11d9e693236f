"""Locations: a warehouse and an input are URIs; a plain path is a local one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import HadoopFolder, JvmError, default_file_system
from rfm_spark.storage.on_demand import SessionOnDemand


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
    # Hadoop takes `..` out of a path, so what it finds must begin with the same.
    return os.path.normpath(Path(local).expanduser().absolute())


def require_file_system(sessions: SessionOnDemand, place: str) -> None:
    """Makes sure that Spark has the file system a location names.

    Raises:
        UserError: if it has not; it says so before anything is looked for.
    """
    if is_local(place):
        # A session of our own has no other.
        default = default_file_system(sessions.session) if sessions.is_started else "file:///"
        if not default.startswith("file:"):
            raise UserError(
                f"{place}: is a folder of this machine, while paths without a scheme belong to "
                f"{default} here: write the whole URI, such as {default.rstrip('/')}{place}"
            )
        return
    try:
        HadoopFolder(sessions.session, place)
    except JvmError as error:
        raise UserError(
            f"{place}: cannot be reached ({error}): check the spelling, and that this Spark has "
            "the jars of such a file system"
        ) from None


def is_local(place: str) -> bool:
    """Whether a location is a folder of this machine."""
    return place.startswith("/")


def holds_at_most(limit: int, places: Iterable[str]) -> bool:
    """Whether local folders hold so many bytes at most, together; False of any other place.

    What lies in folders whose names begin with `_`, such as the logs of tables, does not count.
    """
    left = limit
    for place in map(location, places):
        if not is_local(place):
            return False
        for size in _file_sizes(place):
            left -= size
            if left < 0:
                return False
    return True


def _file_sizes(folder: str) -> Iterator[int]:
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith("_")]
        for file in files:
            with suppress(OSError):  # it is gone meanwhile, or a link to nothing
                yield Path(path, file).stat().st_size


def below(place: str, name: str) -> str:
    """A file or folder under a location."""
    return f"{place}/{name}"


def literal(path: str) -> str:
    """The path as Spark's readers take it: characters that make a pattern stand for themselves."""
    return re.sub(r"([][{}*?\\])", r"\\\1", path)


def plain(path: str) -> str:
    """A path as Hadoop names it, in the form `location` gives."""
    return re.sub("^file:/+", "/", path)


def is_same_place(one: str, other: str) -> bool:
    """Whether two locations are the same; Hadoop may have completed one with its host."""
    if is_local(one) and is_local(other):
        return os.path.realpath(one) == os.path.realpath(other)
    this, that = urlsplit(one), urlsplit(other)
    is_same_host = this.netloc == that.netloc or not (this.netloc and that.netloc)
    return this.scheme == that.scheme and is_same_host and this.path == that.path


def relative(path: str, place: str) -> str:
    """The name of a file below a location.

    Hadoop may complete a URI (`hdfs:///raw` is listed as `hdfs://host:8020/raw`), so only the
    paths are compared. The name must not change with how the location was written: it tells
    whether a delivery is known already.
    """
    whole, start = (urlsplit(one).path if "://" in one else one for one in (path, place))
    prefix = start.rstrip("/") + "/"
    if not whole.startswith(prefix):
        raise ValueError(f"{path} was listed below {place}, and is not")
    return whole.removeprefix(prefix)
