"""Servers: how many a site has, what one of them runs at once and what it draws."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .block import Block, Count, NotNegative, Positive, wrong


class Servers(Block):
    """The servers of a site (all of one type, all on)."""

    count: Count
    concurrency: Annotated[Count, Field(le=100_000)] = 1
    """Requests that one server runs at once: its places."""
    peak_w: Positive
    idle_w: NotNegative = 0.0
    power: Literal["proportional", "linear"] = "linear"
    """`linear`: idle_w + (peak_w - idle_w) x share of busy places. `proportional`: the paper's, no idle draw, PUE 1."""
    queue_limit: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """Requests that may wait at the site; a further one is rejected. Not scaled with the fleet."""

    @model_validator(mode="after")
    def _power_makes_sense(self) -> Servers:
        if self.idle_w >= self.peak_w:
            raise wrong(f"idle_w must be below peak_w (given {self.idle_w} and {self.peak_w})")
        if self.power == "proportional" and self.idle_w > 0:
            raise wrong("power: proportional draws nothing when idle; leave idle_w out or say power: linear")
        return self
