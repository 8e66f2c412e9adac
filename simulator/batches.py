"""Batches: what requests that arose in equal spans of a run met, so that one run says how sure its means are.

Durations are added up as whole ticks, a power of two of a second: such sums are exact, so they do not depend on the
order of additions, and engines that write requests down in different orders agree to the last bit.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.statistics import Interval, batch_means, mser
from simulator.world import World

#: Equal spans of a run: five for each of 200 means, on which MSER-5 finds a warm-up to half a percent of the run.
MOST_BATCHES = 1000
#: Batches x sites, at most: 64 MB.
MOST_CELLS = 2_000_000
#: A short run has fewer, so that a batch is expected to hold this many requests.
LEAST_REQUESTS = 10
#: Ticks are never finer than 2**-30 s, about a nanosecond.
_FINEST = 30
#: Sums stay below 2**61 ticks by what is expected: four times as much still fits.
_BITS = 61
#: The end-to-end time that this share of requests does not exceed is how long a batch must have had until the run
#: ended: then it lacks at most about one in a thousand. The largest time is not kept, and one straggler would decide.
LONGEST = 0.999
#: What is added up for each batch and site, in this order.
SUMS = ("requests", "wait", "ttft", "end_to_end")

#: Of these means a run tells its intervals.
MEANS = {"wait": "wait_s", "e2e": "end_to_end_s"}


class Cut(NamedTuple):
    """How a run is cut into batches, and how fine its sums are."""

    batches: int
    length_s: float
    batches_per_s: float
    """The batch of a request is int(arrival_s * batches_per_s): a product, which is quicker than a division."""
    ticks_per_s: float

    @property
    def rows(self) -> int:
        """One more than there are batches: the last instant of a run may round up to it, and kernels need not look."""
        return self.batches + 1


class Batches(NamedTuple):
    """Sums over the finished requests that arose in each batch and went to each site, [batches, sites] each.

    Unlike all other figures of latency they hold what came before the warm-up was over: that is what shows its end.
    """

    length_s: float
    """Of a batch."""
    requests: FloatArray
    wait_s: FloatArray
    ttft_s: FloatArray
    end_to_end_s: FloatArray

    @classmethod
    def of_ticks(cls, cut: Cut, sums: IntArray) -> Batches:
        """From sums in ticks, [SUMS, rows of the cut, sites]; counts are plain."""
        whole = sums[:, :-1].copy()
        whole[:, -1] += sums[:, -1]
        counts, *durations = whole.astype(float)
        return cls(cut.length_s, counts, *(duration / cut.ticks_per_s for duration in durations))

    def settled(self, longest_s: float) -> Batches:
        """Those that ended at least so long before the run did.

        Who arises later may be unfinished, so of later batches only the quick requests are known: their means are too
        small, and the last ones are empty. A time that is not known (NaN) drops nothing.
        """
        if math.isnan(longest_s):
            return self
        late = math.ceil(longest_s / self.length_s - 1e-9)
        return Batches(self.length_s, *(part[: max(0, len(part) - late)] for part in self[1:]))

    def interval(self, measure: str, after_s: float) -> Interval:
        """Mean of a measure (``wait_s`` and the like) over all sites, of batches that begin at this time or later."""
        first = math.ceil(after_s / self.length_s - 1e-9)
        sums, counts = getattr(self, measure).sum(axis=1), self.requests.sum(axis=1)
        return batch_means(sums[first:], counts[first:])

    @property
    def warmup_s(self) -> float:
        """Where MSER-5 would end the warm-up, by mean end-to-end times over all sites; NaN where that is no answer."""
        counts = self.requests.sum(axis=1)
        means = np.full(len(counts), np.nan)
        np.divide(self.end_to_end_s.sum(axis=1), counts, out=means, where=counts > 0)
        found = mser(means)
        return found.start * self.length_s if found.is_trustworthy else math.nan


def cut_of(world: World) -> Cut:
    """The batches of a world's runs."""
    horizon_s, scale = world.scenario.horizon_s, world.scenario.fleet_scale
    most = min(MOST_BATCHES, MOST_CELLS // len(world.fleet.sites))
    batches = max(1, min(most, int(world.expected_requests / LEAST_REQUESTS)))
    # A trace or counted arrivals may bring all requests of a slot at once; nobody finishes later than the run ends.
    span_s = max(horizon_s / batches, world.fleet.slot_s)
    most_ticked_s = (float(world.demand.rate_rps.sum(axis=1).max()) * scale * span_s + MOST_BATCHES) * horizon_s
    ticks_per_s = 2.0 ** min(_FINEST, _BITS - math.ceil(math.log2(most_ticked_s)))
    return Cut(batches, horizon_s / batches, batches / horizon_s, ticks_per_s)
