"""The record of a run: every request's fate, and the sites' own counts, in figures of the fleet that was simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from simulator.batches import LONGEST, Batches
from simulator.fleet import FloatArray, IntArray
from simulator.latency import Histogram


class View(NamedTuple):
    """The fleet as control sees it now."""

    waiting: IntArray
    """[sites]."""
    in_use: IntArray
    """Places in use, [pools]."""
    routed: FloatArray
    """Requests sent to each site so far, [sites]."""


class Requests(NamedTuple):
    """Requests of a run in order of arrival, [requests]. Times are NaN where they never came."""

    number: IntArray
    """On the tape."""
    arrival_s: FloatArray
    origin: IntArray
    site: IntArray
    """-1 for a request that was rejected at its origin."""
    reach_s: FloatArray
    start_s: FloatArray
    finish_s: FloatArray
    fate: IntArray
    """Index into FATES."""
    out_s: FloatArray
    """Time on the way to the site and back home, jitter included."""
    back_s: FloatArray
    prefill_s: FloatArray
    lost_s: FloatArray
    """From the arrival to the last departure from the origin: what lost attempts have cost."""
    retries: IntArray
    pool: IntArray
    """Of the servers; -1 where the service never started."""


def joined(batches: Sequence[Requests]) -> Requests:
    """Batches of rows as one."""
    return Requests._make(np.concatenate(column) for column in zip(*batches, strict=True))


class Keeping(NamedTuple):
    """Which requests' rows are kept, and who takes them."""

    share: float
    """Of all requests; drawn from a stream of its own."""
    take: Callable[[Requests], None]
    """Called with one batch of rows after the other, in order of arrival."""


class Counts(NamedTuple):
    """What a plane counted as it happened, to be held against the rows of the requests."""

    handed: FloatArray
    """Requests that the tape handed out, [origins]."""
    routed: FloatArray
    """Requests sent on their way, [origins, sites]."""
    received: FloatArray
    """Requests that reached a site, [sites]."""
    rerouted: FloatArray
    """Requests that lost their site and were routed anew, [origins, sites]."""
    lost: FloatArray
    """Requests that were lost on their way to a site, [sites]."""
    most_in_use: IntArray
    """The largest number of requests served at once, [pools]."""
    cut_short: Sequence[tuple[int, float, float]]
    """Services that ended early: pool, start and end [s]."""


#: What becomes of a request.
FATES = ("unfinished", "finished", "rejected", "failed")
UNFINISHED, FINISHED, REJECTED, FAILED = range(len(FATES))


class Record(NamedTuple):
    """What a plane has to say at the end, in figures of the fleet that was simulated."""

    busy_place_s: FloatArray
    """The ledger, [slots, pools]."""
    served_s: FloatArray
    """Service that requests received in each slot, summed request by request, [slots, pools]."""
    arrived: FloatArray
    """[origins]."""
    routed: FloatArray
    """Requests sent from an origin to a site, each time that one was sent, [origins, sites]."""
    rerouted: FloatArray
    """Those that lost the site and were routed anew, [origins, sites]."""
    lost: FloatArray
    """Requests that were lost on their way to a site, [sites]."""
    received: FloatArray
    """Requests that reached the site, as the site counted them, [sites]."""
    fates: FloatArray
    """[fates, origins, sites + 1]; the last column are requests that had no site."""
    under_way: FloatArray
    """Unfinished requests that had not reached their site, [sites]."""
    most_in_use: IntArray | None
    """The largest number of requests served at once, [pools]; None where nobody counts them."""
    latency: dict[str, Histogram]
    """Measure -> histogram by origin, of finished requests that arrived after the warm-up."""
    site_wait: Histogram
    slo_met: FloatArray
    """Requests after the warm-up that met their targets, [origins]."""
    slo_counted: FloatArray
    """Requests after the warm-up, [origins]."""
    batches: Batches | None = None
    """Sums by the time at which requests arose, and site; None where nobody knows of single requests."""
    requests: Requests | None = None
    """Rows that were asked for."""
    asked: FloatArray | None = None
    """Work that arose in mean requests (:mod:`simulator.asked`), [slots, origins]; the demand of ``fluid``."""

    @property
    def settled(self) -> Batches | None:
        """The batches whose requests had time to finish: as long as 999 of 1,000 took, or longer."""
        longest_s = self.latency["end_to_end"].percentile(LONGEST)
        return None if self.batches is None else self.batches.settled(longest_s)
