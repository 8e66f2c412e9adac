"""A shift: from a moment on the world is another one, for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from .block import LARGEST, SMALLEST, Block, Number, shown, wrong

#: What may change.
SHIFTED = ("demand", "price", "carbon", "water")


def _factors(given: Any) -> Any:
    """What is given, if it is a factor or a mapping of names to factors."""
    values = given.values() if isinstance(given, Mapping) else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not SMALLEST <= value <= LARGEST:
            raise wrong(f"a factor above 0, or a mapping of names to factors, is needed (given {shown(value)})")
    if isinstance(given, Mapping):
        return {name: float(value) for name, value in given.items()}
    return float(given)


_FACTOR: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
Factors = Annotated[
    float | dict[str, float],
    PlainValidator(_factors),
    WithJsonSchema({"anyOf": [_FACTOR, {"type": "object", "additionalProperties": _FACTOR}]}),
]


class Shift(Block):
    """From a moment on demand and signals are so many times what they would be, until the run ends."""

    at_share: Annotated[Number, Field(ge=0, lt=1)] = 0.5
    """When: after this share of the slots."""
    demand: Factors = 1.0
    """A factor for all origins, or by origin."""
    price: Factors = 1.0
    """A factor for all sites, or by site; likewise carbon and water."""
    carbon: Factors = 1.0
    water: Factors = 1.0

    def is_plain(self, quantity: str) -> bool:
        """Whether a quantity stays as it is."""
        factors = getattr(self, quantity)
        return all(factor == 1 for factor in (factors.values() if isinstance(factors, Mapping) else [factors]))
