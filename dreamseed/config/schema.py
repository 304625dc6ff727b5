"""The JSON Schema of a whole stack file, for editors: built from the models, so it cannot say anything else.

Rules between keys (a placement's sum, a range's order) are the models' alone; a schema cannot state them.
"""

from __future__ import annotations

import json
from typing import Any

from dreamseed.config.load import STAGE_KEY
from dreamseed.config.stage import StageConfig

SCHEMA_PATH = "docs/reference/stage.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SECURE: dict[str, Any] = {
    "type": "object",
    "description": "a secret, encrypted: pulumi config set --secret KEY",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def stack_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file `Pulumi.<stack>.yaml` of this project.

    Every section and key is optional, since a stage file is laid over what all stages share; entries of lists
    are complete, since a list replaces the shared one as a whole.
    """
    stage = StageConfig.model_json_schema()
    definitions: dict[str, Any] = stage.pop("$defs")
    whole = _list_entries(definitions)
    stage = _overlay(stage)
    config = {
        "type": "object",
        "description": "the stack's configuration; other namespaces than dreamseed are the providers'",
        "properties": {STAGE_KEY: stage},
        "required": [STAGE_KEY],
        "patternProperties": {f"^dreamseed:(?!{STAGE_KEY.partition(':')[2]}$)": _SECURE},
    }
    return {
        "$schema": _DIALECT,
        "title": "A growth stage of DreamSeed Infrastructure",
        "description": "Keys with x-immutable never change once a stage is up: the resource would be replaced.",
        "type": "object",
        "properties": {
            "secretsprovider": {"type": "string", "description": "what encrypts the secrets"},
            "encryptedkey": {"type": "string", "description": "the data key, encrypted by the secrets provider"},
            "encryptionsalt": {"type": "string", "description": "salt of the passphrase"},
            "environment": {"description": "Pulumi environments that the stack imports"},
            "config": config,
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": {name: _tidy(part) if name in whole else _overlay(part) for name, part in definitions.items()},
    }


def schema_text() -> str:
    """Return the schema as it stands in the file, byte for byte."""
    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


def _list_entries(definitions: dict[str, Any]) -> set[str]:
    """Return the names of the definitions that are entries of a list."""
    fields = (field for part in definitions.values() for field in part.get("properties", {}).values())
    references = (field["items"].get("$ref", "") for field in fields if "items" in field)
    return {reference.rpartition("/")[2] for reference in references if reference}


def _overlay(part: dict[str, Any]) -> dict[str, Any]:
    """Return `part` with every key optional."""
    return {key: value for key, value in _tidy(part).items() if key != "required"}


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    """Return `part` without generated titles and defaults, and with names of mappings checked."""
    tidy = {key: _tidy_value(key, value) for key, value in part.items() if key not in ("title", "default")}
    if "patternProperties" in tidy:
        tidy.pop("minProperties", None)  # the shared part may hold them
        tidy["additionalProperties"] = False
    return tidy


def _tidy_value(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties"):
        return {name: _tidy(field) for name, field in value.items()}
    if isinstance(value, dict):
        return _tidy(value)
    if isinstance(value, list):
        return [_tidy(entry) if isinstance(entry, dict) else entry for entry in value]
    return value
