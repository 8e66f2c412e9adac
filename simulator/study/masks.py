"""Masks: steps by which a study takes pairs, sites and reach away from a fleet. Pure: arrays and names in and out.

Masks are [origins, sites] and say which site may serve which origin. Every origin keeps its nearest allowed site in
all of them, so that what breaks is capacity and not reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from simulator.fleet import BoolArray, FloatArray, IntArray
from simulator.streams import stream
from simulator.units import S_PER_MS

#: Round-trip times are told apart to a nanosecond [ms]; coordinates give the way there and back in other last bits.
_FINEST_MS = 1e-6


class Residency(NamedTuple):
    """A mask under which the origins of some regions use the sites of their own region alone."""

    regions: tuple[str, ...]
    mask: BoolArray


def nested_masks(allowed: BoolArray, nearest: IntArray, densities: Sequence[float], seed: int) -> list[BoolArray]:
    """A random part of the allowed pairs for each density: the nearest of each origin, and others with that chance.

    Each pair has one uniform number, the same for all densities, and is kept while that is at most the density: a
    denser mask holds every sparser one. Density 1 is ``allowed`` itself, density 0 the nearest sites alone.

    Parameters
    ----------
    allowed : array of bool, [origins, sites]
    nearest : array of int, [origins]
        The nearest allowed site; -1 where none is (`Fleet.nearest`).
    densities : sequence of float
        Each from 0 to 1.
    seed : int
        Of the stream ``masks``.

    Raises
    ------
    ValueError
        for a density that is none.
    """
    for density in densities:
        if not 0 <= density <= 1:
            raise ValueError(f"a density is from 0 to 1 (given {density})")
    # From above 0 up to 1, so that nothing is left at 0 and everything at 1.
    draws = 1.0 - stream(seed, "masks").random(allowed.shape)
    home = home_mask(allowed, nearest)
    return [home | (allowed & (draws <= density)) for density in densities]


def home_mask(allowed: BoolArray, nearest: IntArray) -> BoolArray:
    """The nearest allowed site of each origin alone, [origins, sites]."""
    return np.asarray(allowed & (np.arange(allowed.shape[1]) == nearest[:, None]))


def residency_steps(
    allowed: BoolArray, nearest: IntArray, origin_regions: Sequence[str], site_regions: Sequence[str]
) -> list[Residency]:
    """From all regions free to all kept at home, one region more in each step, in the order of the origins.

    An origin whose region has no site that it may use keeps its nearest allowed one.
    """
    where, at = np.array(origin_regions, dtype=object), np.array(site_regions, dtype=object)
    home = home_mask(allowed, nearest)
    steps = [Residency((), allowed)]
    for region in dict.fromkeys(origin_regions):
        mask, kept = steps[-1].mask.copy(), where == region
        mask[kept] &= at == region
        stranded = kept & ~mask.any(axis=1)
        mask[stranded] = home[stranded]
        steps.append(Residency((*steps[-1].regions, region), mask))
    return steps


def losses(sites: Sequence[str], most: int = 2) -> list[tuple[str, ...]]:
    """Every single site, then every pair, up to ``most`` at once, in the order of the sites: N-1, N-2, ...

    Never all of them.
    """
    return [lost for count in range(1, min(most, len(sites) - 1) + 1) for lost in combinations(sites, count)]


def rtt_bounds_ms(rtt_s: FloatArray, allowed: BoolArray, steps: int) -> list[float]:
    """Bounds on round-trip times at which an allowed pair drops out [ms], rising, thinned evenly to ``steps``.

    The smallest and the largest are always among them: under the largest all pairs stand, below the smallest none.
    Pairs whose round-trip time is the bound are within it.

    Raises
    ------
    ValueError
        for fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"at least two steps are needed (given {steps})")
    exact = np.round(rtt_s[allowed] / S_PER_MS / _FINEST_MS, 3)
    distinct = np.unique(np.ceil(exact)) * _FINEST_MS
    chosen = np.unique(np.round(np.linspace(0, len(distinct) - 1, min(steps, len(distinct)))).astype(int))
    return [round(bound, 6) for bound in distinct[chosen].tolist()]


def pairs_of(mask: BoolArray, origins: Sequence[str], sites: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A mask as a scenario says it, ``allowed: {pairs: ...}``: the sites of every origin.

    Raises
    ------
    ValueError
        for an origin without any, which a scenario cannot say.
    """
    pairs = {
        origin: tuple(site for site, kept in zip(sites, row, strict=True) if kept)
        for origin, row in zip(origins, mask.tolist(), strict=True)
    }
    for origin, listed in pairs.items():
        if not listed:
            raise ValueError(f"no site may serve {origin}")
    return pairs
