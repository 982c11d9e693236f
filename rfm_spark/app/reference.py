"""The configuration reference: every section and key, as Markdown, made from the JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rfm_spark.app.schema import choices, configuration_schema, definition_of, named_values

_HEAD = """\
# Configuration

Made by `python -m rfm_spark.app.reference > docs/configuration.md`;
`rfm-spark schema > rfm-spark.schema.json` prints the same as a JSON schema, by which an editor
completes and checks a file that begins with `#:schema rfm-spark.schema.json`.

A file is TOML; a section is a table of it, and `[[...]]` one of a list of tables; `<name>` is a
word of your own. Keys without a default must be given; `none` can be left out, except where another
key then needs it. On the command line, `--set section.key=value` changes one.
"""

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "table",
    "date": "date",
    "time": "time of day",
    "date-time": "date and time",
}

_Schema = Mapping[str, Any]


def reference_text(schema: Mapping[str, Any] | None = None) -> str:
    """The whole document.

    Args:
        schema: of the configuration; by default that of the program.
    """
    return "\n".join(_Reference(configuration_schema() if schema is None else schema).lines())


@dataclass(frozen=True)
class _Place:
    """Where a section is written: its definition's name, and its keys from the top."""

    definition: str
    path: str
    is_listed: bool

    @property
    def heading(self) -> str:
        return f"`[[{self.path}]]`" if self.is_listed else f"`[{self.path}]`"

    @property
    def link(self) -> str:
        """To the heading, whose anchor is made of its letters alone."""
        return f"[{self.heading}](#{re.sub(r'[^a-z0-9_-]', '', self.path.lower())})"


class _Reference:
    """One document; a section that lies in several places is shown at the first of them."""

    def __init__(self, schema: _Schema) -> None:
        self._schema = schema
        self._definitions: dict[str, _Schema] = schema.get("$defs", {})
        self._places: dict[str, list[_Place]] = {}
        self._find(schema, "")

    def lines(self) -> Iterator[str]:
        yield _HEAD
        yield from self._table(self._schema, "")
        for definition, (first, *others) in self._places.items():
            section = self._definitions[definition]
            yield f"## {first.heading}"
            yield ""
            told = [section.get("description", "")]
            if others:
                told.append(f"The same for {' and '.join(place.heading for place in others)}.")
            yield " ".join(text for text in told if text)
            yield ""
            yield from self._table(section, first.path)

    def _find(self, section: _Schema, path: str) -> None:
        for name, key in section["properties"].items():
            for place in self._sections(key, _below(path, name)):
                is_new = place.definition not in self._places
                self._places.setdefault(place.definition, []).append(place)
                if is_new:
                    self._find(self._definitions[place.definition], place.path)

    def _sections(self, key: _Schema, path: str, is_listed: bool = False) -> Iterator[_Place]:
        """Sections that a key's value is, or its elements, or the tables of your own names."""
        if "$ref" in key:
            definition = definition_of(key)
            if "properties" in self._definitions[definition]:
                yield _Place(definition, path, is_listed)
            else:
                yield from self._sections(self._definitions[definition], path, is_listed)
        for choice in choices(key):
            yield from self._sections(choice, path, is_listed)
        if "items" in key:
            yield from self._sections(key["items"], path, True)
        for value in named_values(key):
            yield from self._sections(value, _below(path, "<name>"))

    def _table(self, section: _Schema, path: str) -> Iterator[str]:
        yield "| key | type | default | meaning |"
        yield "| --- | --- | --- | --- |"
        for name, key in section["properties"].items():
            is_required = name in section.get("required", ())
            cells = (
                name,
                self._kind(key, _below(path, name)),
                "" if is_required else self._default(key),
                " ".join(key.get("description", "").split()),
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""

    def _kind(self, key: _Schema, path: str) -> str:
        if any_of := choices(key):
            return " or ".join(dict.fromkeys(self._kind(one, path) for one in any_of))
        if places := list(self._sections(key, path)):
            links = " or ".join(self._link(place) for place in places)
            return f"{'section' if '$ref' in key else 'sections'} {links}"
        if "$ref" in key:
            return self._kind(self._definitions[definition_of(key)], path)
        if "enum" in key or "const" in key:
            return ", ".join(toml_text(value) for value in key.get("enum", [key.get("const")]))
        kind = key.get("format") if key.get("format") in _WORDS else key.get("type")
        inner = [key["items"]] if "items" in key else named_values(key)
        of = " or ".join(dict.fromkeys(self._kind(one, path) for one in inner))
        return _WORDS.get(str(kind), "anything") + (f" of {of}" if of else "")

    def _link(self, place: _Place) -> str:
        """To where the section is shown, which is another place where several share it."""
        shown = self._places[place.definition][0]
        return place.link if shown == place else f"{place.heading}, as {shown.link}"

    def _default(self, key: _Schema) -> str:
        value = key.get("default")
        if value == {} and "$ref" in key:
            return "those of its keys"
        if value is None or value in ([], {}):
            return "none"
        return f"`{value if key.get('format') in _WORDS else toml_text(value)}`"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def toml_text(value: Any) -> str:
    """A value as one would write it in the file."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{name} = {toml_text(one)}" for name, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(toml_text(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    print(reference_text(), end="")
