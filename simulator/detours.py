"""Detours: how far requests go beyond the nearest site that they may use, and what is left of their time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.latency import Histogram


def nearest_share(routed: FloatArray, fleet: Fleet, origin: int | None = None) -> float:
    """Share of the requests routed [origins, sites] that went to their origin's nearest allowed site; NaN of none."""
    sent, nearest = _sent(routed, fleet, origin)
    total = float(sent.sum())
    return float(sent[np.arange(len(sent)), nearest].sum()) / total if total else float("nan")


def extra_rtt_s(routed: FloatArray, fleet: Fleet, origin: int | None = None) -> float:
    """Mean RTT of the requests routed less that to their origin's nearest allowed site [s]; NaN of none."""
    sent, nearest = _sent(routed, fleet, origin)
    rtt_s = fleet.rtt_s if origin is None else fleet.rtt_s[[origin]]
    total = float(sent.sum())
    extra = rtt_s - rtt_s[np.arange(len(rtt_s)), nearest][:, None]
    # Where nothing was sent the RTT may be that of a forbidden pair, closer than the nearest allowed one.
    return float((sent * extra)[sent > 0].sum()) / total if total else float("nan")


def service_mean_s(latency: Mapping[str, Histogram], origin: int | None = None) -> float:
    """Mean service of an origin's requests or of all [s]: end-to-end less network and wait; NaN of none."""
    whole, *others = (latency[measure].mean(origin) for measure in ("end_to_end", "network", "wait"))
    return whole - sum(others)


def _sent(routed: FloatArray, fleet: Fleet, origin: int | None) -> tuple[FloatArray, np.ndarray]:
    """Requests by site, and the nearest site, of one origin or of all; an origin without a site has sent none."""
    which = slice(None) if origin is None else [origin]
    return routed[which], fleet.nearest[which]
