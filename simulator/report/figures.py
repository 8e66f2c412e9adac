"""Figures: charts as specifications with their data apart, and as PDF, SVG or PNG without a browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from .palette import CONFIG
from .section import Figure, Section

Rows = list[dict[str, Any]]
_WIDE_PX, _HALF_PX = 720, 480
_PNG_SCALE = 2


def specification(figure: Figure) -> tuple[dict[str, Any], dict[str, Rows]]:
    """The specification of a chart in Vega-Lite, and the rows that it names."""
    with alt.data_transformers.enable("default", max_rows=None), alt.theme.enable("none"):
        made: dict[str, Any] = figure.chart.to_dict(validate=False)
    made.pop("config", None)
    made |= {"width": "container", "height": figure.height_px}
    return made, {**made.pop("datasets", {}), **figure.tables}


def static(figure: Figure) -> dict[str, Any]:
    """The specification of a chart on paper: of a width of its own, its data inside."""
    made, rows = specification(figure)
    width = _WIDE_PX if figure.is_wide else _HALF_PX
    height = round(width * figure.share) if figure.share else figure.height_px
    sizes = {"width": width, "height": height, "autosize": {"type": "pad"}}
    return made | {"datasets": rows, "config": CONFIG} | sizes


def drawn(figure: Figure, form: str) -> bytes:
    """The chart as a file of this form."""
    made, version = static(figure), vega_lite()
    if form == "svg":
        return vl_convert.vegalite_to_svg(made, vl_version=version).encode()
    convert: Callable[..., bytes] = vl_convert.vegalite_to_pdf if form == "pdf" else vl_convert.vegalite_to_png
    return convert(made, vl_version=version, **({"scale": _PNG_SCALE} if form == "png" else {}))


def write_figures(sections: Sequence[Section], folder: Path, form: str) -> list[Path]:
    """Every chart as ``folder/NAME.form``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures_of(sections):
        file = folder / f"{figure.name}.{form}"
        file.write_bytes(drawn(figure, form))
        written.append(file)
    return written


def figures_of(sections: Sequence[Section]) -> list[Figure]:
    """The charts of all sections."""
    return [part for section in sections for part in section.parts if isinstance(part, Figure)]


def vega_lite() -> str:
    """The version of Vega-Lite that altair speaks, as its converter names it."""
    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


@cache
def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script; nothing is fetched."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vega_lite()))
