"""The studies: a question for each, and the points that answer it."""

from __future__ import annotations

from pathlib import Path

from simulator.problem import InputError
from simulator.scenario import Scenario, Source
from simulator.study.agenda import Agenda
from simulator.study.latency import latency_agenda
from simulator.study.partial import partial_agenda
from simulator.study.robustness import robustness_agenda


def study_agenda(source: Source, base: Scenario, modules: tuple[Path, ...]) -> Agenda:
    """The agenda of a scenario's study; raises InputError where the scenario is not fit for it."""
    assert base.study is not None
    try:
        if base.study.latency is not None:
            return latency_agenda(base, base.study.latency, modules)
        if base.study.robustness is not None:
            return robustness_agenda(base, base.study.robustness, modules)
        assert base.study.partial is not None
        return partial_agenda(base, base.study.partial, modules)
    except InputError as error:
        raise source.located(error) from None
