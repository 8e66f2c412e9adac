"""The command line. Heavy imports stand inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from simulator.claim import FIGURES, FORMS
from simulator.exit import BAD_INPUT, FAILED, forget_stdout, heed_signals, open_streams, sentences

if TYPE_CHECKING:
    from simulator.folder import Folder
    from simulator.result import RunResult
    from simulator.scenario import Scenario, Source
    from simulator.study.agenda import Agenda

_SETTING = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the scenario: --set fleet_scale=0.01. Paths count from the current folder.",
)


class _Commands(click.Group):
    """Commands that end with a sentence, whatever happens: also while their help is printed."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command line."""
        open_streams()
        with sentences():
            return super().main(*args, **options)

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was found; click has words of its own for what leaves this."""
        with sentences():
            return super().invoke(context)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="equifleet")
def main() -> None:
    """Simulate a fleet of data centres that serve AI inference, and see what equity costs.

    SCENARIO is a YAML file or the name of a shipped one (table1, mmc, ...). Exit status: 0 done,
    1 failed while running, 2 bad input.
    """


@main.command()
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
@_SETTING
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
    source, folders = _source(scenario, settings, only, options)
    loaded = _let_in(source, folders)
    if loaded.sweep is not None or loaded.study is not None:
        if overwrite:
            raise click.UsageError("it goes on where it was stopped; to begin anew name another folder with --out")
        _many(source, loaded, folders, Asked(out, Path(scenario).stem, as_json, jobs))
    from simulator.folder import Folder

    folder = Folder(out, overwrite) if out else Folder.at_free_name(Path("results"), Path(scenario).stem)
    try:
        done = _run(loaded, folders, folder, jobs, as_json, reported)
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
    from simulator.report.table import shortfalls
    from simulator.result import RunResult
    from simulator.study.comparison import Failure, Task, compare
    from simulator.study.crew import free_cores
    from simulator.world import build_world
    from simulator.world.files import input_files

    # What a policy prints is not our answer.
    with bars(loaded.labels()) as progress, redirect_stdout(sys.stderr):
        task = Task(loaded, loaded.engine, loaded.seed, folders, folder.partial / "requests")
        outcomes = compare(task, jobs or free_cores(), progress)
    results = [outcome for outcome in outcomes if isinstance(outcome, RunResult)]
    failed = {outcome.policy: outcome.reason for outcome in outcomes if isinstance(outcome, Failure)}
    world = build_world(loaded)
    notes = [*world.notes, *shortfalls(results)]
    if loaded.published is not None:
        notes.append(f"published figures: {loaded.published.source}")
    written = str(folder.path)
    if results:
        try:
            short = {result.policy: row for result in results if (row := result.shortfall())}
            more = {"notes": notes, "failed": dict(failed), "shortfalls": short}
            beside = _reporter(failed) if reported else None
            folder.write(loaded, results, input_files(loaded, world.sites), more, beside)
        except OSError as error:
            failed[written] = f"cannot be written: {error.strerror or error}"
            written = ""
        try:
            _print(loaded, results, {"folder": written, "notes": notes, "failed": failed}, as_json)
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
    from simulator.report.table import Paper, print_comparison
    from simulator.report.table import as_json as json_row

    if as_json:
        rows = [json_row(result.summary()) for result in results]
        click.echo(json.dumps({"scenario": loaded.name, **more, "rows": rows}, indent=2))
        return
    slo = loaded.workload.request.slo
    console = Paper(highlight=False, emoji=False)
    print_comparison(console, loaded.name, results, loaded.published, bool(slo.ttft_s or slo.end_to_end_s))
    for note in [*more["notes"], f"results: {more['folder'] or 'not written'}"]:
        console.print(note, style="dim", markup=False, soft_wrap=True)


@main.command()
@click.argument("scenario")
@click.option("--vary", multiple=True, metavar="KEY=A,B,C", help="Values of a dotted key; several keys make a grid.")
@click.option("--seeds", metavar="N|A,B,C", help="How many seeds, from the scenario's own on, or a list of them.")
@click.option("--engine", metavar="compiled|simpy|fluid", help="The scenario's engine unless given.")
@click.option("--policy", "only", multiple=True, metavar="NAME", help="Run this policy only (may be repeated).")
@_SETTING
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder of results; results/SCENARIO-sweep unless given."
)
@click.option("--jobs", type=click.IntRange(1), help="Points that run at once; the free cores unless given.")
@click.option("--shard", metavar="I/N", help="Run every N-th point, from the I-th on: for arrays of batch jobs.")
@click.option("--scheduler", metavar="ADDRESS", help="Run points on the workers of this Dask scheduler.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
def sweep(
    scenario: str,
    vary: tuple[str, ...],
    seeds: str | None,
    engine: str | None,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    out: Path | None,
    jobs: int | None,
    shard: str | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Run a scenario again and again, with other values of some keys and other seeds.

    A point is a combination of values and a seed; its results go to a folder of their own. Say the same again
    to go on with a sweep that was stopped: what is done is not run again.
    """
    heed_signals()
    from simulator.sweeping import add_axes

    source, folders = _source(scenario, settings, only, {} if engine is None else {"engine": engine})
    add_axes(source, vary, seeds)
    asked = Asked(out, f"{Path(scenario).stem}-sweep", as_json, jobs, shard, scheduler)
    _many(source, _let_in(source, folders), folders, asked)


