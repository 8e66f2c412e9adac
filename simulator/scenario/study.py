"""A study: a question that many runs answer, and how thoroughly."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.units import H_PER_DAY, S_PER_H, S_PER_MIN

from .block import Block, Fraction, NotNegative, Number, Positive, Variant
from .constraints import Allowed
from .forecast import ATTACKS, Attack

Share = Annotated[Number, Field(ge=0, le=1)]
Repeats = Annotated[int, Field(ge=1, le=1000)]
Steps = Annotated[int, Field(ge=2, le=100)]


class LatencyStudy(Block):
    """What equity costs in latency: `eglb-off` with equity weights from nothing to where nothing changes any more."""

    allowed: Annotated[tuple[Allowed, ...], Field(min_length=1)] | None = None
    """Constraints to compare; full GLB and one of partial GLB unless given."""
    weights: Steps = 7
    """How many multiples of the objective's weights, besides none and the weights themselves; found by themselves."""
    multiples: Annotated[tuple[NotNegative, ...], Field(min_length=1)] | None = None
    """The multiples themselves, in place of those that would be found."""
    rtt_usd_per_request_s: tuple[Positive, ...] | None = None
    """Prices of round-trip time for equity that minds latency; one that weighs as much as energy unless given."""
    network_p99_ms: tuple[Positive, ...] = ()
    """Bounds on round trips for equity that minds latency."""
    seeds: Repeats = 5


class PartialStudy(Block):
    """Where partial GLB breaks: from full GLB to local only, and other stresses, until something cannot be carried."""

    rtt_steps: Steps = 8
    """Bounds on the round-trip time, from none to the tightest."""
    densities: Annotated[tuple[Share, ...], Field(min_length=2)] = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
    """Shares of the allowed pairs that random masks keep."""
    mask_seeds: Repeats = 5
    """Random masks at each density."""
    losses: Annotated[int, Field(ge=0, le=3)] = 2
    """How many sites are lost at once, at most."""
    growth_steps: Steps = 6
    """Factors on demand, up to a little beyond what can be carried."""
    growth_tolerance: Fraction = 0.001
    """How finely the breaking point of growth is told."""
    seeds: Repeats = 1


class RobustnessStudy(Block):
    """What policies are worth when forecasts are wrong, when they mislead, and when the world changes halfway."""

    errors: Annotated[tuple[NotNegative, ...], Field(min_length=1)] = (0.0, 0.1, 0.2, 0.4, 0.8)
    """Relative errors of forecasts of demand and all signals at 24 hours; 0, which is tried anyway, is the truth."""
    attacks: tuple[Attack, ...] = ATTACKS
    """Forecasts that mislead on purpose."""
    demand_jump: Positive = 1.2
    """Demand is so many times as large in the second half of the run as in the first, and in neither larger than the
    scenario's; 1: it is not tried."""
    price_jump: Positive = 3.0
    """Electricity costs so many times as much in the second half, in the half of the sites where it was cheapest; 1:
    it is not tried."""
    refresh_s: tuple[NotNegative, ...] = (S_PER_MIN, 10 * S_PER_MIN, S_PER_H, 6 * S_PER_H, H_PER_DAY * S_PER_H)
    """Ages of the prices by which each origin routes with decentralised `eglb`; none: it is not tried."""
    refresh_fleet_scale: Positive | None = None
    """`fleet_scale` of those runs, which are of single requests; that of the scenario unless given."""
    seeds: Repeats = 5


class Study(Variant):
    """The study that `run` performs."""

    latency: LatencyStudy | None = None
    partial: PartialStudy | None = None
    robustness: RobustnessStudy | None = None
