"""The commands that run a scenario many times: a sweep, a study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from simulator.cli.given import SETTING, Given, Manner, given
from simulator.exit import FAILED, heed_signals

if TYPE_CHECKING:
    from simulator.scenario import Scenario


_MANNER = (
    click.option("--out", type=click.Path(path_type=Path), help="The folder of results; one in results/ unless given."),
    click.option("--jobs", type=click.IntRange(1), help="Points that run at once; the free cores unless given."),
    click.option("--shard", metavar="I/N", help="Run every N-th point, from the I-th on: for arrays of batch jobs."),
    click.option("--scheduler", metavar="ADDRESS", help="Run points on the workers of this Dask scheduler."),
    click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON."),
    click.option("--report/--no-report", "reported", default=True, help="Write report.html as well."),
)


def _manner(command: Any) -> Any:
    """The options of :class:`Manner`."""
    for option in reversed(_MANNER):
        command = option(command)
    return command


def fill(asked: Given, scenario: Scenario, manner: Manner) -> NoReturn:
    """Run the points of a scenario's sweep or study, and end."""
    from simulator.cli.points import read_shard, run_points

    shard = read_shard(manner.shard)
    sys.exit(0 if run_points(asked.agenda(scenario), shard, manner) else FAILED)


@click.command()
@click.argument("scenario")
@click.option("--vary", multiple=True, metavar="KEY=A,B,C", help="Values of a dotted key; several keys make a grid.")
@click.option("--seeds", metavar="N|A,B,C", help="How many seeds, from the scenario's own on, or a list of them.")
@click.option("--engine", metavar="compiled|simpy|fluid", help="The scenario's engine unless given.")
@click.option("--policy", "only", multiple=True, metavar="NAME", help="Run this policy only (may be repeated).")
@SETTING
@_manner
def sweep(
    scenario: str,
    vary: tuple[str, ...],
    seeds: str | None,
    engine: str | None,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    **how: Any,
) -> None:
    """Run a scenario again and again, with other values of some keys and other seeds.

    A point is a combination of values and a seed; its results go to a folder of their own. Say the same again
    to go on with a sweep that was stopped: what is done is not run again.
    """
    heed_signals()
    from simulator.cli.points import add_axes

    asked = given(scenario, settings, only, {} if engine is None else {"engine": engine}).without("study")
    add_axes(asked.source, vary, seeds)
    fill(asked, asked.scenario(), Manner(stem=f"{Path(scenario).stem}-sweep", **how))


@click.command()
@click.argument("kind", type=click.Choice(["latency", "partial", "robustness"]))
@click.argument("scenario")
@click.option("--engine", metavar="compiled|simpy|fluid", help="The scenario's engine unless given.")
@SETTING
@_manner
def study(
    kind: str,
    scenario: str,
    engine: str | None,
    settings: tuple[str, ...],
    **how: Any,
) -> None:
    """Answer a question with many runs of a scenario, and tell the answer.

    latency: what equity costs in latency. partial: where partial GLB breaks, and why. robustness: what policies are
    worth when forecasts are wrong and the world changes. How thoroughly, the scenario's block `study` says. Say the
    same again to go on with a study that was stopped.
    """
    heed_signals()
    asked = given(scenario, settings, (), {} if engine is None else {"engine": engine}).without("sweep")
    held = asked.source.data.get("study")
    if not isinstance(held, dict) or kind not in held:
        asked.source.replace(("study",), {kind: {}}, f"study {kind}")
    fill(asked, asked.scenario(), Manner(stem=f"{Path(scenario).stem}-{kind}", **how))
