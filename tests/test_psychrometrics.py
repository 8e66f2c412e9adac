"""The wet bulb: against psychrolib (ASHRAE 2017) and against printed figures.

ASHRAE Handbook - Fundamentals 2017, ch. 1, table 3: saturation pressure 103.24 Pa at -20 degC, 401.74 at -5, 872.6 at
5, 3169.7 at 25 and 12351.3 at 50 degC. Stull (2011): 20 degC and 50 % give 13.7 degC.
"""

from __future__ import annotations

import numpy as np
import psychrolib
import pytest

from simulator.psychrometrics import (
    dew_point_degc,
    pressure_pa,
    relative_humidity_pct,
    saturation_pa,
    stull_wet_bulb_degc,
    wet_bulb_degc,
)


def one(value: float) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize(("degc", "pa"), [(-20, 103.24), (-5, 401.74), (5, 872.6), (25, 3169.7), (50, 12351.3)])
def test_saturation_pressure_is_that_of_the_printed_table(degc, pa):
    assert saturation_pa(one(degc))[0] == pytest.approx(pa, rel=3e-4)


def test_the_standard_atmosphere_by_its_table():
    """ASHRAE 2017, ch. 1, table 1: 101.325 kPa at 0 m, 95.461 at 500 m, 89.874 at 1000 m, 79.495 at 2000 m."""
    np.testing.assert_allclose(
        pressure_pa(np.array([0, 500, 1000, 2000])) / 1000, [101.325, 95.461, 89.874, 79.495], atol=2e-3
    )


def test_the_wet_bulb_is_that_of_psychrolib_from_frost_to_heat_and_from_the_sea_to_the_mountains():
    psychrolib.SetUnitSystem(psychrolib.SI)
    grids = np.meshgrid(
        np.arange(-20, 50.1, 3.5), np.array([5, 15, 35, 55, 75, 90, 100.0]), np.array([0, 600, 1500, 2500.0])
    )
    dry, humidity, altitude = (grid.ravel() for grid in grids)
    theirs = [
        psychrolib.GetTWetBulbFromRelHum(t, rh / 100, psychrolib.GetStandardAtmPressure(z))
        for t, rh, z in zip(dry, humidity, altitude, strict=True)
    ]
    np.testing.assert_allclose(wet_bulb_degc(dry, humidity, pressure_pa(altitude)), theirs, atol=0.02)


def test_near_freezing_the_wet_bulb_is_that_of_psychrolib_too():
    psychrolib.SetUnitSystem(psychrolib.SI)
    dry, humidity = (grid.ravel() for grid in np.meshgrid(np.arange(-2, 8, 0.23), np.array([20, 40, 60, 80, 98.0])))
    theirs = [psychrolib.GetTWetBulbFromRelHum(t, rh / 100, 101325.0) for t, rh in zip(dry, humidity, strict=True)]
    ours = wet_bulb_degc(dry, humidity, np.full(dry.shape, 101325.0))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_saturated_air_has_the_wet_bulb_of_its_temperature():
    np.testing.assert_allclose(wet_bulb_degc(one(25.0), one(100.0), one(101325.0)), 25.0, atol=1e-6)


def test_thin_air_evaporates_more():
    low, high = (wet_bulb_degc(one(30.0), one(30.0), pressure_pa(one(z)))[0] for z in (0.0, 2000.0))
    assert high < low - 0.3


def test_dew_point_and_humidity_are_each_other_s_inverse():
    dry, humidity = np.array([-10.0, 5.0, 35.0]), np.array([80.0, 55.0, 20.0])
    dew = dew_point_degc(humidity / 100 * saturation_pa(dry))
    np.testing.assert_allclose(relative_humidity_pct(dry, dew), humidity, rtol=1e-9)
    assert relative_humidity_pct(one(20.0), one(21.0))[0] == pytest.approx(100)


def test_stull_by_his_own_example_and_near_the_balance():
    """He states errors of -1 to 0.65 degC at sea level."""
    assert stull_wet_bulb_degc(one(20.0), one(50.0))[0] == pytest.approx(13.7, abs=0.05)
    balance = wet_bulb_degc(one(35.0), one(40.0), one(101325.0))
    np.testing.assert_allclose(stull_wet_bulb_degc(one(35.0), one(40.0)), balance, atol=0.65)
