"""The contents of a report: which sections tell of a run, of a sweep, and of a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simulator.claim import FIGURES, REPORT

from . import overview, sweep
from .along import along, trade_off
from .cdf import distributions
from .differences import differences
from .figures import write_figures
from .flows import flows
from .overview import headline
from .page import Head, page
from .pareto import pareto
from .race import race
from .saved import Saved, read_saved
from .section import Section
from .sitemap import site_map
from .small_print import small_print
from .stacks import stacks
from .studies import STUDIES

#: The sections of a run, from top to bottom.
RUN: tuple[Callable[[Saved], Section], ...] = (
    overview.overview,
    site_map,
    stacks,
    race,
    distributions,
    flows,
    pareto,
    small_print,
)


def sections_of(saved: Saved) -> list[Section]:
    """The sections of a page, from top to bottom."""
    if not saved.sweep:
        return [section(saved) for section in RUN]
    own = STUDIES[saved.kind](saved) if saved.kind in STUDIES else []
    return [
        *own,
        sweep.varied(saved),
        *along(saved),
        trade_off(saved),
        differences(saved),
        sweep.intervals(saved),
        small_print(saved),
    ]


def head_of(saved: Saved) -> Head:
    """Title, question and answer."""
    version = str((saved.manifest.get("versions") or {}).get("equifleet", ""))
    if not saved.sweep:
        return Head("equifleet: a run", saved.name, saved.purpose, [headline(saved)], version)
    answer = [str(sentence) for sentence in saved.study.get("answer") or []] or sweep.headline(saved)
    what = "a sweep" if saved.kind == "sweep" else f"the {saved.kind} study"
    return Head(f"equifleet: {what}", saved.name, saved.purpose, answer, version)


def report(folder: Path) -> str:
    """The page of the results in a folder; raises InputError where there are none."""
    saved = read_saved(folder)
    return page(head_of(saved), sections_of(saved))


def write_report(folder: Path, out: Path | None = None, form: str | None = None) -> list[Path]:
    """Write the page to ``out`` (``folder/report.html`` unless given), and its charts to ``folder/figures`` in a form.

    Returns what was written. Raises InputError where the folder holds no finished results.
    """
    saved = read_saved(folder)
    sections = sections_of(saved)
    out = out or folder / REPORT
    partial = out.with_name(f"{out.name}.partial")  # a page that is there is a whole one
    partial.write_text(page(head_of(saved), sections), encoding="utf-8", newline="\n")
    partial.replace(out)
    return [out, *(write_figures(sections, folder / FIGURES, form) if form else [])]
