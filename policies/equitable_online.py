"""eGLB: equity-aware online routing by dual mirror descent (arXiv 2412.16539)."""

from __future__ import annotations

from policies.online_equity import OnlineEquity
from policies.rule import Rule


class EquitableOnline(OnlineEquity):
    """Cost plus equity prices by dual mirror descent on the paper's objective."""

    steps = "euclidean"

    def __init__(
        self,
        step: float = 5.0e-5,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule | None = None,
        update_every: int | None = None,
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        weights = water_weight_usd_per_m3, carbon_weight_usd_per_t
        super().__init__(step, *weights, rule, update_every, rtt_usd_per_request_s, network_p99_ms)
