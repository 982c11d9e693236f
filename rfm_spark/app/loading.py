"""Reads a configuration file and says everything that is wrong with it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rfm_spark.app.settings import SETTINGS_MODEL, Settings
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.settings.section import NAMED, ONE


def load_settings(file: str | Path, overrides: Sequence[str] = ()) -> Settings:
    """The configuration in a TOML file, with `section.key=value` overrides applied.

    Raises:
        UserError: with one line per problem: the file, the key, what was expected and, for an
            unknown key, the nearest known one.
    """
    raw = _read(Path(file))
    problems = [problem for problem in (_override(raw, text) for text in overrides) if problem]
    settings, errors = _validated(raw)
    if errors:
        # What several keys say together is looked at where each of them is right by itself.
        _, together = _validated(_without(raw, errors))
        errors += [one for one in together if one["type"] == "value_error"]
    problems += dict.fromkeys(
        f"{file}: {sentence}" for one in errors for sentence in _sentences(one)
    )
    if settings is None or problems:
        raise UserError(problems)
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{file}: is not TOML: {error}") from None


def _validated(raw: dict[str, Any]) -> tuple[Settings | None, list[Any]]:
    try:
        return SETTINGS_MODEL.model_validate(raw), []
    except ValidationError as error:
        return None, _meant(error.errors())


def _meant(errors: Sequence[Any]) -> list[Any]:
    """Without what a table of the file is not: the other kinds a key may have are no mistakes."""

    def is_told_by_another(error: Any) -> bool:
        place = [step for step in error["loc"] if _is_written(step)]
        return error["type"] == "literal_error" and any(
            [step for step in other["loc"] if _is_written(step)][: len(place)] == place
            for other in errors
            if other is not error
        )

    return [
        one for one in errors if not (isinstance(one["input"], dict) and is_told_by_another(one))
    ]


def _without(raw: dict[str, Any], errors: Iterable[Any]) -> dict[str, Any]:
    """The tables without the keys that are wrong."""
    kept = deepcopy(raw)
    for error in errors:
        *path, last = [step for step in error["loc"] if _is_written(step)] or [None]
        table: Any = kept
        for step in path:
            table = table.get(step) if isinstance(table, dict) else None
        is_section = isinstance(table, dict) and isinstance(table.get(last), dict)
        if isinstance(table, dict) and (error["type"] == "extra_forbidden" or not is_section):
            table.pop(last, None)
    return kept


def _override(raw: dict[str, Any], text: str) -> str | None:
    """Applies `a.b.c=value` to the raw tables; the value is TOML, or else plain text."""
    path, equals, value = text.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or not all(keys):
        return f"--set {text}: write it as section.key=value"
    table: Any = raw
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return f"--set {text}: '{key}' is a value, not a section"
    try:
        table[keys[-1]] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        table[keys[-1]] = value
    return None


def _sentences(error: Any) -> list[str]:
    location: tuple[str | int, ...] = error["loc"]
    kind, message = error["type"], str(error["msg"])
    # A union adds a step for each of its types, such as 'constrained-str'; people never wrote it.
    keys = [str(step) for step in location if _is_written(step)]
    where = ".".join(keys) or "the file"
    if kind == "extra_forbidden":
        hint = did_you_mean(keys[-1], _known_names(SETTINGS_MODEL, keys[:-1]))
        return [f"{where}: unknown key; {hint}"]
    if kind == "missing":
        return [f"{where}: missing; it must be given"]
    told = [message[0].lower() + message[1:]]
    if kind == "value_error":  # of ours, with one sentence for every problem found
        told = error["ctx"]["error"].args
    given = error.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return [f"{where}: {sentence}{shown}" for sentence in told]


def _is_written(step: str | int) -> bool:
    if isinstance(step, int):
        return True
    return step not in ("[key]", "int", "str", "date", ONE, NAMED) and not any(
        step.startswith(kind)
        for kind in ("constrained-", "literal[", "list[", "dict[", "function-")
    )


def _known_names(model: type[BaseModel], keys: Iterable[str]) -> list[str]:
    """Names that fit beside a key: fields of the section it lies in."""
    sections: list[type[BaseModel]] = [model]
    for key in keys:
        fields = [section.model_fields[key] for section in sections if key in section.model_fields]
        inner = [one for field in fields for one in _sections_in(field.annotation)]
        # A key such as a source's own name is no field: what lies under it stays the same.
        sections = inner or sections
    return [name for section in sections for name in section.model_fields]


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for argument in get_args(annotation) for one in _sections_in(argument)]
