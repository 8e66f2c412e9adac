"""Units: the only place where factors between units are written.

Inside the package time is in seconds, energy in kWh, money in US$, carbon in kg, water in L.
Every other unit is converted here, at the border, by a named constant: ``kw * S_PER_H``.
"""

from typing import TypeVar

_Values = TypeVar("_Values")

S_PER_H = 3600.0
S_PER_MIN = 60.0
S_PER_MS = 1e-3
US_PER_S = 1e6
H_PER_DAY = 24
S_PER_DAY = H_PER_DAY * S_PER_H
#: Of 365 days.
S_PER_YEAR = 365 * H_PER_DAY * S_PER_H

J_PER_WH = 3600.0
J_PER_KWH = 3.6e6
W_PER_KW = 1e3
KWH_PER_MWH = 1e3

KG_PER_T = 1e3
SHARE_PER_PCT = 1e-2
L_PER_M3 = 1e3

#: Price of energy: factor to US$/kWh.
USD_PER_KWH = {"USD/kWh": 1.0, "USD/MWh": 1e-3}
#: Carbon intensity: factor to kg/kWh (1 lb = 0.45359237 kg, exactly).
KG_PER_KWH = {"kg/kWh": 1.0, "g/kWh": 1e-3, "kg/MWh": 1e-3, "t/MWh": 1.0, "lb/MWh": 0.45359237e-3}
#: Water intensity: factor to L/kWh (1 US gallon = 3.785411784 L, exactly).
L_PER_KWH = {"L/kWh": 1.0, "L/MWh": 1e-3, "m3/MWh": 1.0, "gal/kWh": 3.785411784, "gal/MWh": 3.785411784e-3}
#: Temperature: (value - zero) x size = degC, as (zero, size).
DEGC = {"degC": (0.0, 1.0), "degF": (32.0, 5 / 9), "K": (273.15, 1.0)}
#: Relative humidity: factor to per cent.
PCT = {"%": 1.0, "1": 100.0}


def degc(values: _Values, unit: str) -> _Values:
    """Temperatures of some unit (numbers or arrays) in degC."""
    zero, size = DEGC[unit]
    return (values - zero) * size  # type: ignore


def degf(values: _Values) -> _Values:
    """Temperatures in degC (numbers or arrays) as degF."""
    zero, size = DEGC["degF"]
    return values / size + zero  # type: ignore
