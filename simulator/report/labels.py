"""Labels beside points: where each one finds room, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import altair as alt
import numpy as np

from simulator.fleet import FloatArray

#: Size of a letter of 11 px, and half the size of a point.
_LETTER_PX, _LINE_PX, _POINT_PX = 6.2, 13.0, 6.0
_LONGEST = 26
#: A chart on a telephone, for which labels are placed; on a larger screen there is more room between the points.
PLOT_PX = (280.0, 250.0)


class Spot(NamedTuple):
    """A place for a label: how the text is set against its point."""

    align: Literal["left", "center", "right"]
    baseline: Literal["top", "middle", "bottom"]
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


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A name that fits beside a point."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


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


def labelled(
    names: Sequence[str], points: Sequence[tuple[float, float]], least: float | None = None
) -> dict[str, list[str]]:
    """Columns ``label`` and ``spot`` for points of a chart with :func:`padded` axes, the upright one from ``least``."""
    texts = [shortened(name) for name in names]
    if not points:
        return {"label": [], "spot": []}
    across, up = ([point[k] for point in points] for k in (0, 1))
    x = in_pixels(across, padded(across), PLOT_PX[0])
    y = PLOT_PX[1] - in_pixels(up, padded(up, least), PLOT_PX[1])
    return {"label": texts, "spot": spots(np.column_stack([x, y]), texts, PLOT_PX)}


def padded(values: Sequence[float], least: float | None = None) -> tuple[float, float]:
    """An axis from a little below the smallest value to a little above the largest one; from ``least`` if given."""
    low, high = min(values), max(values)
    room = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
    return (low - room, high + room) if least is None else (least, max(high + room, least + room))


def in_pixels(values: Sequence[float], domain: tuple[float, float], size_px: float) -> FloatArray:
    """Values of a linear axis as pixels from its beginning."""
    low, high = domain
    return (np.asarray(values, dtype=float) - low) / ((high - low) or 1.0) * size_px


def label_layers(base: alt.Chart, used: Sequence[str]) -> list[alt.Chart]:
    """One layer of text for each spot in use: columns ``label`` and ``spot`` of the data, drawn where points are."""
    return [
        # Not a filter: a layer may not be empty, or its axes complain.
        base.transform_calculate(shown=f"datum.spot === '{key}' ? datum.label : ''")
        .mark_text(align=SPOTS[key].align, baseline=SPOTS[key].baseline, dx=SPOTS[key].dx, dy=SPOTS[key].dy)
        .encode(text=alt.Text("shown", type="nominal"))
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
