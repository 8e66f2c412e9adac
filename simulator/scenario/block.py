"""A block: the frozen model every part of a scenario is made of, and the scalar types with units.

A *variant* is a block of which exactly one key is given: ``signals: {paper: {path: DIR}}``. A variant
that needs no settings may be written as one word: ``allowed: full``.
"""

from __future__ import annotations

import ast
import inspect
import math
import os
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError

from simulator.problem import did_you_mean, did_you_mean_file


class Block(BaseModel):
    """A frozen part of a scenario. Unknown keys are refused; numbers are not made from text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    #: The field whose value may be written alone in place of the block; the JSON Schema says so.
    bare: ClassVar[str] = ""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = _described(cls, handler.resolve_ref_schema(handler(core_schema)))
        if not cls.bare:
            return block
        alone = block["properties"][cls.bare]
        return {"anyOf": [alone["anyOf"][0] if "anyOf" in alone else alone, dict(block)]}


def _described(cls: type[Block], schema: dict[str, Any]) -> dict[str, Any]:
    """A block's JSON Schema with what the texts below its keys say.

    Pydantic could do this, but reads all the source each time that classes are made: an eighth of a quick command.
    """
    for kind in reversed(cls.__mro__):
        if issubclass(kind, Block):
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
            assert isinstance(body, ast.ClassDef)
            for key, text in pairwise(body.body):
                if isinstance(key, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(key.target, ast.Name):
                    field = cls.model_fields[key.target.id]
                    described = schema["properties"][field.alias or key.target.id]
                    described["description"] = inspect.cleandoc(ast.literal_eval(text.value))
    return schema


class Variant(Block):
    """A block of which exactly one key is given."""

    @classmethod
    def choices(cls) -> dict[str, FieldInfo]:
        """The keys of which exactly one is given, as they are written."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    @model_validator(mode="before")
    @classmethod
    def _one_key(cls, data: Any) -> Any:
        return cls._by_key(data)

    @classmethod
    def _by_key(cls, data: Any) -> Any:
        """What is given as a mapping with one key, or a word, as a mapping of blocks."""
        known = list(cls.choices())
        if isinstance(data, str):
            if data not in known:
                raise wrong(f"unknown choice '{data}'{did_you_mean(data, known)}")
            return {str(data): cls._settings(data, None)}
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            raise wrong(f"one of {', '.join(known)} is needed (given {shown(data)})")
        unknown = [key for key in data if key not in known]
        if len(data) != 1 and not unknown:
            given = ", ".join(str(key) for key in data) or "none"
            raise wrong(f"exactly one of {', '.join(known)} is needed (given {given})")
        return {key: cls._settings(key, value) for key, value in data.items()}

    @classmethod
    def _settings(cls, key: str, value: Any) -> Any:
        """What stands under a key; nothing (``full:``) means a block without settings, if the key holds a block."""
        if value is not None:
            return value
        for name, field in cls.model_fields.items():
            if key in (name, field.alias) and not _blocks(field.annotation):
                raise wrong(f"{key} needs a value: {{{key}: ...}}")
        return {}

    @property
    def chosen(self) -> str:
        """The name of the field that was given."""
        return next(iter(self.model_fields_set))

    @property
    def choice(self) -> Any:
        """The block under the key that was given."""
        return getattr(self, self.chosen)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = _described(cls, handler.resolve_ref_schema(handler(core_schema)))
        block.update(minProperties=1, maxProperties=1)
        block.pop("required", None)
        for key in block.get("properties", {}).values():
            key.pop("default", None)
        words = [name for name, field in cls.choices().items() if _needs_no_settings(field.annotation)]
        ways = [{"enum": words}] if words else []
        if cls.bare:
            ways.append(block["properties"][cls.bare]["anyOf"][0])
        return {"anyOf": [*ways, dict(block)]} if ways else block


def _needs_no_settings(annotation: Any) -> bool:
    return any(not any(field.is_required() for field in block.model_fields.values()) for block in _blocks(annotation))


def _blocks(annotation: Any) -> list[type[Block]]:
    kinds = getattr(annotation, "__args__", (annotation,))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Block)]


def wrong(what: str) -> PydanticCustomError:
    """An error for a validator to raise: ``what`` is the whole sentence."""
    return PydanticCustomError("input", "{what}", {"what": what})


def shown(value: Any) -> str:
    """A value as it is quoted in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


#: Sizes of numbers that a product of several cannot carry out of floating point; no quantity comes near them.
SMALLEST, LARGEST = 1e-30, 1e30


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise wrong(f"a finite number is needed (given {value})")
    if abs(value) > LARGEST:
        raise wrong(f"no quantity is that large (given {value:g})")
    return value


def _not_tiny(value: float) -> float:
    """What must be above zero may stand below a fraction's line."""
    if 0 < value < SMALLEST:
        raise wrong(f"no quantity is that small (given {value:g})")
    return value


def _utc(value: Any) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong(f"a time such as 2022-09-22T00:00:00Z is needed (given {shown(value)})") from None
    if time.tzinfo is None:
        raise wrong(f"say the time zone, such as {time.isoformat()}Z")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise wrong(f"the time is out of the calendar's range (given {shown(value)})") from None


def _input_path(value: Any) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise wrong(f"a path is needed (given {shown(value)})")
    folder = getattr(value, "folder", None) or Path.cwd()
    try:
        if "\0" in value:
            raise wrong(f"a path cannot hold the character U+0000 (given {shown(value)})")
        path = Path(os.path.normpath(Path(folder) / Path(value).expanduser()))
        path.exists()  # raises where the system cannot even look: names that are too long, folders that are closed
        return path
    except OSError as error:
        raise wrong(f"{shown(value)} cannot be read: {error.strerror}") from None
    except RuntimeError:
        raise wrong(f"there is no such home folder (given {shown(value)})") from None


def _existing_file(path: Path) -> Path:
    if path.is_dir():
        raise wrong(f"{path} is a folder, a file is needed")
    if not path.exists():
        raise wrong(f"there is no file {path}{did_you_mean_file(path)}")
    return path


Number = Annotated[float, AfterValidator(_finite)]
Positive = Annotated[Number, AfterValidator(_not_tiny), Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Fraction = Annotated[Number, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10**9)]
UtcTime = Annotated[
    datetime,
    BeforeValidator(_utc),
    PlainSerializer(lambda time: time.isoformat().replace("+00:00", "Z"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
#: A path that counts from the folder of the file it is written in; need not exist.
InputPath = Annotated[
    Path,
    BeforeValidator(_input_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
#: A file that must exist.
InputFile = Annotated[InputPath, AfterValidator(_existing_file)]
