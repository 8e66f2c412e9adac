"""Streams: all randomness, from one seed, by name.

Every use of randomness has a stream of its own, so that adding a policy, a measurement or a new
use moves no other one. A stream is cut by keys (a block's number), so that any block can be made alone.
"""

from __future__ import annotations

import numpy as np

#: Numbers of the streams; a number is never used again for something else.
STREAMS = {
    "signals": 1,
    "demand": 2,
    "arrivals": 3,
    "origins": 4,
    "input": 5,
    "output": 6,
    "u": 7,
    "jitter": 8,
    "thinning": 9,
    "sites": 11,
    "gateways": 12,
    "kept": 13,
    "boots": 14,
    "failures": 15,
    "forecasts": 16,
    "masks": 21,
}


def stream(seed: int, name: str, *key: int) -> np.random.Generator:
    """The generator of a named stream, or of the part of it under ``key``."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(STREAMS[name], *key))))
