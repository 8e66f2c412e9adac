"""Weights of a policy's objective: its own settings, else the scenario's."""

from __future__ import annotations

from simulator.fleet import Fleet, Objective


def checked_weight(name: str, value: float | None) -> float | None:
    """The weight, if it is one; else ValueError."""
    if value is not None and not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be finite and at least 0 (given {value})")
    return value


def own_objective(
    fleet: Fleet, water_weight_usd_per_m3: float | None, carbon_weight_usd_per_t: float | None
) -> Objective:
    """The objective of a policy that may have weights of its own."""
    water, carbon = fleet.objective
    return Objective(
        water if water_weight_usd_per_m3 is None else water_weight_usd_per_m3,
        carbon if carbon_weight_usd_per_t is None else carbon_weight_usd_per_t,
    )
