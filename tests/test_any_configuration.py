"""Any tree of TOML values is a configuration or is refused in words, and nothing else happens."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.configurations import BASE

from rfm_spark.app.loading import load_settings
from rfm_spark.app.schema import choices, configuration_schema, definition_of, named_values
from rfm_spark.app.settings import Settings
from rfm_spark.core.errors import UserError

SCHEMA = configuration_schema()

ODD_TEXTS = (
    *("", " ", "\t", "0", "-", ".", "a.b", "a`b", "a'b", 'a"b', "a\\b", "{date}", "{}", "%", "*"),
    *("(", "[", "a\nb", "\x00", "é", "İ", "ß", "名", "\U0001f6d2", "a" * 300, "1=1", "1 = 'x'"),
    *("customer_id", "sum(amount)", "rand()", "select 1", "a b", "../x", "/", "s3://", "hdfs://h"),
    *("UTC", "Europe/Berlin", "EUR", "2024-02-30", "1e400", "nan", "null", "true", "yyyy-MM-dd"),
)
ODD_NUMBERS = (
    *(-(2**63) - 1, -(2**31), -1, 0, 1, 2, 2**31, 2**63, 10**30),
    *(-1e308, -0.5, -0.0, 1e-308, 0.5, 1.0, 1e15, float("inf"), float("-inf"), float("nan")),
)
names = st.sampled_from([*ODD_TEXTS, "web", "vip", "purchase"]) | st.text(max_size=5)
single = (
    st.sampled_from(ODD_TEXTS)
    | st.sampled_from(ODD_NUMBERS)
    | st.text(max_size=8)
    | st.booleans()
    | st.sampled_from([date.min, date(2024, 2, 29), date.max, time(23, 59)])
    | st.just(datetime.max.replace(tzinfo=UTC))
)
anything = st.recursive(
    single, lambda one: st.lists(one, max_size=3) | st.dictionaries(names, one, max_size=3)
)


def resolved(schema: Any) -> Any:
    return SCHEMA["$defs"][definition_of(schema)] if "$ref" in schema else schema


def fitting(schema: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that a schema allows, or nearly: what is inside of them can be anything."""
    schema = resolved(schema)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if several := choices(schema):
        return st.one_of([fitting(one, depth) for one in several])
    kind = schema.get("type")
    if kind == "object" and depth < 5:
        return table(schema, depth)
    if kind == "array":
        inner = value(schema.get("items", {}), depth + 1)
        return st.lists(inner, min_size=schema.get("minItems", 0), max_size=4)
    return single_fitting(schema, kind)


def single_fitting(schema: Any, kind: str | None) -> st.SearchStrategy[Any]:
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1))
        most = schema.get("maximum", least + 1_000)
        return st.integers(least, most) if kind == "integer" else st.floats(least, most)
    if kind == "boolean":
        return st.booleans()
    if schema.get("format") == "date":
        return st.dates()
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
    return st.sampled_from(ODD_TEXTS) | st.text(max_size=8)


def table(schema: Any, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    known = {
        key: st.deferred(lambda inner=inner: value(inner, depth + 1))
        for key, inner in schema.get("properties", {}).items()
    }
    required = set(schema.get("required", ()))
    own = st.fixed_dictionaries(
        {key: known[key] for key in required},
        optional={key: known[key] for key in known.keys() - required},
    )
    if inner := named_values(schema):
        named = st.dictionaries(names, value(inner[0], depth + 1), max_size=2)
        return st.builds(lambda one, other: one | other, named, own)
    return own


@cache
def _of(text: str, depth: int) -> st.SearchStrategy[Any]:
    return st.integers(0, 59).flatmap(
        lambda lot: anything if lot == 0 else fitting(json.loads(text), depth)
    )


def value(schema: Any, depth: int) -> st.SearchStrategy[Any]:
    """One in sixty is anything; others fit."""
    return _of(json.dumps(schema, sort_keys=True), depth)


SECTIONS = {key: value(inner, 1) for key, inner in SCHEMA["properties"].items()}
some_sections = st.lists(st.sampled_from(sorted(SECTIONS)), max_size=3, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: SECTIONS[key] for key in keys})
)


def as_toml(value: Any) -> str:
    """A value in TOML, tables in braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return value.isoformat() if isinstance(value, date | time) else repr(value)


def merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    return base | {key: merged(base.get(key), inner) for key, inner in change.items()}


def assert_loads_or_is_refused(file: Path) -> None:
    """Anything but settings, or a line for each problem, is an error."""
    try:
        found = load_settings(file)
    except UserError as error:
        problems = error.problems
    else:
        assert isinstance(found, Settings)
        return
    assert problems
    assert all(line.startswith(f"{file}: ") and len(line) > 20 for line in problems)


QUICKLY = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@QUICKLY
@given(sections=some_sections, is_added=st.booleans())
def test_any_tree_of_values_is_a_configuration_or_is_refused(tmp_path, sections, is_added):
    tree = merged(tomllib.loads(BASE), sections) if is_added else sections
    text = "".join(f"{as_toml(key)} = {as_toml(inner)}\n" for key, inner in tree.items())
    file = tmp_path / "shop.toml"
    file.write_text(text, encoding="utf-8", newline="")
    assert_loads_or_is_refused(file)


@QUICKLY
@given(content=st.binary(max_size=40) | st.text(max_size=60).map(str.encode))
def test_any_file_is_a_configuration_or_is_refused(tmp_path, content):
    file = tmp_path / "shop.toml"
    file.write_bytes(content)
    assert_loads_or_is_refused(file)
