"""Locations: a warehouse and an input are URIs, which a plain path becomes one of.

The session says of which file system a path without a scheme is (`fs.defaultFS`): of this machine's
disk by default, of HDFS on the machines of many clusters.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.storage.gateway import JvmError, qualified
from rfm_spark.storage.on_demand import SessionOnDemand


def location(sessions: SparkSession | SessionOnDemand, given: str) -> str:
    """What a person gave, as the session takes it; every place comes from here.

    Args:
        sessions: the session, or where to get one: a local path needs none, unless files of
            settings may say that plain paths are not local.
        given: a path or URI.

    Returns:
        A whole URI without a trailing slash. One of this machine is an absolute plain path where
        the session takes that for local, and begins with `file:/` where it does not.

    Raises:
        UserError: if Spark has no such file system; it says so before anything is looked for.
    """
    sessions = SessionOnDemand.of(sessions)
    scheme = _scheme(given)
    if scheme == "file" or (not scheme and sessions.has_local_paths):
        path = _path_of_this_machine(given)
        return path if sessions.has_local_paths else f"file:{path}"
    try:
        return qualified(sessions.session, given).rstrip("/")
    except JvmError as error:
        raise UserError(
            f"{given}: cannot be reached ({error}): check the spelling, and that this Spark has "
            "the jars of such a file system"
        ) from None


def _scheme(given: str) -> str:
    """Of a path or URI; empty of a path."""
    if not given.strip():
        raise UserError("an empty location: give a folder or a URI")
    if "`" in given or "\n" in given:
        raise UserError(f"{given!r}: a location must not hold backticks or line breaks")
    scheme = urlsplit(given).scheme
    return scheme if len(scheme) > 1 else ""


def _path_of_this_machine(given: str) -> str:
    # Hadoop takes `..` out of a path, so what it finds must begin with the same.
    return os.path.normpath(Path(plain(given)).expanduser().absolute())


def is_local(place: str) -> bool:
    """Whether a location is a folder of this machine."""
    return place.startswith(("/", "file:"))


def holds_at_most(limit: int, places: Iterable[str]) -> bool:
    """Whether local folders hold so many bytes at most, together; False of any other place.

    Plain paths are taken for local ones. What lies in folders whose names begin with `_`, such as
    the logs of tables, does not count.
    """
    left = limit
    for place in places:
        if _scheme(place) not in ("", "file"):
            return False
        for size in _file_sizes(_path_of_this_machine(place)):
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
    """A path of this machine as Python takes it; any other as it is."""
    return re.sub("^file:/+", "/", path)


def is_same_place(one: str, other: str) -> bool:
    """Whether two locations are the same; Hadoop may have completed one with its host."""
    if is_local(one) and is_local(other):
        return os.path.realpath(plain(one)) == os.path.realpath(plain(other))
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
