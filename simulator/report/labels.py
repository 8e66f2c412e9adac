"""Labels beside points: where each one finds room, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np

from simulator.fleet import FloatArray

#: Size of a letter of 11 px, and half the size of a point.
_LETTER_PX, _LINE_PX, _POINT_PX = 6.2, 13.0, 6.0
_LONGEST = 26


class Spot(NamedTuple):
    """A place for a label: how the text is set against its point."""

    align: str
    baseline: str
    dx: float
    dy: float


#: In the order in which they are tried.
SPOTS = {
    "right": Spot("left", "middle", 9, 0),
    "left": Spot("right", "middle", -9, 0),
    "above": Spot("center", "bottom", 0, -8),
    "below": Spot("center", "top", 0, 8),
    "above-right": Spot("left", "bottom", 6, -5),
    "below-right": Spot("left", "top", 6, 5),
    "above-left": Spot("right", "bottom", -6, -5),
    "below-left": Spot("right", "top", -6, 5),
}


def shortened(text: str) -> str:
    """A name that fits beside a point."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def spots(points_px: FloatArray, texts: Sequence[str], size_px: tuple[float, float]) -> list[str]:
    """For each point the key of the spot of its label, or nothing where there is no room.

    ``points_px`` [points, 2], from the upper left corner of a picture of ``size_px``.
    """
    taken = [(x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX) for x, y in points_px]
    found = []
    for (x, y), text in zip(points_px, texts, strict=True):
        boxes = {key: _box(x, y, text, spot) for key, spot in SPOTS.items()}
        free = [
            key
            for key, box in boxes.items()
            if _inside(box, size_px) and not any(_overlap(box, other) for other in taken if not _is_own(other, x, y))
        ]
        if free:
            taken.append(boxes[free[0]])
        found.append(free[0] if free else "")
    return found


def in_pixels(values: Sequence[float], domain: tuple[float, float], size_px: float) -> FloatArray:
    """Values of a linear axis as pixels from its beginning."""
    low, high = domain
    return (np.asarray(values, dtype=float) - low) / ((high - low) or 1.0) * size_px


def label_layers(base: alt.Chart, text: str, spot: str, used: Sequence[str], **encoding: Any) -> list[alt.Chart]:
    """One layer of text for each spot in use: columns ``text`` and ``spot`` of the data, drawn where points are."""
    return [
        base.transform_filter(alt.FieldEqualPredicate(field=spot, equal=key))
        .mark_text(align=SPOTS[key].align, baseline=SPOTS[key].baseline, dx=SPOTS[key].dx, dy=SPOTS[key].dy)  # type: ignore[arg-type]
        .encode(text=alt.Text(field=text, type="nominal"), **encoding)
        for key in SPOTS
        if key in set(used)
    ]


def _box(x: float, y: float, text: str, spot: Spot) -> tuple[float, float, float, float]:
    width = _LETTER_PX * len(text)
    left = {"left": 0.0, "center": -width / 2, "right": -width}[spot.align]
    top = {"top": 0.0, "middle": -_LINE_PX / 2, "bottom": -_LINE_PX}[spot.baseline]
    return (x + spot.dx + left, y + spot.dy + top, x + spot.dx + left + width, y + spot.dy + top + _LINE_PX)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_own(box: tuple[float, float, float, float], x: float, y: float) -> bool:
    return bool(box == (x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX))


def _inside(box: tuple[float, float, float, float], size_px: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= -_LINE_PX and box[2] <= size_px[0] and box[3] <= size_px[1]
