"""A choice: a policy by name, and the settings given to it."""

from __future__ import annotations

from typing import Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from .block import Block, shown, wrong


class PolicyChoice(Block):
    """A routing policy by name, with the settings given to it."""

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _word_or_one_key(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"name": data}
        if isinstance(data, PolicyChoice) or (isinstance(data, dict) and set(data) <= {"name", "settings"} and data):
            return data
        if not isinstance(data, dict) or len(data) != 1:
            raise wrong(f"a policy is a name, or a name with its settings (given {shown(data)})")
        (name, settings), *_ = data.items()
        if settings is None:
            settings = {}
        if not isinstance(settings, dict):
            raise wrong(f"the settings of {name} are a mapping (given {shown(settings)})")
        return {"name": name, "settings": settings}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = super().__get_pydantic_json_schema__(core_schema, handler)
        settings = {"additionalProperties": {"type": ["object", "null"]}, "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"type": "string"}, {"type": "object", **settings}, dict(block)]}
