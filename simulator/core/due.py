"""When services finish in a pool.

Services of one length finish in the order in which they start; then the sorted run does all the work, in constant
time. What would break its order goes to a heap.
"""

from __future__ import annotations

import numpy as np

from .jit import inlined
from .state import Finishes, Records


@inlined
def add_finish(finishes: Finishes, pool: Records, time_s: float, k: int) -> None:
    """A service that will finish at this time; ``k`` is whose it is, or -1."""
    last = pool.first + _turned(pool, pool.run_head + pool.run_size - 1)
    if pool.run_size == 0 or time_s >= finishes.run_s[last]:
        at = pool.first + _turned(pool, pool.run_head + pool.run_size)
        finishes.run_s[at] = time_s
        if k >= 0:
            finishes.run_call[at] = k
        pool.run_size += 1
    else:
        _push(finishes, pool.first, pool.heap_size, time_s, k)
        pool.heap_size += 1
    pool.next_s = min(pool.next_s, time_s)


@inlined
def take_finish(finishes: Finishes, pool: Records) -> int:
    """Take the first finish; whose it is, where that is known."""
    if pool.run_size > 0 and finishes.run_s[pool.first + pool.run_head] == pool.next_s:
        k = finishes.run_call[pool.first + pool.run_head]
        pool.run_head = _turned(pool, pool.run_head + 1)
        pool.run_size -= 1
    else:
        k = finishes.heap_call[pool.first]
        pool.heap_size -= 1
        _pop(finishes, pool.first, pool.heap_size)
    pool.next_s = np.inf
    if pool.run_size > 0:
        pool.next_s = finishes.run_s[pool.first + pool.run_head]
    if pool.heap_size > 0:
        pool.next_s = min(pool.next_s, finishes.heap_s[pool.first])
    return k


@inlined
def _turned(pool: Records, index: int) -> int:
    """The run turns round in the pool's part."""
    return index - pool.places if index >= pool.places else index


@inlined
def _push(finishes: Finishes, first: int, size: int, time_s: float, k: int) -> None:
    heap, calls, hole = finishes.heap_s, finishes.heap_call, size
    while hole > 0:
        above = (hole - 1) >> 1
        if heap[first + above] <= time_s:
            break
        heap[first + hole], calls[first + hole] = heap[first + above], calls[first + above]
        hole = above
    heap[first + hole], calls[first + hole] = time_s, k


@inlined
def _pop(finishes: Finishes, first: int, size: int) -> None:
    """Take the top off a heap that is left with ``size``."""
    heap, calls = finishes.heap_s, finishes.heap_call
    last, last_call, hole, below = heap[first + size], calls[first + size], 0, 1
    while below < size:
        if below + 1 < size and heap[first + below + 1] < heap[first + below]:
            below += 1
        if heap[first + below] >= last:
            break
        heap[first + hole], calls[first + hole] = heap[first + below], calls[first + below]
        hole, below = below, 2 * below + 1
    heap[first + hole], calls[first + hole] = last, last_call
