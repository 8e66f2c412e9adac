"""The objective J: total cost, and what the burdens of the sites weigh together."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.norm import MAXIMUM, FloatArray, size_of

#: A litre weighs the same wherever it is drunk.
EVEN: FloatArray = np.ones(1)
EVEN.flags.writeable = False


class Objective(NamedTuple):
    """J = total cost + mu_w ||a water||_q + mu_c ||b carbon||_q: by default with a = b = 1 and q the maximum.

    Site weights multiply footprints within the norms only, so that cost stays what is paid.
    """

    water_weight_usd_per_m3: float
    """mu_w."""
    carbon_weight_usd_per_t: float
    """mu_c."""
    water_site_weights: FloatArray = EVEN
    """What a m3 weighs at each site, a: [sites], or [1] for all; likewise a t of carbon, b."""
    carbon_site_weights: FloatArray = EVEN
    norm: float = MAXIMUM
    """q, at least 1."""

    @property
    def weighs_sites(self) -> bool:
        """Whether a footprint weighs more at one site than at another."""
        return bool((self.water_site_weights != 1).any() or (self.carbon_site_weights != 1).any())

    @property
    def is_largest(self) -> bool:
        """Whether the norm is the maximum."""
        return math.isinf(self.norm)

    def weighted_water(self, water_m3: FloatArray) -> FloatArray:
        """Water [m3] as it weighs at the sites, [..., sites]."""
        return water_m3 * self.water_site_weights

    def weighted_carbon(self, carbon_t: FloatArray) -> FloatArray:
        """Carbon [t] as it weighs at the sites, [..., sites]."""
        return carbon_t * self.carbon_site_weights

    def water_usd(self, water_m3: FloatArray) -> float:
        """What the water of the sites [m3] weighs [US$], [sites]."""
        return self.water_weight_usd_per_m3 * size_of(self.weighted_water(water_m3), self.norm)

    def carbon_usd(self, carbon_t: FloatArray) -> float:
        """What the carbon of the sites [t] weighs [US$], [sites]."""
        return self.carbon_weight_usd_per_t * size_of(self.weighted_carbon(carbon_t), self.norm)

    @property
    def formula(self) -> str:
        """J in a line."""
        water, carbon = "a water" if _differ(self.water_site_weights) else "water", "carbon"
        carbon = f"b {carbon}" if _differ(self.carbon_site_weights) else carbon
        norm = "max" if self.is_largest else f"L{self.norm:g}"
        weights = (f"{self.water_weight_usd_per_m3:g} US$/m3", f"{self.carbon_weight_usd_per_t:g} US$/t")
        return f"cost + {weights[0]} x {norm}({water}) + {weights[1]} x {norm}({carbon})"

    @property
    def is_plain(self) -> bool:
        """Whether it is the largest footprint that counts, and all sites weigh the same."""
        return self.is_largest and not (_differ(self.water_site_weights) or _differ(self.carbon_site_weights))

    def times(self, multiple: float) -> Objective:
        """Equity weighted so many times as strongly."""
        water, carbon = self.water_weight_usd_per_m3, self.carbon_weight_usd_per_t
        return self._replace(water_weight_usd_per_m3=multiple * water, carbon_weight_usd_per_t=multiple * carbon)

    def at(self, sites: NDArray[np.int64], count: int) -> Objective:
        """The objective of some of ``count`` sites alone."""
        water, carbon = (np.broadcast_to(part, count)[sites] for part in self[2:4])
        return self._replace(water_site_weights=water, carbon_site_weights=carbon)


def _differ(weights: FloatArray) -> bool:
    return bool((weights != 1).any())