@main.command()
@click.argument("kind", type=click.Choice(["latency", "partial"]))
@click.argument("scenario")
@click.option("--engine", metavar="compiled|simpy", help="The scenario's engine unless given.")
@_SETTING
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder of results; results/SCENARIO-KIND unless given."
)
@click.option("--jobs", type=click.IntRange(1), help="Points that run at once; the free cores unless given.")
@click.option("--shard", metavar="I/N", help="Run every N-th point, from the I-th on: for arrays of batch jobs.")
@click.option("--scheduler", metavar="ADDRESS", help="Run points on the workers of this Dask scheduler.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
def study(
    kind: str,
    scenario: str,
    engine: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    jobs: int | None,
    shard: str | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Answer a question with many runs of a scenario, and tell the answer.

    latency: what equity costs in latency. partial: where partial GLB breaks, and why. How thoroughly, the scenario's
    block `study` says. Say the same again to go on with a study that was stopped.
    """
    heed_signals()
    source, folders = _source(scenario, settings, (), {} if engine is None else {"engine": engine})
    held = source.data.get("study")
    if not isinstance(held, dict) or kind not in held:
        source.replace(("study",), {kind: {}}, f"study {kind}")
    asked = Asked(out, f"{Path(scenario).stem}-{kind}", as_json, jobs, shard, scheduler)
    _many(source, _let_in(source, folders), folders, asked)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--figures", "form", type=click.Choice(FORMS), help="Write every chart to DIR/figures as well.")
@click.option("--out", type=click.Path(path_type=Path), help="The file of the page; DIR/report.html unless given.")
def report(folder: Path, form: str | None, out: Path | None) -> None:
    """Make one page of the results in DIR, of a run, a sweep or a study; it opens anywhere, without a network."""
    from simulator.report.contents import write_report

    written = write_report(folder, out, form)
    click.echo(f"wrote {written[0]}" + (f" and {len(written) - 1} figures in {folder / FIGURES}" if form else ""))


@main.command()
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@_SETTING
def validate(scenarios: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Check scenarios and their data files without running them."""
    bad = False
    for name in scenarios:
        try:
            with sentences():
                source, folders = _source(name, settings)
                loaded = _let_in(source, folders)
                many = loaded.sweep is not None or loaded.study is not None
                points = f", {len(_agenda(source, loaded, folders).points)} points" if many else ""
                click.echo(f"{name}: fine ({len(loaded.policies)} policies, {loaded.slots} slots{points})")
        except SystemExit as ended:
            if ended.code != BAD_INPUT:
                raise
            bad = True
    sys.exit(BAD_INPUT if bad else 0)


@main.command()
@click.argument("scenario")
@_SETTING
def show(scenario: str, settings: tuple[str, ...]) -> None:
    """Print a scenario with every default filled in; it can be run as it is."""
    from simulator.scenario.writing import to_yaml

    click.echo(to_yaml(_let_in(*_source(scenario, settings))), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenarios, for editors."""
    from simulator.scenario.writing import schema_text

    click.echo(schema_text(), nl=False)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def policies(as_json: bool) -> None:
    """List the built-in policies of routing and provisioning, and battery controls, with their settings."""
    from simulator.roster import PROVISIONING, ROUTING, STORAGE, Kind, ours, settings_of

    kinds: tuple[tuple[Kind[Any], str, str], ...] = (
        (ROUTING, "", "(the scenario)"),
        (PROVISIONING, "provisioning: how many servers of a site are on", "(all)"),
        (STORAGE, "battery: {control: ...}: when the battery of a site is charged and gives", ""),
    )
    rows: list[dict[str, Any]] = []
    for kind, heading, unset in kinds:
        if heading and not as_json:
            click.echo(f"\n{heading}")
        for name, found in ours(kind).items():
            given = {key: value.default for key, value in settings_of(found).items()}
            rows.append({"name": name, "what": (found.__doc__ or "").strip().splitlines()[0], "settings": given})
            rows[-1] |= {"kind": kind.words}
            if not as_json:
                click.echo(f"{name:16s} {rows[-1]['what']}" if heading else f"{name:12s} {rows[-1]['what']}")
                for key, value in given.items():
                    click.echo(f"{'':12s}   {key}: {unset if value is None else value}")
    if as_json:
        click.echo(json.dumps(rows, indent=2))


@main.command()
@click.argument("kind", type=click.Choice(["scenario", "policy"]))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Write a scenario or a policy to start from into the current folder."""
    from simulator.templates import write_template

    click.echo(f"wrote {write_template(kind, name)}")


class Asked(NamedTuple):
    """How a sweep is to be run, and where its results go."""

    out: Path | None
    stem: str
    as_json: bool
    jobs: int | None = None
    shard: str | None = None
    scheduler: str | None = None


def _many(source: Source, loaded: Scenario, folders: tuple[Path, ...], asked: Asked) -> NoReturn:
    """Run the sweep of a scenario, and end."""
    from simulator.sweeping import Helpers, read_shard, sweep, sweep_folder

    shard = read_shard(asked.shard)
    folder = sweep_folder(_agenda(source, loaded, folders), asked.out, asked.stem)
    try:
        done = sweep(folder, shard, Helpers(asked.jobs, asked.scheduler), asked.as_json)
    except KeyboardInterrupt as ended:
        raise type(ended)(f"say the same again to go on; what is done is in {folder.path}") from None
    sys.exit(0 if done else FAILED)


def _agenda(source: Source, loaded: Scenario, folders: tuple[Path, ...]) -> Agenda:
    if loaded.study is None:
        from simulator.study.variations import sweep_agenda

        return sweep_agenda(source, loaded, folders)
    from simulator.study.studies import study_agenda

    return study_agenda(source, loaded, folders)


def _let_in(source: Source, folders: tuple[Path, ...]) -> Scenario:
    from simulator.intake import checked_scenario

    return checked_scenario(source, folders)


def _source(
    name: str, settings: Sequence[str], only: Sequence[str] = (), options: Mapping[str, Any] | None = None
) -> tuple[Source, tuple[Path, ...]]:
    """A scenario's text with what the command line changes, and the folders of a user's modules."""
    from simulator.scenario import find_scenario, read_source

    source = read_source(name, settings)
    for key, value in (options or {}).items():
        source.replace((key,), value, f"--{key} {value}")
    if only:
        listed = source.data.get("policies")
        chosen = [(policy, old) for policy in only for old in _listed(listed, policy)]
        source.choose(
            ("policies",),
            [(policy if old is None else listed[old], old, f"--policy {policy}") for policy, old in chosen],
        )
    return source, tuple(dict.fromkeys([find_scenario(name).parent.resolve(), Path.cwd()]))


def _listed(policies: object, name: str) -> list[int | None]:
    """Where a scenario lists this policy, with settings or without; [None] where it does not."""
    entries = policies if isinstance(policies, tuple) else ()
    heads = [next(iter(entry)) if isinstance(entry, dict) and entry else str(entry) for entry in entries]
    return [number for number, head in enumerate(heads) if head == name] or [None]


if __name__ == "__main__":
    main()
