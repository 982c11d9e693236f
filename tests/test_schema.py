"""The JSON schema of the configuration, and the reference that is made from it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from conftest import ROOT
from jsonschema import Draft202012Validator
from pydantic import Field, create_model

from rfm_spark.app.reference import reference_text
from rfm_spark.app.schema import configuration_schema
from rfm_spark.app.settings import SETTINGS_MODEL
from rfm_spark.settings.section import Name, Section
from rfm_spark.settings.shop import Business

SCHEMA = configuration_schema()
EXAMPLES = sorted((ROOT / "conf").glob("*.toml"))

SHOP = """
[business]
time_zone = "Europe/London"
earliest_date = 2001-01-01

[receipts]
path = "receipts.csv"
format = "csv"
grain = "receipt"

[receipts.columns]
customer_id = "customer"
time = "time"
amount = "amount"

[rfm.purchase]
window_days = "all"

[[rfm.purchase.segments]]
name = "Everybody"
action = "Greet them"
first_visit = "inside"
"""


def problems(text: str) -> list[str]:
    """What does not fit, each with the keys that lead to it."""
    written = as_json(tomllib.loads(text))
    return [
        f"{'.'.join(str(step) for step in error.absolute_path)}: {error.validator}"
        for found in Draft202012Validator(SCHEMA).iter_errors(written)
        # Of one section, or several by name, what is wrong with either is told.
        for error in (found.context if found.validator == "oneOf" else [found])
    ]


def as_json(value: Any) -> Any:
    """As an editor hands TOML over: its dates are text."""
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of every section, with the name of the section's definition."""
    for section, definition in {"": schema, **schema["$defs"]}.items():
        for name, key in definition["properties"].items():
            yield f"{section}.{name}", key


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_fits(file: Any) -> None:
    assert problems(file.read_text(encoding="utf-8")) == []


def test_the_shop_of_these_tests_fits() -> None:
    assert problems(SHOP) == []


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ('time_zone = "Europe/London"', "", "business: required"),
        ("[receipts.columns]", "[receipts.columms]", "receipts: additionalProperties"),
        ("[rfm.purchase]", "[rmf.purchase]", ": additionalProperties"),
        ('amount = "amount"', "colour = 'red'", "receipts.columns: additionalProperties"),
        ("2001-01-01", "2001", "business.earliest_date: type"),
        ('"receipts.csv"', "7", "receipts.path: type"),
        ('format = "csv"', 'format = "xlsx"', "receipts.format: enum"),
        ('"all"', '"some"', "rfm.purchase.window_days: anyOf"),
        ('"all"', "0", "rfm.purchase.window_days: anyOf"),
        ("rfm.purchase", "rfm.Purchase", "rfm: additionalProperties"),
        ('action = "Greet them"', "", "rfm.purchase.segments.0: required"),
        ('"inside"', '"outside"', "rfm.purchase.segments.0.first_visit: enum"),
    ],
)
def test_a_mistake_does_not_fit(right: str, wrong: str, problem: str) -> None:
    assert right in SHOP
    assert problem in problems(SHOP.replace(right, wrong))


def test_every_key_has_a_description() -> None:
    assert [name for name, key in keys(SCHEMA) if not key.get("description")] == []


def test_every_section_has_a_description() -> None:
    told = {name: section.get("description") for name, section in SCHEMA["$defs"].items()}
    assert [name for name, text in told.items() if not text] == []


def test_every_default_is_told() -> None:
    told = SCHEMA["$defs"]["Business"]["properties"]
    defaults = Business(time_zone="UTC").model_dump(mode="json", exclude={"time_zone"})
    assert {name: told[name]["default"] for name in defaults} == defaults


def test_the_default_of_a_section_says_only_what_its_keys_do_not() -> None:
    profile = SCHEMA["$defs"]["Profile"]["properties"]
    assert SCHEMA["properties"]["rfm"]["default"] == {"purchase": {}}
    assert profile["frequency"]["default"] == {"method": "balanced"}


def test_nothing_is_null_because_toml_has_no_null() -> None:
    assert '"null"' not in json.dumps(SCHEMA)
    assert [name for name, key in keys(SCHEMA) if key.get("default", "") is None] == []


def test_a_section_that_a_result_brings_is_in_the_reference() -> None:
    station = create_model(
        "Station", __base__=Section, __doc__="Where it is measured.", height=(float, Field())
    )
    reading = create_model(
        "Reading",
        __base__=Section,
        __doc__="One look at the sky.",
        sky=(str, Field(default="a|b", description="its colour")),
    )
    weather = create_model(
        "Weather",
        __base__=Section,
        __doc__="How warm it was.",
        since=(date | None, Field(default=date(2020, 2, 29), description="the first day")),
        stations=(dict[Name, station], Field(default_factory=dict)),
        readings=(list[reading] | None, None),
        nearest=(station | None, None),
    )
    model = create_model("Settings", __base__=SETTINGS_MODEL, weather=(weather, weather()))
    text = reference_text(configuration_schema(model))
    assert text.endswith("""\
## `[weather]`

How warm it was.

| key | type | default | meaning |
| --- | --- | --- | --- |
| since | date | `2020-02-29` | the first day |
| stations | sections [`[weather.stations.<name>]`](#weatherstationsname) | none | \
Where it is measured. |
| readings | sections [`[[weather.readings]]`](#weatherreadings) | none | One look at the sky. |
| nearest | section `[weather.nearest]`, as \
[`[weather.stations.<name>]`](#weatherstationsname) | none | Where it is measured. |

## `[weather.stations.<name>]`

Where it is measured. The same for `[weather.nearest]`.

| key | type | default | meaning |
| --- | --- | --- | --- |
| height | number |  |  |

## `[[weather.readings]]`

One look at the sky.

| key | type | default | meaning |
| --- | --- | --- | --- |
| sky | text | `"a\\|b"` | its colour |
""")
    assert "| weather | section [`[weather]`](#weather) | those of its keys |" in text


def test_every_key_of_the_schema_is_in_the_reference() -> None:
    text = reference_text(SCHEMA)
    missing = [name for name, _ in keys(SCHEMA) if f"\n| {name.rpartition('.')[2]} |" not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ({"type": "integer", "default": 0}, "| key | whole number | `0` |  |"),
        ({"type": "boolean", "default": False}, "| key | true or false | `false` |  |"),
        ({"enum": ["a", "b"]}, '| key | "a", "b" | none |  |'),
        ({"$ref": "#/$defs/Choice"}, '| key | "x", "y" | none |  |'),
        ({"anyOf": [{"type": "integer"}, {"const": "all"}]}, '| key | whole number or "all" |'),
        ({"type": "array", "items": {"type": "string"}}, "| key | list of text | none |  |"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "| table of number |"),
        ({"type": "object", "default": {"a": {}}}, "| table | `{ a = {} }` |"),
        ({}, "| key | anything | none |  |"),
    ],
)
def test_a_key_is_told_in_words(key: dict[str, Any], row: str) -> None:
    choice = {"enum": ["x", "y"]}
    assert row in reference_text({"properties": {"key": key}, "$defs": {"Choice": choice}})
