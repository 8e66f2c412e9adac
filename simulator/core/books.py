"""The books: what is counted and charged when a service starts, since its finish is then known.

Where requests may be lost, a request is counted when it finishes, and what it was charged but not served is taken back.
"""

from __future__ import annotations

from .bins import bin_of
from .jit import inlined
from .state import Books, Floats, Records

#: Measures of a request's latency.
NETWORK, WAIT, TTFT, END_TO_END = range(4)
#: What becomes of a request.
UNFINISHED, FINISHED, REJECTED, FAILED = range(4)


@inlined
def charge(ledger_s: Floats, clock: Records, p: int, start_s: float, finish_s: float) -> None:
    """Charge the service [start, finish) to the slots it lies in; what lies beyond the last slot is left out."""
    slot = clock.slot
    while slot < len(ledger_s) and start_s < finish_s:
        end_s = min(finish_s, (slot + 1) * clock.slot_s)
        ledger_s[slot, p] += end_s - start_s
        start_s = end_s
        slot += 1


@inlined
def integrate(occupied_s: Floats, clock: Records, pool: Records, p: int, time_s: float) -> None:
    """Take the integral of the places in use up to this time: what the ledger is held against."""
    occupied_s[clock.slot, p] += pool.in_use * (time_s - pool.since_s)
    pool.since_s = time_s


@inlined
def drain(books: Books, slot: int, pool: Records, p: int, time_s: float) -> None:
    """Take the integrals of the servers that are draining and of those that are off, up to this time."""
    servers, span_s = draining(pool), time_s - pool.draining_s
    books.drained_s[slot, p] += servers * span_s
    books.off_s[slot, p] += max(0, pool.spare - max(0, servers - pool.failing)) * span_s
    pool.draining_s = time_s


@inlined
def draining(pool: Records) -> int:
    """Servers that serve their last requests: what is in use beyond the open places, in whole servers."""
    beyond = pool.in_use - pool.open
    return (beyond + pool.concurrency - 1) // pool.concurrency if beyond > 0 else 0


@inlined
def wait_for_boots(site: Records, time_s: float) -> None:
    """Take the integral of the requests that wait for places that are booting, up to this time."""
    site.boot_wait_s += min(site.waiting, site.booting) * (time_s - site.since_s)
    site.since_s = time_s


@inlined
def note_durations(books: Books, clock: Records, call: Records, site: Records, moments_s: tuple[float, ...]) -> None:
    """Write down how long a request took that starts, has its first token and finishes at these moments.

    Before the warm-up is over that is written down in its batch only.

    The last of ``moments_s`` is how long lost attempts have taken.
    """
    start_s, prefill_s, finish_s, lost_s = moments_s
    tally, latency, origin = books.tallies[call.origin], books.latency, call.origin
    network_s, wait_s = call.out_s + call.back_s, start_s - call.reach_s
    wait_s += lost_s
    ttft_s = network_s + wait_s + prefill_s
    end_to_end_s = (finish_s + call.back_s) - call.arrival_s
    batch = books.batches[int(call.arrival_s * clock.batches_per_s), call.site]
    batch.requests += 1
    batch.wait += _ticks(wait_s, clock)
    batch.ttft += _ticks(ttft_s, clock)
    batch.end_to_end += _ticks(end_to_end_s, clock)
    if call.arrival_s < clock.warmup_s:
        return
    network, wait = bin_of(network_s), bin_of(wait_s)
    latency[NETWORK, origin, network] += 1
    latency[WAIT, origin, wait] += 1
    latency[TTFT, origin, network if ttft_s == network_s else bin_of(ttft_s)] += 1
    latency[END_TO_END, origin, bin_of(end_to_end_s)] += 1
    books.wait[call.site, wait] += 1
    tally.network_s += network_s
    tally.wait_s += wait_s
    tally.ttft_s += ttft_s
    tally.end_to_end_s += end_to_end_s
    site.wait_s += wait_s
    if ttft_s <= clock.ttft_slo_s and end_to_end_s <= clock.end_to_end_slo_s:
        tally.slo_met += 1


@inlined
def _ticks(seconds: float, clock: Records) -> int:
    """A duration in whole ticks, the nearest: whole numbers add up to the same in any order."""
    return int(seconds * clock.ticks_per_s + 0.5)
