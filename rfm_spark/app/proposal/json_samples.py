"""Samples of JSON lines and arrays: the first objects, and columns of what lies inside of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rfm_spark.app.proposal.fields import Column, Row
from rfm_spark.app.proposal.names import points
from rfm_spark.app.proposal.numbers import sql_text
from rfm_spark.app.proposal.raw_text import ANY_ENCODING, RawText
from rfm_spark.app.proposal.sample import MAX_ROWS, NoRows, Sample, value_inside
from rfm_spark.app.proposal.strangers import most_strangers, strangers_doubt
from rfm_spark.core.errors import UserError

_IN_PATH = re.compile(r"[^.\[\]'\"*]+")
"""Keys that stand in a path behind a point as they are."""
_AFTER_BLANKS = re.compile(r"[\s,]*")


def json_sample(file: Path, raw: RawText) -> Sample:
    """The first rows of a file with a JSON object on each line, or of one array of objects.

    Raises:
        UserError: if it is written in another way; it says what to do.
    """
    text, is_whole, encoding = raw.text, raw.is_whole, raw.encoding
    if encoding not in ("UTF-8", ANY_ENCODING):
        raise UserError(f"{file}: JSON is read as UTF-8 without a mark, and this is {encoding}")
    is_array = text.lstrip().startswith("[")
    # Not `splitlines`: it takes U+2028 for a line's end, which may stand in JSON's texts.
    lines = [] if is_array else re.split(r"\r\n|\n|\r", text)
    if is_array:
        parts = iter(_whole_array(file, text)) if is_whole else _of_array(text)
    else:
        parts = map(_object, _whole_lines(lines, is_whole))
    read = list(islice(parts, MAX_ROWS + 1))
    is_whole = is_whole and len(read) <= MAX_ROWS
    read = read[:MAX_ROWS]
    objects = [one for one in read if one is not None]
    broken = len(read) - len(objects)
    if broken and is_array:
        raise UserError(f"{file}: is a JSON array of other things than objects, such as {{...}}")
    if broken > most_strangers(len(read)):
        raise UserError(f"{file}: is no JSON object a line: write each object on a line of its own")
    if not objects and is_array and is_whole:
        raise NoRows(f"{file}: is an array without an object")
    if not objects:
        raise UserError(f"{file}: its first object is longer than what is looked at of a file")
    columns: dict[str, Column] = {}
    for one in objects:
        columns |= {key: column for key, column in _json_columns(one) if key not in columns}
    types = {key: "STRING" for one in objects for key in one}
    rows: list[Row] = [
        {name: _json_text(value_inside(one, name, column)) for name, column in columns.items()}
        for one in objects
    ]
    doubts = [strangers_doubt(broken, len(read), "JSON object", "lines")]
    inner = (value for one in objects for value in one.values() if isinstance(value, dict))
    if unread := sorted({key for value in inner for key in _keys_of_no_path(value)}):
        doubts.append(f"keys inside of objects that are not looked at: {', '.join(unread)}")
    return Sample(
        file,
        "json",
        columns,
        rows,
        is_whole,
        types=types,
        doubts=tuple(filter(None, doubts)),
    )


def _object(line: str) -> dict[str, Any] | None:
    """The object of a line; None where it is none."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _whole_array(file: Path, text: str) -> list[dict[str, Any] | None]:
    """The objects of an array; None for what is none.

    Raises:
        UserError: if it does not end, or what follows it is not JSON.
    """
    try:
        return [one if isinstance(one, dict) else None for one in json.loads(text)]
    except json.JSONDecodeError as error:
        raise UserError(f"{file}: is one JSON array, and not whole: {error}") from None


def _of_array(text: str) -> Iterator[dict[str, Any] | None]:
    """The objects of an array up to where the text was cut; None for what is none."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while (start := _AFTER_BLANKS.match(text, at).end()) < len(text) and text[start] != "]":  # type: ignore[union-attr]
        try:
            found, at = decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            return
        yield found if isinstance(found, dict) else None


def _whole_lines(lines: list[str], is_whole: bool) -> Iterator[str]:
    return (line for line in (lines if is_whole else lines[:-1]) if line.strip())


def _json_columns(one: Mapping[str, Any]) -> Iterator[tuple[str, Column]]:
    """Columns of an object's keys, and of keys in objects inside of it."""
    for key, value in one.items():
        if isinstance(value, dict):
            for inner in _paths_of_values(value):
                path = f"get_json_object({Column(key).sql}, {sql_text(f'$.{inner}')})"
                yield f"{key}.{inner}", Column(f"{key}.{inner}", path)
        elif isinstance(value, list):
            yield from _pieces_of_lines(key, value)
        else:
            yield key, Column(key)


def _paths_of_values(one: Mapping[str, Any]) -> Iterator[str]:
    """Keys on the way to each value inside of an object, lists left out, with points between."""
    for key, value in one.items():
        if not _IN_PATH.fullmatch(key):
            continue
        if isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in _paths_of_values(value))
        elif not isinstance(value, list):
            yield key


def _keys_of_no_path(one: Mapping[str, Any]) -> Iterator[str]:
    """Keys inside of an object of which no path can be written."""
    for key, value in one.items():
        if not _IN_PATH.fullmatch(key):
            yield key
        elif isinstance(value, dict):
            yield from _keys_of_no_path(value)


def _pieces_of_lines(key: str, lines: Sequence[Any]) -> Iterator[tuple[str, Column]]:
    """The pieces of all lines inside of an order: they cannot be unfolded, but added up."""
    for inner in lines[0] if lines and isinstance(lines[0], dict) else ():
        if inner.isidentifier() and points("quantity", inner) and isinstance(lines[0][inner], int):
            array = f"from_json({Column(key).sql}, 'array<struct<{inner}:int>>')"
            added_up = f"aggregate({array}, 0, (sum, line) -> sum + line.{inner})"
            yield f"{key}.{inner}", Column(f"{key}.{inner}", added_up)


def _json_text(value: Any) -> Any:
    """What Spark gives as text, as all keys are declared to be; numbers as they are."""
    return json.dumps(value) if isinstance(value, bool | dict | list) else value
