"""What tests share: worlds made in a line, and the authors' data where it is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from simulator.scenario import Scenario, parse
from simulator.scenario.inputs import PUBLIC_HOMES, data_folder
from simulator.world import World, build_world

# The same examples on every machine: a run of the tests must not fail by luck.
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed")

SMALL: dict[str, Any] = {
    "name": "small",
    "start": "2022-09-22T00:00:00Z",
    "slots": 12,
    "slot_s": 600,
    "sites": {"generate": {"count": 3}},
    "servers": {"count": 3, "concurrency": 2, "peak_w": 1000, "idle_w": 300},
    "origins": "at_sites",
    "workload": {"demand": {"poisson": {"rate_per_s": 0.2}}, "request": {"seconds": 60}},
    "network": {"rtt": "coordinates"},
    "policies": ["glb-cost"],
}


def scenario(**changes: Any) -> Scenario:
    """A small scenario with some keys changed."""
    return parse({**SMALL, **changes})


def world(**changes: Any) -> World:
    """The world of a small scenario with some keys changed."""
    return build_world(scenario(**changes))


def needs(folder: str) -> pytest.MarkDecorator:
    """Skip where real data is not there, and say where it comes from."""
    home = data_folder() / folder
    return pytest.mark.skipif(
        not home.is_dir(), reason=f"{folder}/ of EQUIFLEET_DATA is not there: {PUBLIC_HOMES[folder]}"
    )
