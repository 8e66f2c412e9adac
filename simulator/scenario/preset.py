"""Presets: files as public platforms hand them out, so that nobody need spell their headers (docs/data.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Preset(NamedTuple):
    """What is known of a platform's files. Of several headers the first one that a file has is meant."""

    time: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    """Quantity -> headers of its values."""
    units: Mapping[str, str]
    """Quantity -> unit."""
    timezone: str = "UTC"
    """``file``: as the file says, in the header of its time column or in lines above it."""
    stamp: Literal["start", "end", "instant"] = "start"
    head: bool = False
    """Other lines may stand above the header, which is the first one with a time column."""
    periods: bool = False
    """The time column holds start and end, ``22.09.2022 00:00 - 22.09.2022 01:00``."""
    fuel: str = ""
    """In files with a row for each fuel, the header that names it."""
    one: str = ""
    """The header under which all rows that are read must have the same word."""


_MAPS = Preset(
    time=("Datetime (UTC)",),
    columns={"carbon": ("Carbon intensity gCO₂eq/kWh (Life cycle)", "Carbon Intensity gCO₂eq/kWh (LCA)")},
    units={"carbon": "g/kWh"},
)

PRESETS: Mapping[str, Preset] = {
    "electricity-maps": _MAPS,
    "electricity-maps-direct": _MAPS._replace(
        columns={"carbon": ("Carbon intensity gCO₂eq/kWh (direct)", "Carbon Intensity gCO₂eq/kWh (direct)")}
    ),
    "entso-e": Preset(
        time=("MTU (UTC)", "MTU (CET/CEST)"),
        columns={"price": ("Day-ahead Price (EUR/MWh)", "Day-ahead Price [EUR/MWh]")},
        units={"price": "USD/MWh"},
        timezone="file",
        periods=True,
    ),
    "eia": Preset(
        time=("period",),
        columns={"mix": ("value",)},
        units={"mix": "MWh"},
        stamp="end",
        fuel="fueltype",
        one="respondent",
    ),
    "open-meteo": Preset(
        time=("time",),
        columns={
            "dry_bulb": ("temperature_2m (°C)",),
            "dew_point": ("dew_point_2m (°C)", "dewpoint_2m (°C)"),
            "wet_bulb": ("wet_bulb_temperature_2m (°C)",),
            "relative_humidity": ("relative_humidity_2m (%)", "relativehumidity_2m (%)"),
        },
        units={"temperature": "degC", "humidity": "%"},
        timezone="file",
        stamp="instant",
        head=True,
    ),
    "iem-asos": Preset(
        time=("valid",),
        columns={"dry_bulb": ("tmpf",), "dew_point": ("dwpf",), "relative_humidity": ("relh",)},
        units={"temperature": "degF", "humidity": "%"},
        stamp="instant",
        head=True,
    ),
}
#: Time zones of the headers of time columns, by what stands in their brackets.
ZONES = {"UTC": "UTC", "CET/CEST": "Europe/Brussels"}
#: Codes of EIA's fuels in the words of the catalogue. Storage moves energy and makes none: it is left out.
EIA_FUELS = {
    **{"NG": "natural gas", "COL": "coal", "NUC": "nuclear", "OIL": "oil", "SUN": "solar", "WAT": "hydro"},
    **{"WND": "wind", "OTH": "other", "UNK": "other", "GEO": "other", "SNB": "solar", "WNB": "wind"},
    **{"BAT": "none", "PS": "none", "OES": "none", "UES": "none"},
}
