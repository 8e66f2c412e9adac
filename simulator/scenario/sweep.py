"""A sweep: which keys of a scenario are varied, over which values and seeds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from .block import Block, shown, wrong

Seed = Annotated[int, Field(ge=0, lt=2**64)]
#: More points than this are a mistake.
MOST_POINTS = 100_000

Values = Annotated[tuple[Any, ...], Field(min_length=1)]


class Sweep(Block):
    """A grid (`vary`) or a list (`points`) of variations, each on every seed. Keys are dotted, as for `--set`."""

    vary: dict[str, Values] | None = None
    """Dotted keys and the values of each; every combination is a point."""
    points: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)] | None = None
    """Dotted keys and a value of each, for every point."""
    seeds: Annotated[int, Field(ge=1, le=MOST_POINTS)] | Annotated[tuple[Seed, ...], Field(min_length=1)] = 1
    """How many seeds, counted from the scenario's own, or a list of them."""
    against: str | None = None
    """The policy that others are held against, seed by seed; the first one unless given."""

    @model_validator(mode="after")
    def _one_way(self) -> Sweep:
        if self.vary is not None and self.points is not None:
            raise wrong("give vary (every combination) or points (a list), not both")
        return self

    @field_validator("seeds", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """One sentence for all that is wrong; of two kinds that a key may have, each would say its own."""
        listed = value if isinstance(value, list | tuple) else ()
        if any(isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64 for seed in listed):
            raise wrong(f"seeds are whole numbers, at least 0 (given {', '.join(map(shown, listed))})")
        if len(set(listed)) < len(listed):
            raise wrong("the same seed is listed twice")
        is_count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_POINTS
        if not listed and not is_count:
            what = f"a number of seeds from 1 to {MOST_POINTS:,}, or a list of them, is needed"
            raise wrong(f"{what} (given {shown(value)})")
        return value

    def seeds_from(self, first: int) -> tuple[int, ...]:
        """The seeds themselves."""
        return self.seeds if isinstance(self.seeds, tuple) else tuple(range(first, first + self.seeds))
