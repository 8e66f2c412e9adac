"""The page: sections as one HTML file that holds everything it needs and fetches nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple

from .figures import Rows, figures_of, javascript, specification
from .palette import CONFIG
from .section import Cell, Figure, Part, Remark, Section, Sentences, Small, Table


class Head(NamedTuple):
    """What stands above the sections."""

    kind: str
    title: str
    question: str
    answer: Sequence[str]
    version: str


def page(head: Head, sections: Sequence[Section]) -> str:
    """The whole file."""
    question = f'<p class="question">{escape(head.question)}</p>' if head.question else ""
    answer = "".join(f'<p class="answer">{escape(sentence)}</p>' for sentence in head.answer)
    contents = "".join(f'<a href="#part-{k}">{escape(one.heading)}</a>' for k, one in enumerate(sections, 1))
    return Template(_file("page.html")).substitute(
        title=escape(head.title),
        kind=escape(head.kind),
        version=escape(head.version),
        lead=f"{question}\n{answer}",
        contents=contents,
        style=_file("page.css"),
        sections="\n".join(_section(one, number) for number, one in enumerate(sections, 1)),
        charts=_in_script(_charts(figures_of(sections))),
        library=javascript(),
        script=_file("page.js"),
    )


def _section(section: Section, number: int) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    explanation = f'<p class="explanation">{escape(section.explanation)}</p>' if section.explanation else ""
    heading = f'<h2 id="part-{number}">{escape(section.heading)}</h2>'
    return f'<section>{heading}\n{explanation}\n<div class="parts">\n{parts}\n</div></section>'


def _part(part: Part) -> str:
    if isinstance(part, Figure):
        return _figure(part)
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Remark):
        return f'<p class="remark">{escape(part.text)}</p>'
    if isinstance(part, Sentences):
        return f'<ul class="sentences">{"".join(f"<li>{escape(text)}</li>" for text in part.texts)}</ul>'
    return _small(part)


def _figure(figure: Figure) -> str:
    width = "wide" if figure.is_wide else "half"
    chart = f'<div class="chart" id="chart-{escape(figure.name)}" role="group" aria-label="{escape(figure.caption)}">'
    return f'<figure class="{width}">{chart}</div><figcaption>{escape(figure.caption)}</figcaption></figure>'


def _table(table: Table) -> str:
    header = "".join(
        f'<th scope="col"{" class=name" if number < table.heads else ""}>{escape(text)}</th>'
        for number, text in enumerate(table.header)
    )
    rows = "\n".join(
        f"<tr>{''.join(_cell(cell, k < table.heads) for k, cell in enumerate(row))}</tr>" for row in table.rows
    )
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    label = escape(table.caption or "Table")
    body = f"<table>{caption}<thead><tr>{header}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{body}</div>'


def _cell(cell: Cell, is_head: bool) -> str:
    if is_head:
        return f'<th scope="row"><span>{escape(cell.text)}</span></th>'
    return f"<td{' class=best' if cell.is_best else ''}>{escape(cell.text)}</td>"


def _small(small: Small) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in small.entries) + "</dl>"


def _charts(figures: Iterable[Figure]) -> dict[str, Any]:
    """Specifications by name, and the tables that they share, by columns."""
    charts: dict[str, dict[str, Any]] = {}
    tables: dict[str, Rows] = {}
    for figure in figures:
        made, data = specification(figure)
        charts[figure.name] = {"spec": made, "tables": sorted(data), "share": figure.share}
        tables |= {name: rows for name, rows in data.items() if name not in tables}
    by_columns = {name: _columns(rows) for name, rows in sorted(tables.items())}
    return {"charts": charts, "tables": by_columns, "config": CONFIG, "shared": _shared(charts)}


def _shared(charts: dict[str, dict[str, Any]]) -> list[str]:
    """Choices that several charts offer: whoever makes one makes it for the page."""
    params = [param for chart in charts.values() for param in chart["spec"].get("params", [])]
    names = Counter(param["name"] for param in params if isinstance(param.get("bind"), dict))
    return sorted(name for name, count in names.items() if count > 1)


def _columns(rows: Rows) -> dict[str, Any]:
    """A table by its columns, those of few values as these and their numbers: a third of the size."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    return {"length": len(rows), "columns": {name: _packed([row.get(name) for row in rows]) for name in names}}


def _packed(values: list[Any]) -> Any:
    if any(isinstance(value, dict | list) for value in values):
        return values
    # By type as well: 1 and True are equal, and are not the same.
    numbers: dict[tuple[type, Any], int] = {}
    coded = [numbers.setdefault((type(value), value), len(numbers)) for value in values]
    return {"values": [value for _, value in numbers], "numbers": coded} if 2 * len(numbers) < len(values) else values


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _in_script(value: Any) -> str:
    """JSON that no text within can end the script by, and that is ASCII."""
    text = _compact(value)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").rstrip("\n")
