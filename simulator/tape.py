"""The tape: all requests of a run as columns, drawn before the clock starts.

It comes in blocks of at most one slot. Each block is drawn from its own part of each stream, so that any
block can be made alone and all policies of a scenario meet the same requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.scenario.amount import Amount
from simulator.streams import stream
from simulator.units import S_PER_MS
from simulator.world import World
from simulator.world.service import sizes

#: Expected requests in a block. Part of what a seed means: another number draws another tape.
BLOCK_REQUESTS = 1 << 17


class Block(NamedTuple):
    """Requests in the order of their arrival, shapes [requests]."""

    arrival_s: FloatArray
    origin: IntArray
    u: FloatArray
    """One uniform number for each request: what a rule may draw lots with."""
    input: FloatArray
    output: FloatArray
    out_s: FloatArray
    """Jitter on the way to the site, and back."""
    back_s: FloatArray


class Tape:
    """The requests of a world, scaled to the fleet that is simulated."""

    def __init__(self, world: World):
        self._world = world
        self._scale = world.scenario.fleet_scale
        self._sizes = sizes(world.scenario.workload.request, world.demand)
        totals = world.demand.rate_rps.sum(axis=1) * (self._scale * world.fleet.slot_s)
        exact = world.demand.trace is not None or world.demand.counts is not None
        parts = (
            np.ones(len(totals), dtype=int) if exact else np.maximum(1, np.ceil(totals / BLOCK_REQUESTS)).astype(int)
        )
        self._blocks = [(slot, part, int(parts[slot])) for slot in range(len(parts)) for part in range(parts[slot])]

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def blocks(self) -> Iterator[Block]:
        """The blocks in order of time."""
        return (self.block(number) for number in range(len(self)))

    def block(self, number: int) -> Block:
        """One block, made alone."""
        slot, part, parts = self._blocks[number]
        start, end = (self._world.fleet.slot_s * (slot + share / parts) for share in (part, part + 1))
        arrival, rows = self._arrivals(number, slot, start, end)
        count = len(arrival)
        marks = _cumulative(self._world.demand.rate_rps[slot])
        origin = np.searchsorted(marks, self._stream("origins", number).random(count), side="right")
        trace = self._world.demand.trace
        first, second = self._sizes
        tokens = self._world.scenario.workload.request.tokens
        own = trace is not None and tokens is not None
        return Block(
            arrival_s=arrival,
            origin=origin.astype(np.int64),
            u=self._stream("u", number).random(count),
            input=trace.input[rows]
            if own and trace and tokens and tokens.input is None
            else first.draw(self._stream("input", number), count),
            output=trace.output[rows]
            if own and trace and tokens and tokens.output is None
            else second.draw(self._stream("output", number), count),
            out_s=self._jitter(number, 0, count),
            back_s=self._jitter(number, 1, count),
        )

    def _stream(self, name: str, *key: int) -> np.random.Generator:
        return stream(self._world.seed, name, *key)

    def _arrivals(self, number: int, slot: int, start: float, end: float) -> tuple[FloatArray, IntArray]:
        """Arrival times [s] in [start, end), and their rows in the trace."""
        trace, counts = self._world.demand.trace, self._world.demand.counts
        if trace is not None:
            times, rows = trace.window(start, end)
            kept = slice(None) if trace.keep == 1 else self._stream("thinning", number).random(len(times)) < trace.keep
            return times[kept], rows[kept]
        generator = self._stream("arrivals", number)
        expected = float(self._world.demand.rate_rps[slot].sum() * self._scale * (end - start))
        count = int(generator.poisson(expected)) if counts is None else int(counts[slot])
        return ordered_uniforms(generator, count, start, end), np.zeros(0, dtype=np.int64)

    def _jitter(self, number: int, leg: int, count: int) -> FloatArray:
        amount: Amount = self._world.scenario.network.jitter_ms
        drawn = amount.draw(self._stream("jitter", number, leg), count)
        return drawn if drawn.strides == (0,) and drawn.size and drawn[0] == 0 else drawn * S_PER_MS


def ordered_uniforms(generator: np.random.Generator, count: int, start: float, end: float) -> FloatArray:
    """``count`` independent uniform times in [start, end), in order, without sorting.

    Partial sums of count + 1 exponential gaps, divided by their total, are distributed as ordered
    uniforms (Devroye, Non-Uniform Random Variate Generation, 1986, V.2); with a Poisson count they
    are a Poisson process.
    """
    total = np.cumsum(generator.standard_exponential(count + 1))
    times = start + total[:-1] * ((end - start) / total[-1])
    return np.minimum(times, np.nextafter(end, start))


def _cumulative(rates: FloatArray) -> FloatArray:
    """Upper ends of the origins' parts of [0, 1); the last origin with demand takes what rounding leaves."""
    total = rates.sum()
    if total == 0:
        return np.ones(len(rates))
    cumulative = np.cumsum(rates) / total
    cumulative[np.flatnonzero(rates)[-1] :] = np.inf
    return cumulative
