"""Service: how long a request of a given size takes in each pool, and what its size is on average."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.fleet import FloatArray, Hardware, ServiceCurve
from simulator.problem import Problems, did_you_mean
from simulator.scenario.amount import Amount
from simulator.scenario.catalogue import models
from simulator.scenario.workload import Request
from simulator.units import J_PER_WH, S_PER_MS

from .demand import Demand
from .hardware import Pool

_ZERO = Amount(constant=0.0)


def build_curve(request: Request, hardware: Hardware, pools: Sequence[Pool]) -> ServiceCurve:
    """The service curve of a request class in each pool; raises InputError for unknown models."""
    none: FloatArray = np.zeros(len(hardware.servers))
    speed = np.array([pool.servers.speed for pool in pools])
    if request.energy_wh is not None:
        # 4 Wh on a quarter of 2 kW are 4 x 3600 x 4 / 2000 = 28.8 s.
        return ServiceCurve(none, none, J_PER_WH * hardware.concurrency / (hardware.peak_w - hardware.idle_w) / speed)
    if request.seconds is not None:
        return ServiceCurve(none, none, (none + 1.0) / speed)
    assert request.tokens is not None
    rows = _model_rows(request.tokens.model, pools)
    base, per_input, decode_base, per_running = (np.array([row[key] for row in rows]) for key in _CURVE)
    decode = decode_base + per_running * hardware.concurrency.astype(np.float64)
    return ServiceCurve(base * S_PER_MS / speed, per_input * S_PER_MS / speed, decode * S_PER_MS / speed)


_CURVE = ("prefill_base_ms", "prefill_ms_per_token", "decode_base_ms", "decode_ms_per_running_request")


def _model_rows(model: str, pools: Sequence[Pool]) -> list[dict[str, float]]:
    """The service curves of the models that pools serve [ms]; raises InputError with all that are unknown."""
    problems = Problems()
    for pool in pools:
        name = pool.servers.model or model
        if name not in models():
            path = ("workload", "request", "tokens") if pool.servers.model is None else pool.path
            problems.add((*path, "model"), f"unknown model '{name}'{did_you_mean(name, models())}")
    problems.settle()
    rows = [models()[pool.servers.model or model] for pool in pools]
    return [{key: float(row[key] or "nan") for key in _CURVE} for row in rows]


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
