#!/usr/bin/env bash
# pydantic 2.14.3: a dict whose keys must match a pattern becomes `patternProperties` without
# `additionalProperties: false`. The JSON schema then accepts keys that the model refuses, so an
# editor that checks a configuration by it does not tell.
#
# Seen: {"Purchase": ...} for keys of ^[a-z]+$ is refused by the model and accepted by its schema.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pydantic==2.14.3 jsonschema==4.26.0
"$folder/venv/bin/python" - <<'PYTHON'
from typing import Annotated

import jsonschema
from pydantic import BaseModel, Field, ValidationError

Name = Annotated[str, Field(pattern="^[a-z]+$")]


class Shop(BaseModel):
    profiles: dict[Name, int]


given = {"profiles": {"Purchase": 1}}
try:
    Shop.model_validate(given)
    model = "accepts"
except ValidationError:
    model = "refuses"
schema = Shop.model_json_schema()
accepted = jsonschema.Draft202012Validator(schema).is_valid(given)
print(f"the model {model} {given}; its schema {'accepts' if accepted else 'refuses'} it")
print(f"schema of the dict: {schema['properties']['profiles']}")
assert (model, accepted) == ("refuses", True), "this has changed"
PYTHON
