"""Site weights: where a footprint weighs more than elsewhere, as users write it and as an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.problem import did_you_mean

FloatArray = NDArray[np.float64]
#: The word for the sites' scarcity of water.
AWARE = "aware"
#: The word, or weights by site; a site that is not named weighs 1.
SiteWeights = str | Mapping[str, Any]
#: Weights are relative: more than this is a figure in some unit.
_MOST = 1e9


def checked_site_weights(given: Any, has_word: bool = True) -> Any:
    """What was given, if it is ``aware`` (water only) or a mapping of numbers that are at least 0; else ValueError."""
    words = [AWARE] if has_word else []
    wanted = f"the word {AWARE} or a mapping from sites to weights" if has_word else "a mapping from sites to weights"
    if isinstance(given, str):
        if given in words:
            return given
        raise ValueError(f"{wanted} is needed (given '{given}'){did_you_mean(given, words)}")
    if not isinstance(given, Mapping):
        raise ValueError(f"{wanted} is needed (given {given})")
    wrong = [f"{site}: {value}" for site, value in given.items() if not _is_weight(value)]
    if wrong:
        raise ValueError(f"weights of sites must be numbers from 0 to {_MOST:.0e} (given {', '.join(wrong)})")
    return given


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST


def unknown_sites(given: SiteWeights | None, sites: Sequence[str]) -> dict[str, str]:
    """What is wrong with each name that is no site's: name -> sentence."""
    names = given if isinstance(given, Mapping) else ()
    return {str(name): f"unknown site '{name}'{did_you_mean(name, sites)}" for name in names if name not in sites}


def site_weights(given: SiteWeights | None, sites: Sequence[str], scarcity: FloatArray) -> FloatArray:
    """Weights of the sites, [sites]: 1 unless given; ``aware`` is their relative scarcity of water, [sites]."""
    if isinstance(given, str):
        return scarcity
    return np.array([float((given or {}).get(site, 1.0)) for site in sites])
