"""Failure signatures: what went wrong, policy by policy."""

from __future__ import annotations

from typing import Any

from .numbers import is_known, written
from .saved import Saved
from .section import Cell, Part, Remark, Section, Sentences, Table

_HEADING = "Failure signatures"


def signs(saved: Saved) -> Section:
    """Inequity spikes, cost overruns and slow decisions, as they were found when the run was made."""
    found = saved.manifest.get("signatures")
    if not isinstance(found, dict):
        return Section(_HEADING, "", [Remark("These results were saved without a look for failure signatures.")])
    texts = [_text(str(policy), sign) for policy, signs in found.items() for sign in signs]
    parts: list[Part] = [Sentences(texts) if texts else Remark("No policy shows any of them.")]
    if times := _times(saved):
        parts.append(times)
    explanation = (
        "An inequity spike is a day in which the peak-to-average ratio is more than 1.25 times the optimal plan's on "
        "that day; a cost overrun is a cost above the optimal plan's by more than a tenth of the cheapest plan's "
        "(glb-cost); decisions are slow if one in a hundred takes more than 1 s or a hundredth of its slot. "
        "The first two need the optimal plan; for policies without a gap they are not looked for."
    )
    return Section(_HEADING, explanation, parts)


def _text(policy: str, sign: Any) -> str:
    return f"{policy}, {sign.get('name')}: {sign.get('sentence')}." if isinstance(sign, dict) else ""


def _times(saved: Saved) -> Table | None:
    """How long decisions took, by the clock on the wall."""
    found = saved.manifest.get("decisions")
    known = {str(policy): times for policy, times in found.items() if times} if isinstance(found, dict) else {}
    if not known:
        return None
    keys = ("median_ms", "p99_ms", "largest_ms")
    rows = [
        [Cell(policy), *(Cell(written(times[key], ",.3g") if is_known(times.get(key)) else "-") for key in keys)]
        for policy, times in known.items()
    ]
    header = ["policy", "median, ms", "99th percentile, ms", "longest, ms"]
    return Table(header, rows, "Time per decision of the routing policy, on the machine that made the run.")
