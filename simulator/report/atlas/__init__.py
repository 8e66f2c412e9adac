"""The world's land, 1:110 million: Natural Earth (public domain) as packed by world-atlas 2.0.2 (ISC, see LICENSE)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

#: Nobody has a data centre south of this latitude, and maps are better without the ice.
_SOUTHERN_END_DEG = -58.0
#: Decimals of a degree: 11 km, less than the map shows.
_DECIMALS = 1

Ring = list[list[float]]


@cache
def land() -> dict[str, Any]:
    """All land but Antarctica as one GeoJSON feature, in degrees."""
    topology = json.loads(files(__package__).joinpath("land-110m.json").read_text(encoding="utf-8"))
    arcs = [_degrees(arc, topology["transform"]) for arc in topology["arcs"]]
    polygons = [
        [_ring(ring, arcs) for ring in polygon]
        for geometry in topology["objects"]["land"]["geometries"]
        for polygon in geometry["arcs"]
    ]
    shown = [polygon for polygon in polygons if max(north for _, north in polygon[0]) > _SOUTHERN_END_DEG]
    return {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": shown}, "properties": {}}


def _degrees(arc: list[list[int]], transform: dict[str, list[float]]) -> Ring:
    """A line of a topology, which holds each point as its step from the one before."""
    (wide, high), (west, south) = transform["scale"], transform["translate"]
    east = north = 0
    line = []
    for step in arc:
        east, north = east + step[0], north + step[1]
        line.append([round(east * wide + west, _DECIMALS), round(north * high + south, _DECIMALS)])
    return line


def _ring(numbers: list[int], arcs: list[Ring]) -> Ring:
    """A closed line made of arcs; ``~number`` is an arc backwards. Each begins where the one before ends."""
    points: Ring = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc if not points else arc[1:]
    kept = [points[0], *(later for earlier, later in pairwise(points) if later != earlier)]
    return kept
