"""Weights of a policy's objective: its own settings, else the scenario's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from simulator.fleet import Fleet, FloatArray
from simulator.norm import order_of
from simulator.objective import Objective
from simulator.site_weights import SiteWeights, checked_site_weights, site_weights, unknown_sites

#: The order of a norm, as users write it.
Norm = str | float


def checked_weight(name: str, value: float) -> float:
    """The weight, if it is one; else ValueError."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be finite and at least 0 (given {value})")
    return value


class OwnWeights(NamedTuple):
    """What a policy's settings say of its objective; None follows the scenario."""

    water_weight_usd_per_m3: float | None = None
    carbon_weight_usd_per_t: float | None = None
    water_site_weights: SiteWeights | None = None
    carbon_site_weights: SiteWeights | None = None
    norm: Norm | None = None

    def checked(self) -> OwnWeights:
        """These weights, if they are; else ValueError."""
        for name, check in _CHECKS.items():
            if (given := getattr(self, name)) is not None:
                check(name, given)
        return self

    def objective(self, fleet: Fleet) -> Objective:
        """The objective that follows; ValueError where weights name a site that the fleet does not have."""
        own, scenarios = self, fleet.objective
        return Objective(
            scenarios.water_weight_usd_per_m3 if own.water_weight_usd_per_m3 is None else own.water_weight_usd_per_m3,
            scenarios.carbon_weight_usd_per_t if own.carbon_weight_usd_per_t is None else own.carbon_weight_usd_per_t,
            _of_sites("water_site_weights", own.water_site_weights, scenarios.water_site_weights, fleet),
            _of_sites("carbon_site_weights", own.carbon_site_weights, scenarios.carbon_site_weights, fleet),
            scenarios.norm if own.norm is None else order_of(own.norm),
        )


def _of_sites(name: str, own: SiteWeights | None, scenarios: FloatArray, fleet: Fleet) -> FloatArray:
    if own is None:
        return scenarios
    for what in unknown_sites(own, (*fleet.sites, *fleet.lost)).values():
        raise ValueError(f"{name}: {what}")
    return site_weights(own, fleet.sites, fleet.scarcity)


def _checked(check: Callable[[Any], Any]) -> Callable[[str, Any], None]:
    """A check that says the name of what it is not content with."""

    def named(name: str, given: Any) -> None:
        try:
            check(given)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None

    return named


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "water_weight_usd_per_m3": checked_weight,
    "carbon_weight_usd_per_t": checked_weight,
    "water_site_weights": _checked(checked_site_weights),
    "carbon_site_weights": _checked(lambda given: checked_site_weights(given, has_word=False)),
    "norm": _checked(order_of),
}
