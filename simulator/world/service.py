"""Service: how long a request of a given size takes at each site, and what its size is on average."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray, Hardware, ServiceCurve
from simulator.problem import did_you_mean, refuse
from simulator.scenario.amount import Amount
from simulator.scenario.catalogue import models
from simulator.scenario.workload import Request
from simulator.units import J_PER_WH, S_PER_MS

from .demand import Demand

_ZERO = Amount(constant=0.0)


def build_curve(request: Request, hardware: Hardware) -> ServiceCurve:
    """The service curve of a request class at each site; raises InputError for an unknown model."""
    none: FloatArray = np.zeros(len(hardware.servers))
    if request.energy_wh is not None:
        # 4 Wh on a quarter of 2 kW are 4 x 3600 x 4 / 2000 = 28.8 s.
        return ServiceCurve(none, none, J_PER_WH * hardware.concurrency / (hardware.peak_w - hardware.idle_w))
    if request.seconds is not None:
        return ServiceCurve(none, none, none + 1.0)
    assert request.tokens is not None
    if request.tokens.model not in models():
        known = models()
        raise refuse(
            ("workload", "request", "tokens", "model"),
            f"unknown model '{request.tokens.model}'{did_you_mean(request.tokens.model, known)}",
        )
    row = {key: float(models()[request.tokens.model][key] or "nan") for key in _CURVE}
    running = hardware.concurrency.astype(np.float64)
    decode = row["decode_base_ms"] + row["decode_ms_per_running_request"] * running
    return ServiceCurve(
        none + row["prefill_base_ms"] * S_PER_MS, none + row["prefill_ms_per_token"] * S_PER_MS, decode * S_PER_MS
    )


_CURVE = ("prefill_base_ms", "prefill_ms_per_token", "decode_base_ms", "decode_ms_per_running_request")


def sizes(request: Request, demand: Demand) -> tuple[Amount, Amount]:
    """Distributions of the two sizes of a request: input and output (tokens), or nothing and energy or seconds."""
    if request.energy_wh is not None:
        return _ZERO, request.energy_wh
    if request.seconds is not None:
        return _ZERO, request.seconds
    assert request.tokens is not None
    brought = demand.tokens or (_ZERO, _ZERO)
    return request.tokens.input or brought[0], request.tokens.output or brought[1]


def mean_sizes(request: Request, demand: Demand) -> tuple[float, float]:
    """Means of the two sizes; those of the trace where a size comes from it."""
    first, second = (amount.mean for amount in sizes(request, demand))
    if request.tokens is not None and demand.trace is not None:
        first = first if request.tokens.input else float(demand.trace.input.mean())
        second = second if request.tokens.output else float(demand.trace.output.mean())
    return first, second
