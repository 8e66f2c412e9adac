"""Limits of sites in a policy's settings: one number for all of them, or numbers by site."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.site_weights import unknown_sites

#: One for every site, or by site; a site that is not named has none.
SiteLimits = float | Mapping[str, Any]


def checked_limits(name: str, given: SiteLimits | None, is_positive: bool = False) -> SiteLimits | None:
    """What was given, if it is numbers that are at least 0 (or above 0); else ValueError."""
    values = given.values() if isinstance(given, Mapping) else () if given is None else (given,)
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or value < 0 or (is_positive and value == 0):
            what = "above 0" if is_positive else "at least 0"
            raise ValueError(f"{name} must be finite and {what}, for all sites or by site (given {value})")
    return given


def limits_of(name: str, given: SiteLimits | None, fleet: Fleet) -> FloatArray:
    """The limit of each site, [sites], infinite where there is none; ValueError for a name that is no site's."""
    for what in unknown_sites(given if isinstance(given, Mapping) else None, (*fleet.sites, *fleet.lost)).values():
        raise ValueError(f"{name}: {what}")
    if isinstance(given, Mapping):
        return np.array([float(given.get(site, math.inf)) for site in fleet.sites])
    return np.full(len(fleet.sites), math.inf if given is None else float(given))


def check_given(name: str, given: SiteLimits | None, fleet: Fleet) -> None:
    """Whether there is a limit at all, and its sites are this fleet's; else ValueError."""
    if given is None:
        raise ValueError(f"{name} is missing: a number for all sites, or a mapping from sites to numbers")
    limits_of(name, given, fleet)
