"""FairOBD: online equity that minds what moving load costs (Li, Han, Wierman, Ren, NeurIPS 2025, arXiv 2512.11131)."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from policies.closeness import Closeness
from policies.current import Current
from policies.online_equity import OnlineEquity, Step
from policies.switching import SwitchingDispatch, boots_of
from policies.weights import Norm, OwnWeights, checked_weight
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split
from simulator.policy import Observation
from simulator.site_weights import SiteWeights
from simulator.units import KG_PER_T, L_PER_M3

Mirror = Literal["entropic", "euclidean"]


class FairDescent(OnlineEquity):
    """Cost plus equity prices by mirror descent, plus what turning servers on costs where load rises.

    Servers that are turned on cost the energy of their boots: its price, and its carbon and water at the prices of
    equity; or ``switching_usd_per_server``.
    """

    def __init__(
        self,
        step: Step = "adaptive",
        mirror: Mirror = "entropic",
        switching_usd_per_server: float | None = None,
        switching_weight: float = 1.0,
        utilisation: float = 0.7,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        if mirror not in get_args(Mirror):
            raise ValueError(f"mirror must be one of {', '.join(get_args(Mirror))} (given {mirror})")
        if not 0 < utilisation <= 1:
            raise ValueError(f"utilisation must be above 0 and at most 1 (given {utilisation})")
        if switching_usd_per_server is not None:
            checked_weight("switching_usd_per_server", switching_usd_per_server)
        self.steps = mirror
        self.switching_usd_per_server = switching_usd_per_server
        self.switching_weight = checked_weight("switching_weight", switching_weight)
        self.utilisation = utilisation
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        super().__init__(step, OwnWeights(*weights), None, None, Closeness(rtt_usd_per_request_s, network_p99_ms))

    def start(self, fleet: Fleet) -> None:
        """Forget all prices, and what was planned last."""
        super().start(fleet)
        self._boots = boots_of(fleet, self.utilisation)
        self._switching = Current(lambda known: SwitchingDispatch(known, self.closeness))
        # Whatever the first slot needs has to be turned on anywhere.
        self._last_rps: FloatArray = np.full(len(fleet.sites), np.inf)

    def _routed(self, observation: Observation, price: FloatArray) -> Split:
        """Fill sites in the order of price, with what turning servers on costs beyond what each was to serve last."""
        fleet = observation.fleet
        usd_per_rps = self._usd_per_server(observation) * self._boots.servers_per_rps
        rise = self.switching_weight * usd_per_rps / fleet.slot_s
        split = self._switching.of(fleet).split(price, rise, self._last_rps, observation.demand_rps)
        self._last_rps = observation.demand_rps @ split.shares
        return split

    def _usd_per_server(self, observation: Observation) -> FloatArray:
        """What it costs to turn a server on, [sites]."""
        if self.switching_usd_per_server is not None:
            return np.full(len(observation.pue), self.switching_usd_per_server)
        it_kwh = self._boots.it_kwh
        meter_kwh = it_kwh * observation.pue
        carbon_t = observation.carbon_kg_per_kwh * meter_kwh / KG_PER_T
        water_m3 = observation.water_l_per_kwh * it_kwh / L_PER_M3
        equity_usd = self._equity_usd(self._burden(carbon_t, water_m3))
        # Where energy costs less than nothing, turning servers on is not worth anything for itself.
        return np.maximum(observation.price_usd_per_kwh * meter_kwh + equity_usd, 0.0)
