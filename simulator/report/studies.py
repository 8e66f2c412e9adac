"""Studies: what a study adds to the report of its sweep. A study's file gives sections; here they are listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .latency import latency
from .partial import partial
from .robustness import robustness
from .saved import Saved
from .section import Section

#: By the kind in ``sweep.json``: a function that makes the study's own sections, which stand first on its page.
STUDIES: dict[str, Callable[[Saved], Sequence[Section]]] = {
    "latency": latency,
    "partial": partial,
    "robustness": robustness,
}
