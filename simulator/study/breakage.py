"""The breakage: what the partial-GLB study found, what each step costs, and what breaks first and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from simulator.study.agenda import Agenda
from simulator.study.partial import OPTIMUM
from simulator.study.readings import Key, Readings, cell_of, interval, with_ends
from simulator.study.stress import GROWTH, LOSS, MASK, NESTED, RESIDENCY, RTT

#: By flows: exact, of the whole demand.
EXACT = (
    "cost_usd_per_site",
    "par_water",
    "par_carbon",
    "water_m3_max",
    "carbon_t_max",
    "objective_usd",
    "unserved_requests",
)
#: By requests.
SIMULATED = ("ttft_p50_ms", "ttft_p99_ms", "e2e_p99_s", "network_mean_ms", "wait_mean_s", "rejected", "slo_attainment")
#: What solvers leave between two ways to an optimum, as a share.
TOLERANCE = 1e-5
_WORDS = {
    RTT: "bound on the round trip",
    MASK: "random mask",
    RESIDENCY: "residency",
    LOSS: "loss of sites",
    GROWTH: "growth of demand",
}

Row = dict[str, Any]


def breakage(agenda: Agenda, readings: Readings) -> tuple[dict[str, list[Row]], Row]:
    """Table ``partial.csv``, and what is to be said."""
    steps: list[Row] = list((agenda.extra or {})["steps"])
    rows = [row for step in steps for row in _rows(agenda, readings, step)]
    broken = list(_not_monotone(rows))
    said = {
        "answer": [_first(steps), *_sentences(steps)],
        "checks": []
        if broken
        else ["under nested masks J of eglb-off does not fall, nor beyond them the unserved demand"],
        "broken": broken,
    }
    return {"partial.csv": rows}, said


def _rows(agenda: Agenda, readings: Readings, step: Row) -> Iterator[Row]:
    """One row for each policy of a step: whether it can be carried, and what it then costs."""
    place = (cell_of(step["stress"]), cell_of(step["level"]), cell_of(step["mask"]))
    for label in dict.fromkeys(key.policy for key in readings.summary):
        flows, requests = (
            readings.summary.get(Key((*place, engine), label), {}) for engine in ("fluid", agenda.scenario.engine)
        )
        row: Row = {**dict(zip(("stress", "level", "mask"), place, strict=True)), "policy": label}
        row |= {"taken": cell_of(step["taken"]), "feasible": int(step["feasible"])}
        for name in ("short_kw", "start_utc"):
            row[name] = cell_of(step.get(name))
        row |= {name: "; ".join(step.get(name, ())) for name in ("origins", "sites")}
        for names, side in ((EXACT, flows), (SIMULATED, requests)):
            for name in names:
                row |= with_ends(name, interval(side, name))
        yield row


def _not_monotone(rows: Sequence[Row]) -> Iterator[str]:
    """Where a nested step costs the optimum less than the one before, or leaves out less."""
    mine = [row for row in rows if row["policy"] == OPTIMUM and row["stress"] in NESTED]
    for (stress, mask), chain in groupby(mine, lambda row: (row["stress"], row["mask"])):
        ordered = list(chain)
        for name, wanted in (("objective_usd", 1), ("unserved_requests", 0)):
            steps = [row for row in ordered if row["feasible"] == wanted and row[name]]
            for before, after in pairwise(steps):
                if float(after[name]) < float(before[name]) * (1 - TOLERANCE):
                    yield f"{_WORDS[stress]} {mask}: {name} falls from {before['level']} to {after['level']}"


def _first(steps: Sequence[Row]) -> str:
    """What breaks first: the mildest step that cannot be carried, by the share that it takes away."""
    failing = [step for step in steps if not step["feasible"]]
    if not failing:
        return "Nothing that was tried breaks it."
    first = min(failing, key=lambda step: step["taken"])
    return f"What breaks first: {_phrase(first)}, because {_why(first)}."


def _phrase(step: Row) -> str:
    """A step in words, with how much it takes away."""
    level, taken = step["level"], f"{100 * step['taken']:.0f} %"
    if step["stress"] == GROWTH:
        factor = float(level)
        return "demand as it is" if factor == 1 else f"{100 * (factor - 1):.1f} % more demand"
    if step["stress"] == LOSS:
        return f"the loss of {level.replace(', ', ' and ')} ({taken} of the capacity)"
    if step["stress"] == RTT:
        return f"a bound of {level} ms on the round trip ({taken} of the pairs taken away)"
    if step["stress"] == RESIDENCY:
        return f"keeping {level} at home ({taken} of the pairs taken away)"
    return f"a random mask that keeps the density {level} ({taken} of the pairs taken away)"


def _why(step: Row) -> str:
    asked, carried = (f"{step[name]:,.4g}" for name in ("demand_rps", "capacity_rps"))
    when, short = f"at {step['start_utc']} UTC", f"{step['short_kw']:,.3g} kW short"
    if step["everywhere"]:
        return f"{when} {asked} requests/s are asked for and all sites together carry {carried}: {short}"
    origins, sites = (" and ".join(_few(step[name])) for name in ("origins", "sites"))
    if not sites:
        return f"{when} no site may serve {origins}: {short}"
    only = "can be carried there" if len(step["sites"]) == 1 else "can be carried by them"
    return f"{when} {origins} ask for {asked} requests/s and may use only {sites}; {carried} {only}: {short}"


def _few(names: Sequence[str]) -> list[str]:
    return list(names) if len(names) <= 4 else [", ".join(names[:3]), f"{len(names) - 3} others"]


def _sentences(steps: Sequence[Row]) -> Iterator[str]:
    """One for each stress: how far it can go."""
    for stress, chain in groupby(steps, lambda step: step["stress"]):
        here = list(chain)
        failing = [step for step in here if not step["feasible"]]
        if stress == LOSS:
            yield from _lost(here)
        elif stress == MASK:
            yield _masks(here)
        elif not failing:
            yield f"{_WORDS[stress].capitalize()}: holds at every step."
        elif len(failing) == len(here):
            yield f"{_WORDS[stress].capitalize()}: holds at no step."
        else:
            last = [step for step in here if step["feasible"]][-1]
            broken = failing[0]
            what = f"holds at {_level(last)}, breaks at {_level(broken)}"
            yield f"{_WORDS[stress].capitalize()}: {what}: {_why(broken)}."


def _level(step: Row) -> str:
    if step["stress"] == GROWTH:
        return f"{float(step['level']):.4g} times the demand"
    return f"{step['level']} ms" if step["stress"] == RTT else step["level"]


def _lost(here: Sequence[Row]) -> Iterator[str]:
    for count in sorted({step["level"].count(", ") + 1 for step in here}):
        tried = [step for step in here if step["level"].count(", ") + 1 == count]
        bad = [step for step in tried if not step["feasible"]]
        what = f"N-{count}: {len(tried) - len(bad)} of {len(tried)} losses can be carried"
        if bad:
            worst = max(bad, key=lambda step: step["short_kw"])
            what += f"; the worst is that of {worst['level'].replace(', ', ' and ')}, {worst['short_kw']:,.3g} kW short"
        yield f"{what}."


def _masks(here: Sequence[Row]) -> str:
    """The densest step that breaks, of each mask."""
    breaks = []
    for _, chain in groupby(here, lambda step: step["mask"]):
        densities = [float(step["level"]) for step in chain if not step["feasible"]]
        breaks.append(max(densities, default=-1.0))
    told = sorted(density for density in breaks if density >= 0)
    whole = f"Random masks: {len(breaks) - len(told)} of {len(breaks)} hold down to the nearest site alone"
    return f"{whole}; the others break at a density of {told[0]:g} to {told[-1]:g}." if told else f"{whole}."
