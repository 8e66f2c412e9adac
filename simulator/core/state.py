"""The state of a fleet in arrays: what kernels read and write. Times in seconds from the run's start; -1 is nobody.

A record is a row of an array: ``sites[3].free`` is the number of free places of site 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: A numpy record array, or one record of it: type checkers cannot see their fields.
Records = Any


def record_of(**fields: type) -> np.dtype[Any]:
    """The kind of a record with these fields."""
    return np.dtype(list(fields.items()))


#: Where a run stands; one record.
CLOCK = record_of(
    slot=int,  # that control lets time run through
    since_s=float,  # everything before is settled
    horizon_s=float,
    warmup_s=float,
    slot_s=float,
    batches_per_s=float,  # the batch of a request is that of the time at which it arises
    ticks_per_s=float,  # a power of two; sums of batches are whole ticks
    ttft_slo_s=float,  # targets; infinite where there is none
    end_to_end_slo_s=float,
    refresh_s=float,  # how old routers' knowledge may be; 0: always fresh
    looks=int,  # the next look is at this multiple of refresh_s
    look_s=float,  # when that is; infinite when nobody looks
    row=int,  # the next request of the block
    number=int,  # on the tape, of the block's first request
    is_last=int,  # 1 when no block follows this one
    spare=int,  # the first free record of a request; the others follow behind it
    travelling=int,  # requests on their way
    sent=int,  # requests that have left so far
    kept=int,  # rows that are kept so far
    first_kept=int,  # the number of the row that stands first
    kind=int,  # of the steps by which equity prices move
    charges=int,  # requests charged since equity prices moved
    may_lose=int,  # 1 where outages may take requests from their site: they are then known until they finish
    retries=int,  # that a request has
    detection_s=float,  # after which its origin knows that it was lost
    lost=int,  # requests that were lost so far
    in_order=int,  # 1 where a site asks to be heard when it goes idle: its finishes are then settled one by one
    heard=int,  # what a site has to say to control, and which one, and when
    heard_site=int,
    heard_s=float,
    wrong_origin=int,  # where a user's rule picked a site that is none
    wrong_site=int,
)

#: A request that is under way or waiting.
CALL = record_of(
    arrival_s=float,
    reach_s=float,
    out_s=float,
    back_s=float,
    input=float,
    output=float,
    origin=int,
    site=int,
    row=int,  # its number among the rows that are kept, or -1
    behind=int,  # who waits behind it
)

#: What is known besides of a request where outages may take it from its site; it is then known until it finishes.
CASE = record_of(
    departed_s=float,  # from its origin, for the last time
    jitter_out_s=float,
    jitter_back_s=float,
    anew_s=float,  # when it leaves its origin anew
    u=float,
    number=int,  # on the tape
    tries=int,  # that were lost
    start_s=float,
    prefill_s=float,
)

#: A place in the heap of requests on their way, by time of reaching the site, then by number.
TRAVELLER = record_of(reach_s=float, number=int, call=int)

#: A site: its queue, and what its pools have together.
SITE = record_of(
    free=int,
    in_use=int,
    waiting=int,
    head=int,  # of the queue
    tail=int,
    next_s=float,  # the first finish; infinite when nobody is served
    pool=int,  # its first one
    pools=int,
    received=int,
    queue_limit=int,  # -1 where the queue is unlimited
    wait_s=float,  # summed over requests
    open=int,
    booting=int,  # places of servers that are booting
    watch=int,  # what control wants to hear of
    dark=int,  # 1 while all its servers are in an outage
    lost=int,  # requests that were lost on their way to it
    unit_s=float,  # what each request ahead adds to the expected wait
    ready_s=float,  # with no open place: when the first one opens; or, below 0, how long a boot would take; else 0
    since_s=float,  # since when so many have been waiting while servers boot
    boot_wait_s=float,  # request-seconds waited for places that were booting
)

#: A pool: the servers of one type at one site, its service, and when services finish.
POOL = record_of(
    free=int,
    open=int,
    in_use=int,
    next_s=float,
    since_s=float,  # since when so many places have been in use
    base_s=float,
    per_input_s=float,
    per_output_s=float,
    places=int,
    first=int,  # where the pool's part of the finishes begins
    run_head=int,
    run_size=int,
    heap_size=int,
    most_in_use=int,
    concurrency=int,
    spare=int,  # servers that are neither on nor booting nor in an outage; some of them may be draining
    failing=int,  # servers in an outage that finish what they serve, at most
    draining_s=float,  # since when so many servers have been draining
)

#: What routers know of a site: its bucket of tokens, and what it costs besides its score.
OUTLOOK = record_of(
    level=float,
    since_s=float,
    rate_rps=float,
    depth=float,
    wait_unit_s=float,  # as routers know it, like unit_s of the site
    ready_s=float,
    equity_usd=float,  # of a request
)

#: An equity price: of one footprint at one site.
PRICE = record_of(
    gamma=float,  # what a weighted US$ of the footprint counts
    seen=float,  # gamma when routers last looked
    logarithm=float,  # of entropic steps; of adaptive ones all that was charged
    weight=float,
    charged_usd=float,  # since the last step
    opening=float,  # gamma when the round of adaptive steps began
    round_usd=float,  # charged since then
)

#: How adaptive steps stand for a footprint.
PACE = record_of(
    rate=float,  # the last step; infinite before the first
    hardness=float,  # of all that was charged
    before=float,  # of the rounds before this one
    moves=float,  # of this round's moves one by one
    number=int,  # of the round
)

#: Counts and sums of an origin's requests.
TALLY = record_of(
    slo_counted=int,
    slo_met=int,
    network_s=float,
    wait_s=float,
    ttft_s=float,
    end_to_end_s=float,
)

#: Sums over the requests that arose in one batch and finished at one site; durations in ticks.
BATCH = record_of(requests=int, wait=int, ttft=int, end_to_end=int)

#: A request that is kept for its row; NaN where a time never came.
ROW = record_of(
    number=int,
    arrival_s=float,
    origin=int,
    site=int,
    reach_s=float,
    start_s=float,
    finish_s=float,
    fate=int,
    out_s=float,
    back_s=float,
    prefill_s=float,
    lost_s=float,
    retries=int,
    pool=int,
)


class Finishes(NamedTuple):
    """For each pool a sorted run of the finishes that came in order, and a heap of the others, [places]."""

    run_s: Floats
    heap_s: Floats
    run_call: Ints
    """Whose finish it is, where requests may be lost; likewise of the heap."""
    heap_call: Ints


class Books(NamedTuple):
    """What is counted and added up as it happens."""

    ledger_s: Floats
    """Busy place-seconds, charged when a service starts, [slots, pools]."""
    occupied_s: Floats
    """Integral of the places in use, [slots, pools]."""
    drained_s: Floats
    """Integral of the servers that are draining, [slots, pools]."""
    off_s: Floats
    """Integral of the servers that are off and in no outage, [slots, pools]."""
    routed: Ints
    """[origins, sites]."""
    rerouted: Ints
    """Requests that lost their site and were routed anew, [origins, sites]."""
    fates: Ints
    """[fates, origins, sites + 1]."""
    latency: Ints
    """[measures, origins, bins]."""
    wait: Ints
    """[sites, bins]."""
    tallies: Records
    """[origins]."""
    batches: Records
    """[batches + 1, sites]: the last instant may round up to the row behind the last batch."""


class State(NamedTuple):
    """Everything that moves."""

    clocks: Records
    half_rtt_s: Floats
    """[origins, sites]."""
    calls: Records
    cases: Records
    """Of the calls; none where no request can be lost."""
    way: Records
    sites: Records
    pools: Records
    finishes: Finishes
    cut: Ints
    """Links that are down, [origins, sites]."""
    books: Books
    rows: Records
    outlooks: Records
    """[sites]."""
    waiting: Ints
    free: Ints
    """Queues and places as they were when routers last looked, [sites]."""
    prices: Records
    """[footprints, sites]; footprints are carbon and water."""
    paces: Records
    """[footprints]."""
    bases: Floats
    """Logarithms relative to which weights are taken, [footprints]."""
