"""The tape: all requests of a run as columns, drawn before the clock starts.

Every slot is drawn from its own part of each stream, so that any slot can be made alone and all policies of a
scenario meet the same requests. A slot comes in blocks, drawn one after the other; where it is cut changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulator.core.arrivals import origins_from_uniforms, times_from_gaps
from simulator.core.guide import guide_of
from simulator.fleet import BoolArray, FloatArray, IntArray
from simulator.scenario.amount import Amount
from simulator.streams import stream
from simulator.units import S_PER_MS
from simulator.world import World
from simulator.world.service import sizes

#: Requests in a block, at most: what fits into the caches of a processor.
BLOCK_REQUESTS = 1 << 15

#: The next so many values of a column.
Column = Callable[[int], FloatArray]


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
    kept: BoolArray
    """Whether the request's row is kept."""


class Tape:
    """The requests of a world, scaled to the fleet that is simulated; ``kept`` is the share whose rows are kept."""

    def __init__(self, world: World, kept: float = 0.0, block_requests: int = BLOCK_REQUESTS):
        self._world = world
        self._kept = kept
        self._most = block_requests
        self._sizes = sizes(world.scenario.workload.request, world.demand)
        self._constants: dict[float, FloatArray] = {}

    def blocks(self) -> Iterator[Block]:
        """The blocks of all slots in order of time."""
        for slot in range(self._world.fleet.slots):
            yield from self.slot(slot)

    def slot(self, slot: int) -> Iterator[Block]:
        """The blocks of one slot, made alone. Empty ones are left out."""
        demand, tokens = self._world.demand, self._world.scenario.workload.request.tokens
        guide = guide_of(_cumulative(demand.rate_rps[slot])[None, :])
        origins, u = self._stream("origins", slot), self._stream("u", slot)
        jitter = self._world.scenario.network.jitter_ms
        sizes = [self._drawn(size, self._stream(name, slot)) for size, name in zip(self._sizes, _SIZES, strict=True)]
        out_s, back_s = (self._drawn(jitter, self._stream("jitter", slot, leg), S_PER_MS) for leg in range(2))
        kept = self._lots(self._kept, self._stream("kept", slot))
        own = (None, None) if demand.trace is None or tokens is None else (tokens.input, tokens.output)
        for arrival_s, rows in self._arrivals(slot):
            count = len(arrival_s)
            first, second = (column(count) for column in sizes)
            if demand.trace is not None and tokens is not None:
                first = first if own[0] else demand.trace.input[rows]
                second = second if own[1] else demand.trace.output[rows]
            origin = np.empty(count, dtype=np.int64)
            origins_from_uniforms(guide, origins.random(count), origin)
            yield Block(arrival_s, origin, u.random(count), first, second, out_s(count), back_s(count), kept(count))

    def _stream(self, name: str, *key: int) -> np.random.Generator:
        return stream(self._world.seed, name, *key)

    def _drawn(self, amount: Amount, generator: np.random.Generator, unit: float = 1.0) -> Column:
        """A column of independent values; a constant one is cut from one array that is made once."""
        if amount.constant is None:
            return lambda count: amount.draw(generator, count) * unit
        value = amount.constant * unit

        def constant(count: int) -> FloatArray:
            known = self._constants.get(value)
            if known is None or len(known) < count:
                known = self._constants[value] = np.full(max(count, self._most), value)
            return known[:count]

        return constant

    def _lots(self, share: float, generator: np.random.Generator) -> Callable[[int], BoolArray]:
        """A column of lots that are drawn with this probability."""
        if 0 < share < 1:
            return lambda count: generator.random(count) < share
        return lambda count: np.full(count, share > 0)

    def _arrivals(self, slot: int) -> Iterator[tuple[FloatArray, IntArray]]:
        """Arrival times [s] of a slot, and their rows in the trace, in blocks."""
        slot_s, none = self._world.fleet.slot_s, np.zeros(0, dtype=np.int64)
        start, end = slot * slot_s, (slot + 1) * slot_s
        demand, scale = self._world.demand, self._world.scenario.fleet_scale
        if demand.trace is not None:
            yield from self._played(slot, start, end)
        elif demand.counts is not None:
            for times in self._counted(slot, int(demand.counts[slot]), start, end):
                yield times, none
        else:
            for times in self._poisson(slot, float(demand.rate_rps[slot].sum()) * scale, start, end):
                yield times, none

    def _played(self, slot: int, start: float, end: float) -> Iterator[tuple[FloatArray, IntArray]]:
        """The trace from start to end, thinned."""
        trace, thinning = self._world.demand.trace, self._stream("thinning", slot)
        assert trace is not None
        rate_rps = self._world.demand.rate_rps[slot].sum() * self._world.scenario.fleet_scale / trace.keep
        parts = 1 + int(rate_rps * (end - start) / self._most)
        edges = [start + (end - start) * (part / parts) for part in range(parts)] + [end]
        for low, high in pairwise(edges):
            times, rows = trace.window(low, high)
            kept = slice(None) if trace.keep == 1 else thinning.random(len(times)) < trace.keep
            if len(times[kept]):
                yield times[kept], rows[kept]

    def _poisson(self, slot: int, rate_rps: float, start: float, end: float) -> Iterator[FloatArray]:
        """A Poisson process: exponential gaps. It has no memory, so every slot may begin anew."""
        generator, since = self._stream("arrivals", slot), 0.0
        while rate_rps > 0:
            expected = rate_rps * (end - start - since)
            gaps = generator.standard_exponential(min(self._most, int(expected + 4 * np.sqrt(expected)) + 4))
            count, since = times_from_gaps(gaps, 1 / rate_rps, since, start, end)
            if count:
                yield gaps[:count]
            if count < len(gaps):
                return

    def _counted(self, slot: int, count: int, start: float, end: float) -> Iterator[FloatArray]:
        """``count`` independent uniform times in order, without sorting.

        Partial sums of count + 1 exponential gaps, divided by their total, are distributed as ordered uniforms
        (Devroye, Non-Uniform Random Variate Generation, 1986, V.2). The total needs all gaps: they are drawn twice.
        """
        parts = [min(self._most, count + 1 - done) for done in range(0, count + 1, self._most)]
        generator, total = self._stream("arrivals", slot), 0.0
        for part in parts:
            total = times_from_gaps(generator.standard_exponential(part), 1.0, total, 0.0, np.inf)[1]
        generator, since, left = self._stream("arrivals", slot), 0.0, count
        for part in parts:
            gaps = generator.standard_exponential(part)
            since = times_from_gaps(gaps, (end - start) / total, since, start, np.inf)[1]
            if left:
                yield np.minimum(gaps[:left], np.nextafter(end, start))
            left -= len(gaps[:left])


#: Streams of the two sizes of a request.
_SIZES = ("input", "output")


def _cumulative(rates: FloatArray) -> FloatArray:
    """Upper ends of the origins' parts of [0, 1); the last origin with demand takes what rounding leaves."""
    total = rates.sum()
    if total == 0:
        return np.ones(len(rates))
    cumulative = np.cumsum(rates) / total
    cumulative[np.flatnonzero(rates)[-1] :] = np.inf
    return cumulative
