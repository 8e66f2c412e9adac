"""What is given: a scenario with what the command line changes in it, and how its points are to be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from simulator.scenario import Scenario, Source
    from simulator.study.agenda import Agenda

SETTING = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a key of the scenario: --set fleet_scale=0.01. Paths count from the current folder.",
)


class Given(NamedTuple):
    """The text of a scenario with its changes, and the folders of a user's modules."""

    source: Source
    folders: tuple[Path, ...]

    def scenario(self) -> Scenario:
        """The scenario, checked; raises InputError with all mistakes."""
        from simulator.intake import checked_scenario

        return checked_scenario(self.source, self.folders)

    def without(self, key: str) -> Given:
        """The same without one of its top-level keys."""
        from simulator.scenario.reading import is_choice

        return self._replace(source=self.source.varied((), (key,), is_choice))

    def agenda(self, scenario: Scenario) -> Agenda:
        """The points of the scenario's study, or of its sweep; raises InputError with all mistakes."""
        if scenario.study is None:
            from simulator.study.variations import sweep_agenda

            return sweep_agenda(self.source, scenario, self.folders)
        from simulator.study.studies import study_agenda

        return study_agenda(self.source, scenario, self.folders)


class Manner(NamedTuple):
    """How points are to be run, and where results go."""

    out: Path | None
    stem: str
    as_json: bool
    jobs: int | None = None
    shard: str | None = None
    scheduler: str | None = None
    reported: bool = True


def is_many(scenario: Scenario) -> bool:
    """Whether a scenario asks for many runs."""
    return scenario.sweep is not None or scenario.study is not None


def given(
    name: str, settings: Sequence[str], only: Sequence[str] = (), options: Mapping[str, Any] | None = None
) -> Given:
    """A scenario by its name or file, with settings, policies and options of the command line; raises InputError."""
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
    return Given(source, tuple(dict.fromkeys([find_scenario(name).parent.resolve(), Path.cwd()])))


def _listed(policies: object, name: str) -> list[int | None]:
    """Where a scenario lists this policy, with settings or without; [None] where it does not."""
    entries = policies if isinstance(policies, tuple) else ()
    heads = [next(iter(entry)) if isinstance(entry, dict) and entry else str(entry) for entry in entries]
    return [number for number, head in enumerate(heads) if head == name] or [None]
