"""Outages of a world: what goes down, from when to when, drawn before the clock starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from simulator.problem import KeyPath, Problems, did_you_mean
from simulator.scenario.outage import RandomOutages, ScheduledOutage
from simulator.scenario.scenario import Scenario
from simulator.streams import stream
from simulator.units import S_PER_H

#: What an outage is of; also a key of its part of the stream.
KINDS = ("site", "link", "signals")


class Outage(NamedTuple):
    """One outage, in [start_s, end_s)."""

    start_s: float
    end_s: float
    kind: Literal["site", "link", "signals"]
    site: int
    origin: int = -1
    """Of a link."""
    share: float = 1.0
    """Of the site's servers."""
    kills: bool = False
    """Whether requests in service are killed."""


class Outages(NamedTuple):
    """All outages of a run, by their start."""

    all: tuple[Outage, ...]
    retries: int
    detection_s: float

    @property
    def losing(self) -> tuple[Outage, ...]:
        """Those by which requests lose their site."""
        return tuple(outage for outage in self.all if outage.kind != "signals")


def build_outages(
    scenario: Scenario, sites: Sequence[str], origins: Sequence[str], seed: int, problems: Problems
) -> Outages:
    """The outages that a scenario asks for; unknown names are added to ``problems``."""
    asked, found = scenario.outages, []
    for k, outage in enumerate(asked.scheduled):
        path: KeyPath = ("outages", "scheduled", k)
        unknown = len(problems.found)
        _check(outage, sites, origins, path, problems)
        if len(problems.found) == unknown:
            found.append(_scheduled(outage, sites, origins))
    if asked.random.sites is not None:
        only = asked.random.sites.only
        for k, name in enumerate(only):
            _known(name, sites, "site", ("outages", "random", "sites", "only", k), problems)
        share, kills = asked.random.sites.share, asked.random.sites.running == "kill"
        for i, name in enumerate(sites):
            if not only or name in only:
                times = _times(asked.random.sites, scenario, (seed, 0, i))
                found += [Outage(start, end, "site", i, -1, share, kills) for start, end in times]
    if asked.random.links is not None:
        for j in range(len(origins)):
            for i in range(len(sites)):
                times = _times(asked.random.links, scenario, (seed, 1, j, i))
                found += [Outage(start, end, "link", i, j) for start, end in times]
    if asked.random.signals is not None:
        for i in range(len(sites)):
            times = _times(asked.random.signals, scenario, (seed, 2, i))
            found += [Outage(start, end, "signals", i) for start, end in times]
    return Outages(tuple(sorted(found)), asked.retries, asked.detection_s)


def _check(
    outage: ScheduledOutage, sites: Sequence[str], origins: Sequence[str], path: KeyPath, problems: Problems
) -> None:
    if outage.site is not None:
        _known(outage.site, sites, "site", (*path, "site"), problems)
    if outage.signals is not None:
        _known(outage.signals, sites, "site", (*path, "signals"), problems)
    if outage.origin is not None:
        _known(outage.origin, origins, "origin", (*path, "origin"), problems)


def _known(name: str, names: Sequence[str], what: str, path: KeyPath, problems: Problems) -> None:
    if name not in names:
        problems.add(path, f"unknown {what} '{name}'{did_you_mean(name, names)}")


def _scheduled(outage: ScheduledOutage, sites: Sequence[str], origins: Sequence[str]) -> Outage:
    start, end = outage.start_s, outage.start_s + outage.length_s
    if outage.signals is not None:
        return Outage(start, end, "signals", sites.index(outage.signals))
    assert outage.site is not None
    site = sites.index(outage.site)
    if outage.origin is not None:
        return Outage(start, end, "link", site, origins.index(outage.origin))
    return Outage(start, end, "site", site, -1, outage.share, outage.running == "kill")


def _times(asked: RandomOutages, scenario: Scenario, key: tuple[int, ...]) -> Iterator[tuple[float, float]]:
    """Starts and ends [s] up to the end of the run: exponential times up and down, one after the other."""
    seed, *part = key
    generator, time_s = stream(seed, "failures", *part), 0.0
    while True:
        time_s += float(generator.standard_exponential()) * asked.mean_up_h * S_PER_H
        if time_s >= scenario.horizon_s:
            return
        start_s = time_s
        time_s += float(generator.standard_exponential()) * asked.mean_down_h * S_PER_H
        yield start_s, time_s
