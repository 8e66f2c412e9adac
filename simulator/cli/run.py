"""The command that runs the policies of a scenario."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.given import SETTING, Manner, given, is_many
from simulator.cli.sweep import fill
from simulator.exit import FAILED, forget_stdout, heed_signals

if TYPE_CHECKING:
    from simulator.folder import Folder
    from simulator.result import RunResult
    from simulator.scenario import Scenario


@click.command()
@click.argument("scenario")
@click.option(
    "--engine", metavar="compiled|simpy|fluid", help="How requests are simulated; the scenario's engine unless given."
)
@click.option(
    "--policy",
    "only",
    multiple=True,
    metavar="NAME",
    help="Run this policy only (may be repeated). A name, or module:Class.",
)
@SETTING
@click.option("--seed", type=click.IntRange(0), help="The seed of all randomness; the scenario's unless given.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of results; results/SCENARIO unless given.")
@click.option("--overwrite", is_flag=True, help="Replace the finished run in --out.")
@click.option("--jobs", type=click.IntRange(1), help="Policies that run at once; the free cores unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--report/--no-report", "reported", default=True, help="Write report.html into the folder as well.")
def run(
    scenario: str,
    engine: str | None,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    overwrite: bool,
    jobs: int | None,
    as_json: bool,
    reported: bool,
) -> None:
    """Run the policies of a scenario and print their table; its study or sweep, if it has one."""
    options = {key: value for key, value in (("engine", engine), ("seed", seed)) if value is not None}
    heed_signals()
    asked = given(scenario, settings, only, options)
    loaded = asked.scenario()
    if is_many(loaded):
        if overwrite:
            raise click.UsageError("it goes on where it was stopped; to begin anew name another folder with --out")
        fill(asked, loaded, Manner(out, Path(scenario).stem, as_json, jobs, reported=reported))
    from simulator.folder import Folder

    folder = Folder(out, overwrite) if out else Folder.at_free_name(Path("results"), Path(scenario).stem)
    try:
        done = _run(loaded, asked.folders, folder, jobs, as_json, reported)
    except KeyboardInterrupt as ended:
        raise type(ended)(f"the results are in {folder.path}" if folder.is_taken else "nothing was written") from None
    finally:
        folder.discard()
    sys.exit(0 if done else FAILED)


def _run(
    loaded: Scenario, folders: tuple[Path, ...], folder: Folder, jobs: int | None, as_json: bool, reported: bool
) -> bool:
    """Run, write, print; whether all of it came to its end. Figures are printed even if they cannot be written."""
    from simulator.report.progress import bars
    from simulator.study.comparison import Task, compare
    from simulator.study.crew import free_cores
    from simulator.study.outcome import Outcome
    from simulator.world import build_world

    # What a policy prints is not our answer.
    with bars(loaded.labels()) as progress, redirect_stdout(sys.stderr):
        task = Task(loaded, loaded.engine, loaded.seed, folders, folder.partial / "requests")
        world = build_world(loaded)
        outcome = Outcome.of(world, compare(task, world, jobs or free_cores(), progress))
    failed = outcome.failed
    written = str(folder.path)
    if outcome.results:
        try:
            outcome.write(folder, _reporter(failed) if reported else None)
        except OSError as error:
            failed[written] = f"cannot be written: {error.strerror or error}"
            written = ""
        try:
            more = {"folder": written, "notes": outcome.notes, "failed": failed}
            _print(loaded, outcome.results, more, as_json)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough; what was asked for is written
            forget_stdout()
        except OSError as error:
            failed["the table"] = f"cannot be printed: {error.strerror}; the results are in {written or 'no folder'}"
            forget_stdout()
    for what, reason in failed.items():
        click.echo(f"failed: {what}: {reason}", err=True)
    return not failed


def _reporter(failed: dict[str, str]) -> Callable[[Path], None]:
    """Writes the report into a finished folder; why it cannot goes into ``failed``, for the results are there."""

    def write(folder: Path) -> None:
        try:
            from simulator.report.contents import write_report

            write_report(folder)
        except Exception as error:
            failed["report.html"] = f"{type(error).__name__}: {error}"

    return write


def _print(loaded: Scenario, results: Sequence[RunResult], more: Mapping[str, Any], as_json: bool) -> None:
    from simulator.report.columns import Paper
    from simulator.report.table import as_json as json_row
    from simulator.report.table import print_comparison

    if as_json:
        rows = [json_row(result.summary()) for result in results]
        click.echo(json.dumps({"scenario": loaded.name, **more, "rows": rows}, indent=2))
        return
    slo = loaded.workload.request.slo
    console = Paper(highlight=False, emoji=False)
    print_comparison(console, loaded.name, results, loaded.published, bool(slo.ttft_s or slo.end_to_end_s))
    for note in [*more["notes"], f"results: {more['folder'] or 'not written'}"]:
        console.print(note, style="dim", markup=False, soft_wrap=True)
