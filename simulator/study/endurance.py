"""The endurance: what the robustness study found, and at which error each policy stops being worth its forecasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from simulator.study.agenda import Agenda, cell_of
from simulator.study.readings import Cells, Key, Readings, difference, interval, with_ends
from simulator.study.robustness import ATTACK, DEMAND, ERROR, NONE, PRICE, REFRESH, SHIFT

#: Of each challenge and policy, over seeds.
SHOWN = (
    "objective_usd",
    "gap",
    "cost_usd_per_site",
    "par_water",
    "par_carbon",
    "unserved_requests",
)
#: How far advice may be from the optimum when it is right, and above `hedge` when it is wrong; as a share of J.
CONSISTENCY, ROBUSTNESS = 0.002, 0.02
#: J of no run of flows is below the optimum by more than this share: what solvers leave.
TOLERANCE = 1e-6
_ADVICE = "advice"
_WORDS = {
    "permuted": "sites that change places",
    "flipped": "series that are mirrored",
    "season": "those of another season",
}

Row = dict[str, Any]
#: The rows of a policy by seed.
Seeds = Mapping[int, Cells]


class Contest(NamedTuple):
    """What a policy may be better in than another one: a column of differences."""

    column: str
    figure: str
    against: str
    words: str


CONTESTS = (
    Contest("over_glb_cost_par_water", "par_water", "glb-cost", "the PAR of water"),
    Contest("over_glb_cost_par_carbon", "par_carbon", "glb-cost", "the PAR of carbon"),
    Contest("over_eglb", "objective_usd", "eglb", "J"),
    Contest("over_hedge", "objective_usd", "hedge", "J"),
)


def endurance(agenda: Agenda, readings: Readings) -> tuple[dict[str, list[Row]], Row]:
    """Tables ``robustness.csv`` and ``limits.csv``, and what is to be said."""
    extra = agenda.extra or {}
    rows = [row for place in _places(agenda) for row in _rows(extra, readings, place)]
    limits = [_limit(rows, policy, contest) for policy in extra["policies"] for contest in CONTESTS]
    limits = [row for row in limits if row["policy"] != row["against"]]
    checked, broken = _not_below_the_optimum(agenda, readings)
    said = {
        "answer": list(_sentences(rows, limits, extra)),
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
        row |= with_ends("over_plainest", difference(seeds, before.get(policy, {}), "objective_usd", share=True))
        yield row


def _plainest(place: tuple[str, str]) -> str:
    """The level of a challenge that J of the others is held against: fresh prices, perfect forecasts."""
    return cell_of(0.0) if place[0] in (ERROR, REFRESH) else NONE


def _limit(rows: Sequence[Row], policy: str, contest: Contest) -> Row:
    """Up to which error a policy is better than another one, surely; and at which it is so no more."""
    steps = [row for row in rows if row["challenge"] == ERROR and row["policy"] == policy]
    better = [is_below(row, contest.column, 0.0) for row in steps]
    count = better.index(False) if False in better else len(better)
    holds, fails = (steps[count - 1]["level"] if count else ""), steps[count]["level"] if count < len(steps) else ""
    base = {"policy": policy, "figure": contest.figure, "against": contest.against}
    at = steps[min(count, len(steps) - 1)] if steps else {}
    ends = {f"difference{end}": at.get(f"{contest.column}{end}", "") for end in ("", "_low", "_high")}
    return {**base, "better_up_to": holds, "not_at": fails, **ends}


def is_below(row: Mapping[str, Any], column: str, bound: float) -> bool:
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


def _sentences(rows: Sequence[Row], limits: Sequence[Row], extra: Mapping[str, Any]) -> Iterator[str]:
    found = {Key((row["challenge"], row["level"]), row["policy"]): row for row in rows}
    hedge, names = extra["references"]["hedge"], dict(zip(extra["policies"], extra["names"], strict=True))
    levels = [level for challenge, level in dict.fromkeys(key.values for key in found) if challenge == ERROR]
    if levels and extra["forecasting"]:
        yield "; ".join(_worth(rows, limits, policy) for policy in extra["forecasting"]) + "."
    for policy in extra["forecasting"]:
        if levels:
            yield _when_wrong(found, policy, hedge, levels)
            yield _limits(limits, policy)
        yield from _when_misled(rows, policy, names[policy] == _ADVICE)
        if levels and names[policy] == _ADVICE:
            right = found[Key((ERROR, levels[0]), policy)]
            holds = "is kept" if is_below(right, "gap", CONSISTENCY) else "is not kept"
            yield (
                f"With perfect forecasts {policy} is {_share(right, 'gap')} above the offline optimum: the bound of"
                f" {100 * CONSISTENCY:g} % {holds}."
            )
    yield from _without_forecasts(limits, extra)
    yield from _when_it_changes(found, extra)
    yield from _decentralised(rows)


def _worth(rows: Sequence[Row], limits: Sequence[Row], policy: str) -> str:
    """In short: up to which error a forecast is worth following, and what one can do that misleads."""
    limit = next((row for row in limits if _is(row, policy, CONTESTS[-1])), {"better_up_to": "", "not_at": ""})
    if not limit["better_up_to"]:
        text = f"Forecasts are never surely worth following for {policy}"
    else:
        beyond = f", not at {_percent(limit['not_at'])}" if limit["not_at"] else ", the largest that was tried"
        text = f"Forecasts are worth following for {policy} up to errors of {_percent(limit['better_up_to'])}{beyond}"
    known = [row for row in rows if row["challenge"] == ATTACK and row["policy"] == policy and row["over_hedge"]]
    if not known:
        return text
    worst = max(known, key=lambda row: float(row["over_hedge"]))
    return f"{text} (J beside that of hedge), and at worst they mislead it by {_share(worst, 'over_hedge', '+')}"


def _when_wrong(found: Mapping[Key, Row], policy: str, hedge: str, levels: Sequence[str]) -> str:
    first, last = levels[0], levels[-1]
    some = min(levels, key=lambda level: abs(float(level) - 0.2))
    parts = [
        f"with errors of {_percent(level)} at a day's lead {_share(found[Key((ERROR, level), policy)], 'gap')}"
        for level in dict.fromkeys((some, last))
        if level != first
    ]
    return (
        f"{policy} is {_share(found[Key((ERROR, first), policy)], 'gap')} above the offline optimum with perfect"
        f" forecasts{''.join(f', {part}' for part in parts)}; {hedge}, which needs none,"
        f" {_share(found[Key((ERROR, first), hedge)], 'gap')}."
    )


def _limits(limits: Sequence[Row], policy: str) -> str:
    """Up to which error a policy wins each contest."""
    parts = []
    for contest in CONTESTS:
        row = next((one for one in limits if _is(one, policy, contest)), None)
        if row is None:
            continue
        what = f"{contest.against} on {contest.words}"
        if not row["better_up_to"]:
            parts.append(f"never surely {what}")
        elif row["not_at"]:
            parts.append(f"{what} up to errors of {_percent(row['better_up_to'])}, not at {_percent(row['not_at'])}")
        else:
            parts.append(f"{what} at all errors that were tried, up to {_percent(row['better_up_to'])}")
    return f"{policy} beats {'; '.join(parts)}."


def _is(row: Mapping[str, Any], policy: str, contest: Contest) -> bool:
    return (row["policy"], row["figure"], row["against"]) == (policy, contest.figure, contest.against)


def _when_misled(rows: Sequence[Row], policy: str, has_bound: bool) -> Iterator[str]:
    known = [row for row in rows if row["challenge"] == ATTACK and row["policy"] == policy and row["over_hedge"]]
    if not known:
        return
    worst = max(known, key=lambda row: float(row["over_hedge"]))
    text = (
        f"Of forecasts that mislead, {_WORDS[worst['level']]} are the worst for {policy}: its J is"
        f" {_share(worst, 'over_hedge', '+')} beside that of hedge"
    )
    if has_bound:
        kept = all(is_below(row, "over_hedge", ROBUSTNESS) for row in known)
        text += f"; the bound of {100 * ROBUSTNESS:g} % {'is kept' if kept else 'is not kept'}"
    yield f"{text}."


def _without_forecasts(limits: Sequence[Row], extra: Mapping[str, Any]) -> Iterator[str]:
    """Policies that need no forecast, held against others in the same way."""
    for policy in extra["policies"]:
        if policy not in extra["forecasting"] and policy not in extra["references"].values():
            won = [
                f"{contest.against} on {contest.words}"
                for contest in CONTESTS
                if any(_is(row, policy, contest) and row["better_up_to"] for row in limits)
            ]
            if won:
                yield f"{policy} does not look at these forecasts; it beats {', '.join(won)}."


def _when_it_changes(found: Mapping[Key, Row], extra: Mapping[str, Any]) -> Iterator[str]:
    words = {
        DEMAND: f"a demand that is {extra['shifts'][DEMAND]:g} times as large",
        PRICE: f"prices that are {extra['shifts'][PRICE]:g} times as high where they were low",
    }
    for level, what in words.items():
        here = {key.policy: row for key, row in found.items() if key.values == (SHIFT, level)}
        short = [policy for policy, row in here.items() if float(row["unserved_requests"] or 0) > 0]
        if short:
            yield f"With {what} from halfway on not all of it can be carried."
        parts = [
            f"{policy} {_share(row, 'gap')} (before: {_share(found[Key((SHIFT, NONE), policy)], 'gap')})"
            for policy, row in here.items()
            if row["gap"] and not _is_extreme(policy, extra)
        ]
        if parts:
            yield f"With {what} from halfway on, unforeseen, the gap to the optimum is: {'; '.join(parts)}."


def _is_extreme(policy: str, extra: Mapping[str, Any]) -> bool:
    """Policies that do not minimise J, or know the future."""
    name = dict(zip(extra["policies"], extra["names"], strict=True))[policy]
    return name.startswith("glb-") or name == "eglb-off"


def _decentralised(rows: Sequence[Row]) -> Iterator[str]:
    aged = [row for row in rows if row["challenge"] == REFRESH]
    if aged:
        central, oldest = aged[0], aged[-1]
        yield (
            f"Decentralised eglb, each origin on prices that are up to {float(oldest['level']):,g} s old, costs"
            f" {_share(oldest, 'over_plainest', '+')} in J beside the central one (gap {_share(central, 'gap')}); its"
            f" PAR is {_number(oldest, 'par_water')} of water and {_number(oldest, 'par_carbon')} of carbon instead of"
            f" {_number(central, 'par_water')} and {_number(central, 'par_carbon')}."
        )


def _percent(level: str) -> str:
    return f"{100 * float(level):g} %"


def _number(row: Mapping[str, Any], name: str) -> str:
    return f"{float(row[name]):.3f}" if row[name] else "?"


def _share(row: Mapping[str, Any], name: str, sign: str = "") -> str:
    """A share in percent with its interval, or the word that there is none."""
    if not row[name]:
        return "an unknown amount"
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not low:
        return f"{100 * float(mean):{sign}.2f} % (one seed)"
    return f"{100 * float(mean):{sign}.2f} % [{100 * float(low):{sign}.2f}, {100 * float(high):{sign}.2f}]"
