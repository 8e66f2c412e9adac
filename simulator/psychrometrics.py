"""Psychrometrics: moist air, from what a weather station measures to the temperature of a wet bulb.

Formulas of the ASHRAE Handbook - Fundamentals (2017, SI), chapter 1; temperatures in degC, pressures in Pa,
humidity ratios in kg of water per kg of dry air. Every function takes arrays of one shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.fleet import BoolArray, FloatArray
from simulator.units import DEGC, SHARE_PER_PCT

#: Pressure at sea level [Pa], its fall per metre and the exponent: the standard atmosphere (ICAO; ASHRAE eq. 3).
SEA_LEVEL_PA, FALL_PER_M, FALL_EXPONENT = 101_325.0, 2.25577e-5, 5.2559
#: ln of the saturation pressure over ice below 0.01 degC (eq. 5) and over water above (eq. 6): a sum of
#: coefficients x powers of T [K], the powers from -1 upwards, and the coefficient of ln T.
OVER_ICE = ((-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13), 4.1635019)
OVER_WATER = ((-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8), 6.5459673)
TRIPLE_POINT_DEGC = 0.01
#: Ratio of the molar masses of water and dry air (eq. 20).
MASS_RATIO = 0.621945
#: Energy balance of a wet bulb above freezing (eq. 33) and below (eq. 35): latent heat, its change with the wet bulb,
#: heat of vapour and of water or ice, all in kJ/kg and kJ/(kg K); and the heat of dry air.
WET, ICY, DRY_AIR = (2501.0, 2.326, 1.86, 4.186), (2830.0, 0.24, 1.86, 2.1), 1.006
FREEZING_DEGC = 0.0
#: Halvings of an interval of at most 150 degC: what is left is far below what a thermometer shows.
HALVINGS = 40
COLDEST_DEGC = -100.0


def pressure_pa(altitude_m: FloatArray) -> FloatArray:
    """Pressure of the standard atmosphere at an altitude (ASHRAE 2017, ch. 1, eq. 3)."""
    return np.asarray(SEA_LEVEL_PA * (1 - FALL_PER_M * altitude_m) ** FALL_EXPONENT)


def saturation_pa(temperature_degc: FloatArray) -> FloatArray:
    """Pressure of saturated vapour, -100 to 200 degC (ASHRAE 2017, ch. 1, eqs 5 and 6)."""
    kelvin = temperature_degc + DEGC["K"][0]
    return np.where(temperature_degc <= TRIPLE_POINT_DEGC, _pressure(kelvin, OVER_ICE), _pressure(kelvin, OVER_WATER))


def _pressure(kelvin: FloatArray, fit: tuple[tuple[float, ...], float]) -> FloatArray:
    powers, logarithm = fit
    total = sum(coefficient * kelvin ** (k - 1.0) for k, coefficient in enumerate(powers))
    return np.exp(total + logarithm * np.log(kelvin))


def dew_point_degc(vapour_pa: FloatArray) -> FloatArray:
    """The temperature at which vapour of this pressure saturates the air."""

    def saturated(temperature: FloatArray) -> BoolArray:
        return saturation_pa(temperature) > vapour_pa

    return _halved(np.full_like(vapour_pa, COLDEST_DEGC), np.full_like(vapour_pa, -COLDEST_DEGC), saturated)


def relative_humidity_pct(dry_bulb_degc: FloatArray, dew_point_degc: FloatArray) -> FloatArray:
    """Relative humidity from the dew point, at most 100 (ASHRAE 2017, ch. 1, eqs 22 and 37)."""
    share = saturation_pa(dew_point_degc) / saturation_pa(dry_bulb_degc)
    return np.minimum(share, 1.0) / SHARE_PER_PCT


def wet_bulb_degc(dry_bulb_degc: FloatArray, humidity_pct: FloatArray, air_pa: FloatArray) -> FloatArray:
    """Thermodynamic wet-bulb temperature (ASHRAE 2017, ch. 1: eqs 20, 33 and 35, solved by halving intervals).

    ``air_pa`` is the pressure of the air, see :func:`pressure_pa`. The balance jumps at 0 degC, where water freezes;
    close to it two temperatures may fit, and the one that halving from dew point and dry bulb meets is given.
    """
    vapour_pa = humidity_pct * SHARE_PER_PCT * saturation_pa(dry_bulb_degc)
    ratio = _humidity_ratio(vapour_pa, air_pa)

    def too_warm(wet: FloatArray) -> BoolArray:
        saturated = _humidity_ratio(saturation_pa(wet), air_pa)
        balance = np.where(
            wet >= FREEZING_DEGC,
            _balance(dry_bulb_degc, wet, saturated, WET),
            _balance(dry_bulb_degc, wet, saturated, ICY),
        )
        return balance > ratio

    return _halved(np.minimum(dew_point_degc(vapour_pa), dry_bulb_degc), np.array(dry_bulb_degc, dtype=float), too_warm)


def _humidity_ratio(vapour_pa: FloatArray, air_pa: FloatArray) -> FloatArray:
    """Water in the air (ASHRAE 2017, ch. 1, eq. 20)."""
    return MASS_RATIO * vapour_pa / (air_pa - vapour_pa)


def _balance(dry: FloatArray, wet: FloatArray, saturated: FloatArray, heats: tuple[float, ...]) -> FloatArray:
    """The humidity ratio of air with this dry and wet bulb (ASHRAE 2017, ch. 1, eqs 33 and 35)."""
    latent, change, vapour, liquid = heats
    return ((latent - change * wet) * saturated - DRY_AIR * (dry - wet)) / (latent + vapour * dry - liquid * wet)


def _halved(low: FloatArray, high: FloatArray, too_high: Callable[[FloatArray], BoolArray]) -> FloatArray:
    """Where a test turns true between two bounds, cell by cell."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = too_high(middle)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def stull_wet_bulb_degc(dry_bulb_degc: FloatArray, humidity_pct: FloatArray) -> FloatArray:
    """Wet bulb at sea level by one formula, for 5 to 99 % and -20 to 50 degC, within 1 degC.

    Source: Stull, "Wet-bulb temperature from relative humidity and air temperature", J. Appl. Meteorol. Climatol. 50
    (2011), eq. 1.
    """
    t, rh = dry_bulb_degc, humidity_pct
    return np.asarray(
        t * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(t + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )
