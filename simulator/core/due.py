"""When services finish at a site.

Services of one length finish in the order in which they start; then the sorted run does all the work, in constant
time. What would break its order goes to a heap.
"""

from __future__ import annotations

import numpy as np

from .jit import inlined
from .state import Finishes, Floats, Records


@inlined
def add_finish(finishes: Finishes, site: Records, time_s: float) -> None:
    """A service that will finish at this time."""
    last = site.first + _turned(site, site.run_head + site.run_size - 1)
    if site.run_size == 0 or time_s >= finishes.run_s[last]:
        finishes.run_s[site.first + _turned(site, site.run_head + site.run_size)] = time_s
        site.run_size += 1
    else:
        _push(finishes.heap_s, site.first, site.heap_size, time_s)
        site.heap_size += 1
    site.next_s = min(site.next_s, time_s)


@inlined
def take_finish(finishes: Finishes, site: Records) -> float:
    """Take the first finish."""
    time_s = site.next_s
    if site.run_size > 0 and finishes.run_s[site.first + site.run_head] == time_s:
        site.run_head = _turned(site, site.run_head + 1)
        site.run_size -= 1
    else:
        site.heap_size -= 1
        _pop(finishes.heap_s, site.first, site.heap_size)
    site.next_s = np.inf
    if site.run_size > 0:
        site.next_s = finishes.run_s[site.first + site.run_head]
    if site.heap_size > 0:
        site.next_s = min(site.next_s, finishes.heap_s[site.first])
    return time_s


@inlined
def _turned(site: Records, index: int) -> int:
    """The run turns round in the site's part."""
    return index - site.places if index >= site.places else index


@inlined
def _push(heap: Floats, first: int, size: int, time_s: float) -> None:
    hole = size
    while hole > 0:
        above = (hole - 1) >> 1
        if heap[first + above] <= time_s:
            break
        heap[first + hole] = heap[first + above]
        hole = above
    heap[first + hole] = time_s


@inlined
def _pop(heap: Floats, first: int, size: int) -> None:
    """Take the top off a heap that is left with ``size``."""
    last, hole, below = heap[first + size], 0, 1
    while below < size:
        if below + 1 < size and heap[first + below + 1] < heap[first + below]:
            below += 1
        if heap[first + below] >= last:
            break
        heap[first + hole] = heap[first + below]
        hole, below = below, 2 * below + 1
    heap[first + hole] = last
