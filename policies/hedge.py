"""Hedge: the saddle point of J with multiplicative weights on the simplex of sites (Freund and Schapire, 1997)."""

from __future__ import annotations

from policies.closeness import Closeness
from policies.online_equity import OnlineEquity, Step
from policies.rule import Rule
from policies.weights import Norm, OwnWeights
from simulator.site_weights import SiteWeights


class Hedge(OnlineEquity):
    """Cost plus equity prices by multiplicative weights on the paper's objective."""

    steps = "entropic"

    def __init__(
        self,
        step: Step = 2.0e-4,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule | None = None,
        update_every: int | None = None,
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
        water_site_weights: SiteWeights | None = None,
        carbon_site_weights: SiteWeights | None = None,
        norm: Norm | None = None,
    ):
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t, water_site_weights, carbon_site_weights, norm
        closeness = Closeness(rtt_usd_per_request_s, network_p99_ms)
        super().__init__(step, OwnWeights(*weights), rule, update_every, closeness)
