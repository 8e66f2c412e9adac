"""equifleet: a discrete-event simulator of a fleet of data centres that serve AI inference.

The public names are loaded when they are first used, so that the command line starts quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.contract import check_policy as check_policy
    from simulator.folder import read_folder as read_folder
    from simulator.intake import load as load
    from simulator.plan import Dual as Dual
    from simulator.plan import Own as Own
    from simulator.plan import PolicyError as PolicyError
    from simulator.plan import Score as Score
    from simulator.plan import Split as Split
    from simulator.policy import Observation as Observation
    from simulator.policy import RoutingPolicy as RoutingPolicy
    from simulator.problem import InputError as InputError
    from simulator.problem import LawError as LawError
    from simulator.provisioning import Order as Order
    from simulator.provisioning import ProvisioningPolicy as ProvisioningPolicy
    from simulator.provisioning import SiteView as SiteView
    from simulator.result import RunResult as RunResult
    from simulator.scenario.scenario import Scenario as Scenario
    from simulator.simulation import run as run
    from simulator.storage import StorageControl as StorageControl
    from simulator.storage import StorageView as StorageView
    from simulator.world import World as World
    from simulator.world import build_world as build_world

_HOMES = {
    "Dual": "simulator.plan",
    "InputError": "simulator.problem",
    "LawError": "simulator.problem",
    "Observation": "simulator.policy",
    "Order": "simulator.provisioning",
    "Own": "simulator.plan",
    "PolicyError": "simulator.plan",
    "ProvisioningPolicy": "simulator.provisioning",
    "RoutingPolicy": "simulator.policy",
    "RunResult": "simulator.result",
    "Scenario": "simulator.scenario.scenario",
    "Score": "simulator.plan",
    "SiteView": "simulator.provisioning",
    "Split": "simulator.plan",
    "StorageControl": "simulator.storage",
    "StorageView": "simulator.storage",
    "World": "simulator.world",
    "build_world": "simulator.world",
    "check_policy": "simulator.contract",
    "load": "simulator.intake",
    "read_folder": "simulator.folder",
    "run": "simulator.simulation",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
