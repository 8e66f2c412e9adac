"""The endurance: what the robustness study found, and at which error each policy stops being worth its forecasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.fleet import FloatArray
from simulator.study.agenda import Agenda, cell_of
from simulator.study.readings import Cells, Readings, difference, figures, interval, with_ends
from simulator.study.robustness import ATTACK, ERROR, NONE, REFRESH, SHIFT
from simulator.study.verdict import CONTESTS, Contest, Row, verdict

#: Of each challenge and policy, over seeds.
SHOWN = (
    "objective_usd",
    "gap",
    "cost_usd_per_site",
    "par_water",
    "par_carbon",
    "unserved_requests",
)
#: J of no run of flows is below the optimum by more than this share: what solvers leave.
TOLERANCE = 1e-6

#: The rows of a policy by seed.
Seeds = Mapping[int, Cells]


def endurance(agenda: Agenda, readings: Readings) -> tuple[dict[str, list[Row]], Row]:
    """Tables ``robustness.csv`` and ``limits.csv``, and what is to be said."""
    extra = agenda.extra or {}
    rows = [row for place in _places(agenda) for row in _rows(extra, readings, place)]
    limits = [_limit(rows, policy, contest) for policy in extra["policies"] for contest in CONTESTS]
    limits = [row for row in limits if row["policy"] != row["against"]]
    checked, broken = _not_below_the_optimum(agenda, readings)
    said = {
        "answer": list(verdict(rows, limits, extra)),
        "checks": [f"J of no policy is below that of the offline optimum ({checked} runs of flows)"]
        if checked and not broken
        else [],
        "broken": broken,
    }
    return {"robustness.csv": rows, "limits.csv": limits}, said


def _places(agenda: Agenda) -> list[tuple[str, str]]:
    """Challenges and their levels, as cells, in their order."""
    cells = [(cell_of(p.values["challenge"]), cell_of(p.values["level"])) for p in agenda.points]
    return list(dict.fromkeys(cells))


def _met(extra: Mapping[str, Any], readings: Readings, place: tuple[str, str]) -> dict[str, Seeds]:
    """What became of each policy: one that looks at no forecast does as it does without the challenge."""
    found: dict[str, Seeds] = {key.policy: rows for key, rows in readings.summary.items() if key.values == place}
    if place[0] not in (ERROR, ATTACK):
        return found
    known = {key.policy: rows for key, rows in readings.summary.items() if key.values == (SHIFT, NONE)}
    return {policy: found.get(policy, known[policy]) for policy in extra["policies"]}


def _rows(extra: Mapping[str, Any], readings: Readings, place: tuple[str, str]) -> Iterator[Row]:
    met = _met(extra, readings, place)
    before = {key.policy: rows for key, rows in readings.summary.items() if key.values == (place[0], _plainest(place))}
    for policy, seeds in met.items():
        row: Row = {"challenge": place[0], "level": place[1], "policy": policy, "seeds": len(seeds)}
        row["forecasts"] = int(policy in extra["forecasting"])
        for name in SHOWN:
            row |= with_ends(name, interval(seeds, name))
        for contest in CONTESTS:
            others = met.get(extra["references"][contest.against], {})
            is_share = contest.figure == "objective_usd"
            row |= with_ends(contest.column, difference(seeds, others, contest.figure, share=is_share))
        row["gap_most"] = cell_of(_largest(figures(seeds, "gap")))
        row["over_hedge_most"] = cell_of(_largest(_shares(seeds, met.get(extra["references"]["hedge"], {}))))
        row |= with_ends("over_plainest", difference(seeds, before.get(policy, {}), "objective_usd", share=True))
        yield row


def _shares(mine: Seeds, others: Seeds) -> FloatArray:
    """J beside that of another policy, less 1, seed by seed."""
    seeds = [seed for seed in mine if seed in others]
    ours, theirs = (figures(side, "objective_usd", iter(seeds)) for side in (mine, others))
    return ours / theirs - 1.0


def _largest(values: FloatArray) -> float:
    """The largest of the seeds; NaN where one of them is not known."""
    return float(values.max()) if len(values) else float("nan")


def _plainest(place: tuple[str, str]) -> str:
    """The level of a challenge that J of the others is held against: fresh prices, perfect forecasts."""
    return cell_of(0.0) if place[0] in (ERROR, REFRESH) else NONE


def _limit(rows: Sequence[Row], policy: str, contest: Contest) -> Row:
    """Up to which error a policy is better than another one, surely; and at which it is so no more."""
    steps = [row for row in rows if row["challenge"] == ERROR and row["policy"] == policy]
    better = [_is_below(row, contest.column, 0.0) for row in steps]
    count = better.index(False) if False in better else len(better)
    holds, fails = (steps[count - 1]["level"] if count else ""), steps[count]["level"] if count < len(steps) else ""
    base = {"policy": policy, "figure": contest.figure, "against": contest.against}
    at = steps[min(count, len(steps) - 1)] if steps else {}
    ends = {f"difference{end}": at.get(f"{contest.column}{end}", "") for end in ("", "_low", "_high")}
    return {**base, "better_up_to": holds, "not_at": fails, **ends}


def _is_below(row: Mapping[str, Any], column: str, bound: float) -> bool:
    """Whether a figure is below a bound: its whole interval, or itself where there is one seed."""
    shown = row[f"{column}_high"] or row[column]
    return bool(shown) and float(shown) < bound


def _not_below_the_optimum(agenda: Agenda, readings: Readings) -> tuple[int, list[str]]:
    """How many runs of flows have a gap, and which of them is below zero."""
    engines = {point.scenario.engine for point in agenda.points if point.values["challenge"] != REFRESH}
    count, broken = 0, list[str]()
    if engines != {"fluid"}:
        return 0, []
    for key, seeds in readings.summary.items():
        for seed, row in seeds.items() if key.values[0] != REFRESH else ():
            if row.get("gap"):
                count += 1
                if float(row["gap"]) < -TOLERANCE:
                    broken.append(f"{' '.join(key.values)}, seed {seed}: J of {key.policy} is below the optimum")
    return count, broken
