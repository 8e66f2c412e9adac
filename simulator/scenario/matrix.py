"""A matrix of the user's: figures between origins and sites."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import model_validator

from .block import Block, InputFile


class MatrixFile(Block):
    """A CSV file with a row for each origin and a column for each site."""

    bare: ClassVar[str] = "file"

    file: InputFile

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data
