"""The commands that look: at results, scenarios and policies, and what to begin with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from simulator.claim import FIGURES, FORMS
from simulator.cli.given import SETTING, given, is_many
from simulator.exit import BAD_INPUT, sentences


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--figures", "form", type=click.Choice(FORMS), help="Write every chart to DIR/figures as well.")
@click.option("--out", type=click.Path(path_type=Path), help="The file of the page; DIR/report.html unless given.")
def report(folder: Path, form: str | None, out: Path | None) -> None:
    """Make one page of the results in DIR, of a run, a sweep or a study; it opens anywhere, without a network."""
    from simulator.report.contents import write_report

    written = write_report(folder, out, form)
    click.echo(f"wrote {written[0]}" + (f" and {len(written) - 1} figures in {folder / FIGURES}" if form else ""))


@click.command()
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@SETTING
def validate(scenarios: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Check scenarios and their data files without running them."""
    bad = False
    for name in scenarios:
        try:
            with sentences():
                asked = given(name, settings)
                loaded = asked.scenario()
                points = f", {len(asked.agenda(loaded).points)} points" if is_many(loaded) else ""
                click.echo(f"{name}: fine ({len(loaded.policies)} policies, {loaded.slots} slots{points})")
        except SystemExit as ended:
            if ended.code != BAD_INPUT:
                raise
            bad = True
    sys.exit(BAD_INPUT if bad else 0)


@click.command()
@click.argument("scenario")
@SETTING
def show(scenario: str, settings: tuple[str, ...]) -> None:
    """Print a scenario with every default filled in; it can be run as it is."""
    from simulator.scenario.writing import to_yaml

    click.echo(to_yaml(given(scenario, settings).scenario()), nl=False)


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenarios, for editors."""
    from simulator.scenario.writing import schema_text

    click.echo(schema_text(), nl=False)


@click.command()
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


@click.command()
@click.argument("kind", type=click.Choice(["scenario", "policy"]))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Write a scenario or a policy to start from into the current folder."""
    from simulator.templates import write_template

    click.echo(f"wrote {write_template(kind, name)}")
