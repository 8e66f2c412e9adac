"""Cooling: what the weather asks of a data centre, in water and in energy."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.units import degf

#: On-site water against the wet bulb T [degF]: coefficients of T^3, T^2, T and 1, times S / (S - 1) with S cycles of
#: concentration, and the least of it [L/kWh] (as the authors of arXiv 2307.05494 and 2412.16539 have it).
TOWER = (6e-5, -0.01, 0.61, -10.4)
LEAST_L_PER_KWH = 0.05
#: Cooling energy against the outside temperature T [degC]: coefficients of T^2, T and 1, and where they were measured
#: (Xu, Feng, Li, "Temperature aware workload management in geo-distributed data centers", ICAC 2013 and IEEE Trans.
#: Parallel Distrib. Syst. 26 (2015): a cooling system with outside air, 1.05 at -3.9 degC to 1.30 at 35 degC).
PARTIAL_PUE = (7.1705e-5, 0.0041, 1.0743)
MEASURED_DEGC = (-3.9, 35.0)


def onsite_water_l_per_kwh(wet_bulb_degc: FloatArray, cycles: float) -> FloatArray:
    """Water that cooling towers evaporate and drain per kWh of IT energy; see TOWER.

    ``cycles`` says how often water goes round before it is drained (cycles of concentration), above 1.
    """
    t = degf(wet_bulb_degc)
    cubic, square, linear, rest = TOWER
    return np.maximum(LEAST_L_PER_KWH, cycles / (cycles - 1) * (cubic * t**3 + square * t**2 + linear * t + rest))


def partial_pue(dry_bulb_degc: FloatArray) -> FloatArray:
    """IT and cooling energy per IT energy; see PARTIAL_PUE. Beyond them that of the nearest one."""
    t = np.clip(dry_bulb_degc, *MEASURED_DEGC)
    square, linear, rest = PARTIAL_PUE
    return square * t**2 + linear * t + rest
