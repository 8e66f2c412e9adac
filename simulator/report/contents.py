"""The contents of a report: which sections tell of a run, of a sweep, and of a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
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
from .regret import regret
from .saved import Saved, read_saved
from .section import Figure, Section, Sentences
from .signs import signs
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
    regret,
    distributions,
    flows,
    pareto,
    signs,
    small_print,
)
#: So many sentences stand above the first picture; of more, the first one.
MOST_ABOVE = 2


def sections_of(saved: Saved) -> list[Section]:
    """The sections of a page, from top to bottom."""
    if not saved.sweep:
        return [section(saved) for section in RUN]
    if saved.kind in STUDIES:
        own = _with_the_rest(STUDIES[saved.kind](saved), answer_of(saved)[1])
        return [*own, sweep.varied(saved), sweep.intervals(saved), small_print(saved)]
    return [
        sweep.varied(saved),
        *along(saved),
        trade_off(saved),
        differences(saved),
        sweep.intervals(saved),
        small_print(saved),
    ]


def answer_of(saved: Saved) -> tuple[list[str], list[str]]:
    """The sentences above a study's first picture, and those below: the picture is not to be pushed off the screen."""
    said = [str(sentence) for sentence in saved.study.get("answer") or []]
    first = len(said) if len(said) <= MOST_ABOVE or saved.kind not in STUDIES else 1
    return said[:first], said[first:]


def _with_the_rest(own: Sequence[Section], rest: Sequence[str]) -> list[Section]:
    """A study's sections with the rest of its answer below its first picture."""
    if not rest:
        return list(own)
    if not own:
        return [Section("Answer", "", [Sentences(rest)])]
    first = own[0]
    pictures = list(takewhile(lambda part: isinstance(part, Figure), first.parts))
    parts = [*pictures, Sentences(rest), *first.parts[len(pictures) :]]
    return [first._replace(parts=parts), *own[1:]]


def head_of(saved: Saved) -> Head:
    """Title, question and answer."""
    version = str((saved.manifest.get("versions") or {}).get("equifleet", ""))
    if not saved.sweep:
        return Head("equifleet: a run", saved.name, saved.purpose, [headline(saved)], version)
    answer = answer_of(saved)[0] or sweep.headline(saved)
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
