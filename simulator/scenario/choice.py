"""A choice: something with a name of ours, or a user's own as ``module:Class``, and the settings given to it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from .block import Block, shown, wrong


class Choice(Block):
    """A name, or a mapping from the name to its settings."""

    #: What is chosen, for messages.
    noun: ClassVar[str] = "choice"

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _word_or_one_key(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"name": data}
        if isinstance(data, cls) or (isinstance(data, dict) and set(data) <= set(cls.model_fields) and data):
            return data
        if not isinstance(data, dict) or len(data) != 1:
            raise wrong(f"a {cls.noun} is a name, or a name with its settings (given {shown(data)})")
        (name, settings), *_ = data.items()
        if settings is None:
            settings = {}
        if not isinstance(settings, dict):
            raise wrong(f"the settings of {name} are a mapping (given {shown(settings)})")
        return cls._parts(name, settings)

    @classmethod
    def _parts(cls, name: str, settings: dict[str, Any]) -> dict[str, Any]:
        """The fields that a name and what stands under it make."""
        return {"name": name, "settings": settings}

    @property
    def given(self) -> dict[str, Any]:
        """What stands under the name."""
        return dict(self.settings)

    def __str__(self) -> str:
        """The name, and what stands under it in brackets."""
        given = ",".join(f"{key}={value}" for key, value in self.given.items())
        return f"{self.name}({given})" if given else self.name

    @model_serializer
    def _as_written(self) -> Any:
        return {self.name: self.given} if self.given else self.name

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = super().__get_pydantic_json_schema__(core_schema, handler)
        settings = {"additionalProperties": {"type": ["object", "null"]}, "minProperties": 1, "maxProperties": 1}
        return {"anyOf": [{"type": "string"}, {"type": "object", **settings}, dict(block)]}


class ProvisioningChoice(Choice):
    """A provisioning policy by name, with the settings given to it."""

    noun: ClassVar[str] = "provisioning policy"


class PolicyChoice(Choice):
    """A routing policy by name, with the settings given to it; the key ``provisioning`` among them is not for it."""

    noun: ClassVar[str] = "policy"

    provisioning: ProvisioningChoice | None = None
    """How many servers are on in the run of this policy; as the scenario says unless given."""

    @classmethod
    def _parts(cls, name: str, settings: dict[str, Any]) -> dict[str, Any]:
        own = dict(settings)
        return {"name": name, "provisioning": own.pop("provisioning", None), "settings": own}

    @property
    def given(self) -> dict[str, Any]:
        """What stands under the name."""
        return dict(self.settings) | ({} if self.provisioning is None else {"provisioning": self.provisioning})


class ControlChoice(Choice):
    """A battery control by name, with the settings given to it."""

    noun: ClassVar[str] = "control"
