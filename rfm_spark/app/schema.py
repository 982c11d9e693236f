"""The configuration as a JSON schema: what editors complete and check it by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, NoDefault
from pydantic_core import core_schema

from rfm_spark.app.settings import SETTINGS_MODEL

_TITLE = "Configuration of rfm-spark"
_DESCRIPTION = (
    "The whole configuration of one warehouse. A file that fits can still be refused: "
    "`rfm-spark check` also looks at what goes together, at time zones and at paths."
)
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


def configuration_schema(model: type[BaseModel] = SETTINGS_MODEL) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) that a configuration file fits, read as TOML.

    Dates are text of the format `date`. Every section is a definition under `$defs`, and a key that
    has no description of its own has that of the section it leads to.

    Args:
        model: what the file is read as.

    Returns:
        The schema, made of what JSON can hold.
    """
    schema = model.model_json_schema(schema_generator=_TomlSchema)
    definitions = schema.get("$defs", {})
    for section in (schema, *definitions.values()):
        for key in section.get("properties", {}).values():
            for name in _definitions_in(key):
                if "description" in definitions[name]:
                    key.setdefault("description", definitions[name]["description"])
    head = {"$schema": _TomlSchema.schema_dialect, "title": _TITLE, "description": _DESCRIPTION}
    return {**head, **schema, **head}  # twice: what people read first comes first, and wins


def definition_of(schema: Mapping[str, Any]) -> str:
    """The name of the definition that a schema refers to."""
    return str(schema["$ref"]).rpartition("/")[2]


def choices(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Schemas of which a value fits one."""
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def named_values(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stands under the names that a table leaves to whoever writes it."""
    free = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    return [one for one in free if isinstance(one, dict)]


def _definitions_in(schema: Mapping[str, Any]) -> Iterator[str]:
    """Names of the definitions of a key's value, its elements and its named tables."""
    if "$ref" in schema:
        yield definition_of(schema)
    elements = [schema["items"]] if "items" in schema else []
    for inner in (*choices(schema), *elements, *named_values(schema)):
        yield from _definitions_in(inner)


class _TomlSchema(GenerateJsonSchema):
    """Pydantic's schema, of what can be written in TOML, with every default."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """No title: it would be the key again, in capitals."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Without null, which TOML has not: such a key is left out."""
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """With names that miss the pattern refused, which pydantic's schema lets pass."""
        made = super().dict_schema(schema)
        if "patternProperties" in made:
            made.setdefault("additionalProperties", False)
        return made

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        """With what a factory makes, which pydantic leaves out; a default of None is none."""
        value = super().get_default_value(schema)
        if "default_factory" in schema and not schema.get("default_factory_takes_data"):
            value = schema["default_factory"]()  # type: ignore[call-arg]
        return NoDefault if value is None else value

    def encode_default(self, dft: Any) -> Any:
        """Of a section, only what its own keys do not say already."""
        return _ANYTHING.dump_python(dft, mode="json", exclude_defaults=True, exclude_none=True)
