"""Writing: a resolved scenario as YAML, and the JSON Schema of scenarios."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from .scalar import Text, plain_scalar
from .scenario import Scenario


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.2 would read as something else."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    value = str(value)
    try:
        plain = isinstance(plain_scalar(value, Path()), Text)
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_multi_representer(str, _text)


def to_data(scenario: Scenario) -> dict[str, Any]:
    """A scenario as plain data, every default filled in."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_none=True)


def to_yaml(scenario: Scenario) -> str:
    """A scenario as YAML that reads back as the same scenario."""
    return yaml.dump(to_data(scenario), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def schema() -> dict[str, Any]:
    """The JSON Schema of scenario files, for editors."""
    made: dict[str, Any] = _bounded(Scenario.model_json_schema(by_alias=True))
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "equifleet scenario"
    return made


_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _bounded(part: Any) -> Any:
    """A schema with bounds by their names in JSON Schema; pydantic leaves those of checked numbers as they are."""
    if isinstance(part, dict):
        return {_BOUNDS.get(key, key): _bounded(value) for key, value in part.items()}
    return [_bounded(item) for item in part] if isinstance(part, list) else part


def schema_text() -> str:
    """The JSON Schema as the text that is committed."""
    return json.dumps(schema(), indent=2) + "\n"
