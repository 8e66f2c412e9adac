"""The objective: what equity is worth, where a footprint weighs more, and how much the largest ones count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from simulator.norm import MAX, order_of
from simulator.site_weights import AWARE, checked_site_weights

from .block import Block, NotNegative, wrong


def _validated(check: Callable[[Any], Any]) -> PlainValidator:
    """A validator by a function that raises ValueError: words stay words, and numbers become decimal ones."""

    def validate(given: Any) -> Any:
        try:
            check(given)
        except ValueError as error:
            raise wrong(str(error)) from None
        if isinstance(given, str):
            return str(given)
        return {site: float(weight) for site, weight in given.items()} if isinstance(given, dict) else float(given)

    return PlainValidator(validate)


_MAPPING = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}
WaterSiteWeights = Annotated[
    str | dict[str, float],
    _validated(checked_site_weights),
    WithJsonSchema({"anyOf": [{"enum": [AWARE]}, _MAPPING]}),
]
CarbonSiteWeights = Annotated[
    dict[str, float],
    _validated(lambda given: checked_site_weights(given, has_word=False)),
    WithJsonSchema(_MAPPING),
]
Norm = Annotated[
    str | float, _validated(order_of), WithJsonSchema({"anyOf": [{"enum": [MAX]}, {"type": "number", "minimum": 1}]})
]


class Objective(Block):
    """J = total cost + water weight x the norm of the sites' water + carbon weight x the norm of their carbon."""

    water_weight_usd_per_m3: NotNegative = 60.0
    carbon_weight_usd_per_t: NotNegative = 1500.0
    water_site_weights: WaterSiteWeights | None = None
    """What a m3 weighs at each site beside the others, in the norm only: `aware`, the year's AWARE factors scaled to a
    mean of 1, or weights by site, 1 where none is given."""
    carbon_site_weights: CarbonSiteWeights | None = None
    """What a t of carbon weighs at each site beside the others, in the norm only: 1 where none is given."""
    norm: Norm = MAX
    """`max`: the largest site counts. A number q, at least 1: the q-norm over the sites, from their sum (1) on."""

    @property
    def weights(self) -> dict[str, float]:
        """The weights of the two footprints."""
        return {
            "water_weight_usd_per_m3": self.water_weight_usd_per_m3,
            "carbon_weight_usd_per_t": self.carbon_weight_usd_per_t,
        }
