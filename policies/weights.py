"""Weights of a policy's objective: its own settings, else the scenario's."""

from __future__ import annotations

from typing import NamedTuple

from simulator.fleet import Fleet, Objective


def checked_weight(name: str, value: float) -> float:
    """The weight, if it is one; else ValueError."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be finite and at least 0 (given {value})")
    return value


class OwnWeights(NamedTuple):
    """Weights that a policy's settings give it; None follows the scenario."""

    water_weight_usd_per_m3: float | None
    carbon_weight_usd_per_t: float | None

    def checked(self) -> OwnWeights:
        """These weights, if they are; else ValueError."""
        for name, value in self._asdict().items():
            if value is not None:
                checked_weight(name, value)
        return self

    def objective(self, fleet: Fleet) -> Objective:
        """The objective that follows."""
        water, carbon = fleet.objective
        own_water, own_carbon = self
        return Objective(water if own_water is None else own_water, carbon if own_carbon is None else own_carbon)
