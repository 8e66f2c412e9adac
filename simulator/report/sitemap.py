"""The map: where the burden lies. Circles whose area is a site's footprint, on outlines of the land."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .atlas import land
from .labels import label_layers, shortened, spots
from .numbers import rounded
from .palette import COLOURS, INK
from .saved import Saved
from .section import Figure, Part, Remark, Section, choice, titled

_DEGREES = ["latitude_deg", "longitude_deg"]
_KINDS = {"water_m3": ("water", "m³", COLOURS[0]), "carbon_t": ("carbon", "t", COLOURS[1])}
#: Area of the largest circle of a few sites, of as many sites as there may be, and of the marks of origins [px2].
_LARGEST_PX2, _LEAST_PX2, _ORIGIN_PX2 = 1500, 120, 22
_FEW_SITES = 20
#: The map on a telephone, for labels; above so many sites there are none.
_MAP_PX = (350.0, 165.0)
_MOST_LABELS = 40
_NORTH_DEG, _SOUTH_DEG = 84.0, -56.0


def site_map(saved: Saved) -> Section:
    """Water and carbon of each site on a map, one policy at a time."""
    heading = "Where the burden lies"
    sites, origins = saved.tables["sites"], saved.tables["origins"]
    if not set(_DEGREES) <= set(sites):
        return Section(heading, "", [Remark("These results hold no coordinates of the sites, so there is no map.")])
    known = sites.dropna(subset=_DEGREES)
    count, missing = sites["site"].nunique(), sites["site"].nunique() - known["site"].nunique()
    if known.empty:
        return Section(heading, "", [Remark("No site has a latitude and a longitude, so there is no map.")])
    parts: list[Part] = []
    if missing:
        parts.append(Remark(f"{missing:,} of {count:,} sites have no coordinates and are not on the map."))
    marks = origins.dropna(subset=_DEGREES) if set(_DEGREES) <= set(origins) else origins.iloc[:0]
    parts += [_figure(saved, known, marks, column) for column in _KINDS]
    explanation = (
        "The area of a circle is the footprint of its site over the run; the largest circle is the largest footprint "
        "under any policy, so that policies can be compared. Small crosses are the origins of requests."
    )
    return Section(heading, explanation, parts)


def _figure(saved: Saved, sites: pd.DataFrame, origins: pd.DataFrame, column: str) -> Figure:
    name, unit, ink = _KINDS[column]
    largest = float(sites[column].max()) or 1.0
    area_px2 = max(_LEAST_PX2, _LARGEST_PX2 * min(1.0, _FEW_SITES / sites["site"].nunique()))
    world = alt.Chart(alt.NamedData("land")).mark_geoshape(fill="#e4e7ea", stroke="white", strokeWidth=0.5)
    layers: list[alt.Chart] = [world]
    if not origins.empty:
        places = origins.drop_duplicates("origin")[["origin", *_DEGREES]]
        layers.append(
            alt.Chart(places)
            .mark_point(shape="cross", filled=True, size=_ORIGIN_PX2, color=INK, opacity=0.55)
            .encode(**_position(), tooltip=[alt.Tooltip("origin", type="nominal")])
        )
    table = sites[["policy", "site", *_DEGREES, column]].assign(**{column: sites[column].map(rounded)})
    circles = (
        alt.Chart(table)
        .transform_filter("datum.policy === policy")
        .mark_circle(color=ink, opacity=0.55, stroke=ink, strokeWidth=1)
        .encode(
            **_position(),
            size=alt.Size(
                column,
                type="quantitative",
                scale=alt.Scale(domain=[0, largest], range=[0, area_px2]),
                legend=alt.Legend(
                    title=f"{name}, {unit}", tickCount=3, symbolFillColor="transparent", symbolStrokeColor=ink
                ),
            ),
            tooltip=[
                alt.Tooltip("site", type="nominal"),
                alt.Tooltip(column, type="quantitative", format=",.4~g", title=f"{name}, {unit}"),
            ],
        )
    )
    layers += [circles, *_labels(sites)]
    chart = (
        alt.layer(*layers)
        .project("equalEarth")
        .properties(title=titled(f"policy + ': {name} of each site, {unit}'"))
        .add_params(choice("policy", "Policy", saved.policies))
    )
    caption = f"A map of the world with a circle for each site, as large as its {name}."
    return Figure(f"map-{name}", chart, caption, is_wide=False, share=0.45, tables={"land": [land()]})


def _position() -> dict[str, Any]:
    return {
        "latitude": alt.Latitude("latitude_deg", type="quantitative"),
        "longitude": alt.Longitude("longitude_deg", type="quantitative"),
    }


def _labels(sites: pd.DataFrame) -> list[alt.Chart]:
    """Names of the sites that find room."""
    places = sites.drop_duplicates("site")[["site", *_DEGREES]]
    if len(places) > _MOST_LABELS:
        return []
    x = (places["longitude_deg"] + 180) / 360 * _MAP_PX[0]
    y = (_NORTH_DEG - places["latitude_deg"]) / (_NORTH_DEG - _SOUTH_DEG) * _MAP_PX[1]
    texts = [shortened(str(name)) for name in places["site"]]
    at = spots(np.column_stack([x, y]), texts, _MAP_PX)
    base = alt.Chart(places.assign(label=texts, spot=at)).encode(**_position())
    return label_layers(base, at)
