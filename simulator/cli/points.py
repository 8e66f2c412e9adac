"""Points from the command line: which of them, who runs them, and the table of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from simulator.cli.given import Manner
from simulator.problem import InputError, Problem
from simulator.report.answer import print_answer
from simulator.report.columns import Paper
from simulator.report.intervals import print_intervals
from simulator.report.watch import SweepWatch
from simulator.scenario import Source
from simulator.scenario.document import Document
from simulator.study.agenda import Agenda
from simulator.study.collection import collect
from simulator.study.crew import Crew, free_cores
from simulator.study.point import perform
from simulator.study.supervisor import Workers, conduct
from simulator.study.sweep_folder import SweepFolder


class Shard(NamedTuple):
    """Every ``of``-th point, from the ``number``-th on, counted from 1."""

    number: int = 1
    of: int = 1


def read_shard(text: str | None) -> Shard:
    """A shard as it is written, ``i/n``; raises InputError."""
    if text is None:
        return Shard()
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError([Problem((), "write it as i/n, i from 1 to n (such as 3/10)", f"--shard {text}")])
    return Shard(int(match[1]), int(match[2]))


def add_axes(source: Source, vary: Sequence[str], seeds: str | None) -> None:
    """Put what the command line varies in place of what the scenario does; raises InputError with all mistakes."""
    problems: list[Problem] = []
    if vary and isinstance(source.data.get("sweep"), dict):
        kept = {key: value for key, value in source.data["sweep"].items() if key not in ("vary", "points")}
        source.replace(("sweep",), kept, "--vary")
    for text in vary:
        place = f"--vary {text}"
        key, equals, values = text.partition("=")
        if not equals or not key.strip() or not values.strip():
            problems.append(Problem((), "write it as KEY=VALUE,VALUE,... with a dotted key", place))
            continue
        try:
            source.replace(("sweep", "vary", key.strip()), Document(f"[{values}]", place, Path.cwd()).data, place)
        except InputError as error:
            problems += [Problem(("sweep", "vary", key.strip()), problem.what, place) for problem in error.problems]
    if seeds is not None:
        place = f"--seeds {seeds}"
        numbers = [part.strip() for part in seeds.split(",")]
        if not all(re.fullmatch("[0-9]{1,20}", number) for number in numbers):
            problems.append(Problem((), "write a number of seeds (10), or the seeds themselves (1,2,3)", place))
        else:
            given = tuple(int(number) for number in numbers)
            source.replace(("sweep", "seeds"), given[0] if len(given) == 1 else given, place)
    if problems:
        raise InputError(problems)


def sweep_folder(agenda: Agenda, out: Path | None, stem: str) -> SweepFolder:
    """The folder named, or the first of its kind that is free or holds this very sweep."""
    return SweepFolder(out, agenda) if out else SweepFolder.at_free_name(Path("results"), stem, agenda)


def run_points(folder: SweepFolder, shard: Shard, manner: Manner) -> bool:
    """Run what is not done, write the tables, print them; whether all of it came to its end."""
    agenda = folder.agenda
    numbers = range(shard.number - 1, len(agenda.points), shard.of)
    labels = [f"{point.name} {_label(agenda, number)}" for number, point in enumerate(agenda.points)]
    with _workers(agenda, manner) as workers, SweepWatch(labels, len(numbers)) as watch:
        folder.begin()
        failed = {f"point {name}": reason for name, reason in conduct(folder, numbers, workers, watch).items()}
    done = sum(folder.is_done(point) for point in agenda.points)
    if done == len(agenda.points) or failed:
        failed |= {f"check {number}": broken for number, broken in enumerate(collect(folder), 1)}
    if folder.is_finished and manner.reported:
        failed |= _reported(folder.path)
    for what, reason in failed.items():
        click.echo(f"failed: {what}: {reason}", err=True)
    _say(folder, done, failed, manner.as_json)
    return not failed


def _say(folder: SweepFolder, done: int, failed: Mapping[str, str], as_json: bool) -> None:
    agenda = folder.agenda
    if as_json:
        said = {"scenario": agenda.scenario.name, "folder": str(folder.path), "points": len(agenda.points)}
        click.echo(json.dumps({**said, "done": done, "failed": failed}, indent=2))
        return
    console = Paper(highlight=False, emoji=False)
    if not print_answer(console, folder.path):
        print_intervals(console, agenda.scenario.name, folder.path)
    console.print(f"{done} of {len(agenda.points)} points are done: {folder.path}", markup=False, soft_wrap=True)


def _reported(folder: Path) -> dict[str, str]:
    """Write the report; why it cannot be written, if it cannot. The results are there."""
    try:
        from simulator.report.contents import write_report

        write_report(folder)
    except Exception as error:
        return {"report.html": f"{type(error).__name__}: {error}"}
    return {}


def _workers(agenda: Agenda, manner: Manner) -> Workers:
    if manner.scheduler is not None:
        from simulator.study.cluster import Cluster

        return Cluster(manner.scheduler, perform)
    return Crew(perform, manner.jobs or free_cores(), any(p.scenario.engine == "compiled" for p in agenda.points))


def _label(agenda: Agenda, number: int) -> str:
    point = agenda.points[number]
    varied = " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in point.values.items())
    return f"{varied[:60]} seed {point.seed}".strip()
