"""The configuration reference: every section and key, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from rfm_spark.settings.model import Profile, Segment, Settings
from rfm_spark.settings.sources import Lookup

_HEAD = """\
# Configuration

Made by `python -m rfm_spark.settings.reference > docs/configuration.md`. A file is TOML; a section
is a table of it; `<name>` is a word of your own. Keys without a default must be given, except where
another key serves instead. On the command line, `--set section.key=value` changes one.
"""

_NAMED = {
    "interactions": "interactions.<name>",
    "rfm": "rfm.<name>",
}


def reference_text() -> str:
    """The whole document."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        for model in _models(field.annotation):
            lines += _section(_NAMED.get(name, name), model)
    lines += _section("receipts.lookups.<name>", Lookup, "The same for every source.")
    lines += _section(
        "rfm.<name>.segments", Segment, "A list of tables: `[[rfm.<name>.segments]]`."
    )
    return "\n".join(lines)


def _section(path: str, model: type[BaseModel], note: str = "") -> Iterator[str]:
    yield f"## [{path}]"
    yield ""
    yield " ".join(part for part in ((model.__doc__ or "").strip(), note) if part)
    yield ""
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        sections = _models(field.annotation)
        if sections and model is not Profile and not _is_mapping(field):
            inner += [(f"{path}.{name}", section) for section in sections]
            continue
        if name in ("lookups", "segments"):
            continue
        yield f"| {name} | {_kind(field.annotation)} | {_default(field)} | {_meaning(field)} |"
    yield ""
    for where, section in inner:
        yield from _section(where, section)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for argument in get_args(annotation) for one in _models(argument)]


def _is_mapping(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f'"{value}"' for value in get_args(annotation))
    arguments = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) is list:
        return f"list of {_kind(arguments[0])}"
    if get_origin(annotation) is dict:
        return f"table of {_kind(arguments[1])}"
    if hasattr(annotation, "__metadata__"):
        return _kind(arguments[0])
    if arguments:
        return " or ".join(_kind(one) for one in arguments)
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table: " + ", ".join(annotation.model_fields)
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        return f"`{value.model_dump(exclude_none=True)}`"
    if value is None or value in ({}, []):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


if __name__ == "__main__":
    print(reference_text(), end="")
