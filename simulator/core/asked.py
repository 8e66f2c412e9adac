"""What requests ask for: their work, laid into the slots in which it would be done if each began when it arose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .jit import compiled


class Sizes(NamedTuple):
    """Requests in the order of their arrival, shapes [requests]."""

    arrival_s: NDArray[np.float64]
    origin: NDArray[np.int64]
    input: NDArray[np.float64]
    output: NDArray[np.float64]


class Worth(NamedTuple):
    """What a request of some size takes: base, per input, per output, [3]."""

    service_s: NDArray[np.float64]
    requests: NDArray[np.float64]
    """In requests of mean size."""


@compiled
def lay_out(asked: NDArray[np.float64], sizes: Sizes, worth: Worth, slot: int, slot_s: float) -> None:
    """Add the work of requests to ``asked`` [slots, origins]; what lies beyond the last slot is left out.

    The first of them arises in ``slot`` or later.
    """
    for k in range(len(sizes.arrival_s)):
        while sizes.arrival_s[k] >= (slot + 1) * slot_s:
            slot += 1
        first, second, origin = sizes.input[k], sizes.output[k], sizes.origin[k]
        work = worth.requests[0] + first * worth.requests[1] + second * worth.requests[2]
        service_s = worth.service_s[0] + first * worth.service_s[1] + second * worth.service_s[2]
        since_s, here, finish_s = sizes.arrival_s[k], slot, sizes.arrival_s[k] + service_s
        if finish_s <= (slot + 1) * slot_s and slot < len(asked):
            asked[slot, origin] += work
            continue
        while here < len(asked) and since_s < finish_s:
            until_s = min(finish_s, (here + 1) * slot_s)
            asked[here, origin] += work * ((until_s - since_s) / service_s)
            since_s = until_s
            here += 1
