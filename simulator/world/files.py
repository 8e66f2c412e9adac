"""Files: the inputs that a world is made of, for the manifest of a run."""

from __future__ import annotations

from pathlib import Path

from simulator.problem import Problems
from simulator.scenario.generator import resolve_origins
from simulator.scenario.inputs import find_input
from simulator.scenario.place import Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.signal_file import SignalFile
from simulator.scenario.signals import SIGNALS

from .replay import replay_files
from .signals import paper_file
from .solar import solar_files


def signal_files(scenario: Scenario) -> list[SignalFile]:
    """The files of signals, weather and fuel mix that a scenario names."""
    weather, mix = scenario.weather, None if scenario.grid is None else scenario.grid.mix
    blocks = [scenario.signals.csv, None if weather is None else weather.csv, mix]
    given = [getattr(block, key) for block in blocks if block is not None for key in type(block).model_fields]
    return [file for file in given if isinstance(file, SignalFile)]


def input_files(scenario: Scenario, sites: tuple[Site, ...]) -> list[Path]:
    """Every file that is read for a scenario, once each, in order of its name."""
    signals, demand, found = scenario.signals, scenario.workload.demand, solar_files(scenario, sites)
    if signals.paper is not None:
        folder = find_input(signals.paper.path, "paper")
        found |= {paper_file(folder, signal, site.kin) for signal in SIGNALS for site in sites}
    for asked in signal_files(scenario):
        found |= {Path(asked.file.replace("{site}", site.name)) for site in sites}
    if demand.paper is not None:
        found.add(find_input(demand.paper.path, "paper") / "AI_workload.csv")
    if demand.hourly is not None:
        found.add(find_input(demand.hourly.file, "bloom", demand.hourly.file.name))
    if demand.trace is not None:
        found.add(find_input(demand.trace.file, "traces", demand.trace.file.name))
    origins = [origin.name for origin in resolve_origins(scenario.origins, sites, Problems())]
    found |= replay_files(scenario.forecast, ([site.name for site in sites], origins))
    found |= {matrix.file for matrix in (scenario.network.rtt.matrix, scenario.allowed.matrix) if matrix is not None}
    return sorted(file for file in found if file.exists())
