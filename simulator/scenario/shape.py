"""A shape: a made course over time, for tests and teaching."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from .block import Block, Number, Positive, Variant


class Sine(Block):
    """mean + amplitude cos(2 pi (h - peak_h) / period_h), h = hours since 00:00 UTC; its mean over each slot."""

    mean: Number
    amplitude: Number
    peak_h: Number = 0.0
    period_h: Positive = 24.0


class Steps(Block):
    """Values that follow each other every `every_h` hours from the start of the run, over and over."""

    values: Annotated[tuple[Number, ...], Field(min_length=1)]
    every_h: Annotated[Number, Field(ge=1e-3)] = 1.0


class Shape(Variant):
    """A number, a sine, steps, or one of these for each site."""

    bare: ClassVar[str] = "constant"

    constant: Number | None = None
    sine: Sine | None = None
    steps: Steps | None = None
    per_site: dict[str, Shape] | None = None

    @model_validator(mode="before")
    @classmethod
    def _number(cls, data: Any) -> Any:
        return {"constant": data} if isinstance(data, int | float) and not isinstance(data, bool) else data
