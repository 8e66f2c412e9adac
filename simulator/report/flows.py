"""Flows: which sites serve the requests of which origins."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from simulator.fleet import FloatArray

from .bins import grouped, shown_names
from .numbers import rounded
from .palette import INK
from .saved import Saved
from .section import Figure, Remark, Section, choice, titled

#: Rows and columns of the largest map.
_MOST = 24
_EARTH_RADIUS_KM = 6371.0


def flows(saved: Saved) -> Section:
    """The share of each origin's routed requests that each site got, one policy at a time."""
    heading, routed = "Who serves whom", saved.tables["flows"]
    if routed.empty:
        return Section(heading, "", [Remark("No request was routed to a site.")])
    origins, sites = _groups(saved, "origin"), _groups(saved, "site")
    table, rows, columns = _shares(routed, origins, sites), _ordered(saved, "origin"), _ordered(saved, "site")
    order = {"origin": _shown(rows, origins), "site": _shown(columns, sites)}
    table = _with_distance(saved, table)
    base = (
        alt.Chart(table)
        .transform_filter("datum.policy === policy")
        .encode(
            x=alt.X(
                "site",
                type="nominal",
                scale=alt.Scale(domain=order["site"]),
                axis=alt.Axis(labelAngle=-40, labelLimit=110, title="site", grid=False),
            ),
            y=alt.Y(
                "origin",
                type="nominal",
                scale=alt.Scale(domain=order["origin"]),
                axis=alt.Axis(labelLimit=110, title="origin", grid=False),
            ),
        )
    )
    squares = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color(
            "percent",
            type="quantitative",
            scale=alt.Scale(domain=[0, 100], range=["#f2f6fa", "#08519c"], interpolate="lab"),
            legend=alt.Legend(title="% of the origin's requests", gradientLength=160),
        ),
        tooltip=[
            alt.Tooltip("origin", type="nominal"),
            alt.Tooltip("site", type="nominal"),
            alt.Tooltip("requests", type="quantitative", format=",.0f"),
            alt.Tooltip("percent", type="quantitative", format=".1f", title="% of the origin's requests"),
            alt.Tooltip("km", type="quantitative", format=",.0f", title="great circle, km"),
        ],
    )
    numbers = (
        base.transform_filter("datum.percent >= 0.5")
        .mark_text(fontSize=10)
        .encode(
            text=alt.Text("percent", type="quantitative", format=".0f"),
            color=alt.condition("datum.percent > 50", alt.value("white"), alt.value(INK)),
        )
    )
    chart = (
        alt.layer(squares, numbers)
        .properties(title=titled("policy + ': % of each origin\\'s requests'"))
        .add_params(choice("policy", "Policy", saved.policies))
    )
    explanation = (
        "Each row is an origin, each column a site; the numbers of a row add up to 100 %. Origins and sites stand from "
        "west to east where their places are known, so that near ones meet on the diagonal."
    )
    height = 110 + 27 * len(order["origin"])
    return Section(heading, explanation, [Figure("flows", chart, "Shares of requests by origin and site.", height)])


def _groups(saved: Saved, kind: str) -> dict[str, str]:
    weights = saved.tables[f"{kind}s"].groupby(kind, sort=False)["requests"].sum()
    return grouped(weights, f"{kind}s", _MOST)


def _ordered(saved: Saved, kind: str) -> list[str]:
    """Names from west to east; as they were given where not all places are known."""
    places = saved.tables[f"{kind}s"].drop_duplicates(kind)
    if "longitude_deg" in places and places["longitude_deg"].notna().all():
        places = places.sort_values("longitude_deg", kind="stable")
    return [str(name) for name in places[kind]]


def _shown(ordered: list[str], names: dict[str, str]) -> list[str]:
    return shown_names({name: names[name] for name in ordered})


def _shares(routed: pd.DataFrame, origins: dict[str, str], sites: dict[str, str]) -> pd.DataFrame:
    shown = routed.assign(origin=routed["origin"].map(origins), site=routed["site"].map(sites))
    table = shown.groupby(["policy", "origin", "site"], sort=False, observed=True)["requests"].sum().reset_index()
    whole = table.groupby(["policy", "origin"], observed=True)["requests"].transform("sum")
    return table.assign(percent=(100 * table["requests"] / whole).map(rounded))


def _with_distance(saved: Saved, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the great circle between both places, empty where one is not known."""
    degrees = ["latitude_deg", "longitude_deg"]
    for kind in ("origin", "site"):
        places = saved.tables[f"{kind}s"].drop_duplicates(kind).set_index(kind)
        if not set(degrees) <= set(places):
            return table.assign(km=np.nan)
        table = table.join(places[degrees].add_prefix(f"{kind}_"), on=kind)
    here, there = (np.radians(table[[f"{kind}_{name}" for name in degrees]].to_numpy()) for kind in ("origin", "site"))
    km = [rounded(value, 4) for value in great_circle_km(here, there)]
    return table[["policy", "origin", "site", "requests", "percent"]].assign(km=km)


def great_circle_km(here: FloatArray, there: FloatArray) -> FloatArray:
    """Distances between places, latitude and longitude in radians, [places, 2]: the haversine formula."""
    north, east = (there - here).T
    half = np.sin(north / 2) ** 2 + np.cos(here[:, 0]) * np.cos(there[:, 0]) * np.sin(east / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
