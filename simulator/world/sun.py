"""The sun: where it stands, and what a sky without clouds lets through to flat ground."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import FloatArray
from simulator.units import S_PER_MIN, US_PER_S

#: Noon UTC of this day is where days are counted from.
EPOCH = np.datetime64("2000-01-01T12:00", "us")
#: J. J. Michalsky, "The Astronomical Almanac's algorithm for approximate solar position (1950-2050)", Solar Energy 40
#: (1988): degrees at the epoch and degrees a day, within 0.01 degrees in those years.
MEAN_LONGITUDE_DEG = (280.460, 0.9856474)
MEAN_ANOMALY_DEG = (357.528, 0.9856003)
OBLIQUITY_DEG = (23.439, -4e-7)
#: Of the sine of the anomaly and of twice the anomaly.
CENTRE_DEG = (1.915, 0.020)
#: B. Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2 (1945):
#: global horizontal irradiance = 1098 W/m2 x cos z x exp(-0.059 / cos z), z the zenith angle.
HAURWITZ_W_PER_M2, HAURWITZ_EXTINCTION = 1098.0, 0.059
#: Irradiance at which the capacity of panels is stated (IEC 60904-3, standard test conditions).
STANDARD_W_PER_M2 = 1000.0
#: A slot's mean is taken over steps of at most this length, at their middles.
STEP_S = 5 * S_PER_MIN


class Sun(NamedTuple):
    """The sun as all of the Earth sees it, [times], rad."""

    declination: FloatArray
    """How far north of the equator it stands."""
    ahead: FloatArray
    """The equation of time: how far a sundial is ahead of a clock of mean time, as a turn of the Earth."""


def sun_at(times: NDArray[np.datetime64]) -> Sun:
    """The sun at some times (UTC), by the low-precision formulas of the Astronomical Almanac."""
    days = (times - EPOCH) / np.timedelta64(1, "D")
    mean, anomaly, obliquity = (
        np.radians(first + a_day * days) for first, a_day in (MEAN_LONGITUDE_DEG, MEAN_ANOMALY_DEG, OBLIQUITY_DEG)
    )
    once, twice = CENTRE_DEG
    longitude = mean + np.radians(once * np.sin(anomaly) + twice * np.sin(2 * anomaly))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    return Sun(
        declination=np.arcsin(np.sin(obliquity) * np.sin(longitude)),
        ahead=(mean - ascension + np.pi) % (2 * np.pi) - np.pi,
    )


def cos_zenith(times: NDArray[np.datetime64], latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Cosine of the sun's zenith angle at some times (UTC), [times, sites]; below 0 at night.

    cos z = sin(latitude) sin(declination) + cos(latitude) cos(declination) cos(hour angle).
    """
    sun = sun_at(times)
    clock = 2 * np.pi * ((times - times.astype("datetime64[D]")) / np.timedelta64(1, "D"))
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    hour_angle = (clock + sun.ahead)[:, None] + longitude - np.pi
    up = sun.declination[:, None]
    return np.sin(latitude) * np.sin(up) + np.cos(latitude) * np.cos(up) * np.cos(hour_angle)


def clear_sky_w_per_m2(cos_z: FloatArray) -> FloatArray:
    """Global irradiance on flat ground under a sky without clouds, by Haurwitz; nothing when the sun is down."""
    up = np.maximum(cos_z, np.finfo(float).tiny)
    return np.where(cos_z > 0, HAURWITZ_W_PER_M2 * up * np.exp(-HAURWITZ_EXTINCTION / up), 0.0)


def clear_sky_shares(
    start: datetime, slots: int, slot_s: float, coordinates_deg: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Mean irradiance of each slot as a share of the standard one, [slots, sites], at latitudes and longitudes."""
    steps = int(np.ceil(slot_s / STEP_S))
    total = np.zeros((slots, len(coordinates_deg[0])))
    first = np.datetime64(start.replace(tzinfo=None), "us")
    for k in range(steps):
        seconds = (np.arange(slots) + (k + 0.5) / steps) * slot_s
        times = first + np.round(seconds * US_PER_S).astype("timedelta64[us]")
        total += clear_sky_w_per_m2(cos_zenith(times, *coordinates_deg))
    return total / (steps * STANDARD_W_PER_M2)
