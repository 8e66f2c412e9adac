"""Burdens: what a footprint means where it falls. A litre weighs more where water is scarce, a kWh harms more lungs.

Every function takes the slots' footprint, [slots, sites], and their conditions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.equity import peak_to_average
from simulator.fleet import FloatArray
from simulator.footprint import Conditions, Footprint


class Scarcity(NamedTuple):
    """Scarcity-weighted water of the sites [m3 world-eq]: the largest, the mean, and largest / mean."""

    max_m3: float
    mean_m3: float
    par: float


def scarce_water_m3(spent: Footprint, conditions: Conditions) -> FloatArray:
    """Scarcity-weighted water of each site, m3 world-eq, [sites]: the sum over slots of water x AWARE factor.

    On-site and off-site water both weigh what they weigh at the site, since where its power plants drink is not known.
    Source: Boulay et al., "The WULCA consensus characterization model for water scarcity footprints: AWARE",
    Int. J. Life Cycle Assess. 23 (2018).
    """
    return np.asarray((spent.water_m3 * conditions.scarcity).sum(axis=0))


def scarcity(spent: Footprint, conditions: Conditions) -> Scarcity:
    """How evenly scarcity-weighted water lies on the sites."""
    water_m3 = scarce_water_m3(spent, conditions)
    return Scarcity(float(water_m3.max()), float(water_m3.mean()), peak_to_average(water_m3))


def health_usd(spent: Footprint, conditions: Conditions) -> FloatArray:
    """Public-health cost of each site's electricity [US$], [sites]: NaN where it is not known.

    Source: Han et al., "The Unpaid Toll" (arXiv 2412.06288): US$ per MWh at the meter, by place.
    """
    return np.asarray((spent.meter_kwh * conditions.health_usd_per_kwh).sum(axis=0))
