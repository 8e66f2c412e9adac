"""The sun: where it stands, and what a sky without clouds lets through to flat ground."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray
from simulator.units import S_PER_MIN, US_PER_S


class Fourier(NamedTuple):
    """A series of waves of an angle."""

    mean: float
    waves: tuple[tuple[float, float], ...]
    """Of cosine and sine of the angle, of twice the angle and so on."""

    def at(self, angle: FloatArray) -> FloatArray:
        """The sum of the series at some angles."""
        total = np.full_like(angle, self.mean)
        for k, (cosine, sine) in enumerate(self.waves, 1):
            total += cosine * np.cos(k * angle) + sine * np.sin(k * angle)
        return total


DAYS_PER_YEAR = 365
#: J. W. Spencer, "Fourier series representation of the position of the sun", Search 2 (1971), by the angle of the
#: year [rad]: the sun's declination, and how far it is ahead of a clock of mean time (as a turn of the Earth) [rad].
DECLINATION = Fourier(0.006918, ((-0.399912, 0.070257), (-0.006758, 0.000907), (-0.002697, 0.00148)))
EQUATION_OF_TIME = Fourier(0.0000075, ((0.001868, -0.032077), (-0.014615, -0.040849)))
#: B. Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2 (1945):
#: global horizontal irradiance = 1098 W/m2 x cos z x exp(-0.059 / cos z), z the zenith angle.
HAURWITZ_W_PER_M2, HAURWITZ_EXTINCTION = 1098.0, 0.059
#: Irradiance at which the capacity of panels is stated (IEC 60904-3, standard test conditions).
STANDARD_W_PER_M2 = 1000.0
#: A slot's mean is taken over steps of at most this length, at their middles.
STEP_S = 5 * S_PER_MIN


def day_angle(start: datetime, seconds: FloatArray) -> FloatArray:
    """The angle of the year [rad] at times in seconds since ``start``: 0 at noon UTC of the first of January.

    As NOAA's "General solar position calculations" has it, with a year of 365 days.
    """
    times = _times(start, seconds)
    days = (times - times.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    return 2 * np.pi * (days - 0.5) / DAYS_PER_YEAR


def cos_zenith(start: datetime, seconds: FloatArray, latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Cosine of the sun's zenith angle, [times, sites]; below 0 at night."""
    angle = day_angle(start, seconds)
    times = _times(start, seconds)
    clock = 2 * np.pi * ((times - times.astype("datetime64[D]")) / np.timedelta64(1, "D"))
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    hour_angle = (clock + EQUATION_OF_TIME.at(angle))[:, None] + longitude - np.pi
    up = DECLINATION.at(angle)[:, None]
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
    for k in range(steps):
        seconds = (np.arange(slots, dtype=np.float64) + (k + 0.5) / steps) * slot_s
        total += clear_sky_w_per_m2(cos_zenith(start, seconds, *coordinates_deg))
    return total / (steps * STANDARD_W_PER_M2)


def _times(start: datetime, seconds: FloatArray) -> np.ndarray:
    """Calendar times, to the microsecond."""
    first = np.datetime64(start.replace(tzinfo=None), "us")
    return first + np.round(seconds * US_PER_S).astype("timedelta64[us]")
