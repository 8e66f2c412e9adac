"""The contract between a routing policy and the simulator, as a check that an author can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from policies.provisioning.static import Static
from simulator.control import Deciders, simulate
from simulator.plan import Plan, PolicyError
from simulator.planes import make_plane
from simulator.policy import RoutingPolicy
from simulator.scenario import parse
from simulator.world import World, build_world

#: Fleets a policy must cope with: name -> what differs from the first one.
FLEETS: dict[str, dict[str, Any]] = {
    "three sites": {},
    "one site": {"sites": {"generate": {"count": 1}}},
    "partial GLB": {"sites": {"generate": {"count": 7}}, "allowed": {"max_rtt_ms": 90}},
    "no demand at all": {"workload": {"demand": {"poisson": {"rate_per_s": 0}}, "request": {"seconds": 60}}},
    "more demand than capacity": {"workload": {"demand": {"poisson": {"rate_per_s": 1}}, "request": {"seconds": 60}}},
    "an origin that no site may serve": {"allowed": {"max_rtt_ms": 0.5}},
    "power for nothing, and for less": {
        "signals": {
            "synthetic": {
                "price_usd_per_mwh": {"steps": {"values": [0, -50], "every_h": 0.25}},
                "carbon_kg_per_kwh": 0,
                "water_l_per_kwh": 0,
            }
        }
    },
    "a tenth of a fleet": {"fleet_scale": 0.1},
    "sites of different size": {"sites": {"generate": {"count": 4, "seed": 3}}, "planning": {"utilisation_cap": 0.5}},
}
_FIRST: dict[str, Any] = {
    "name": "check_policy",
    "start": "2022-09-22T00:00:00Z",
    "slots": 12,
    "slot_s": 300,
    "sites": {"generate": {"count": 3}},
    "servers": {"count": 5, "concurrency": 2, "peak_w": 1000, "idle_w": 400},
    "origins": {"at_sites": {}},
    "workload": {"demand": {"poisson": {"rate_per_s": 0.2}}, "request": {"seconds": 60}},
    "network": {"rtt": "coordinates"},
    "policies": ["glb-cost"],
}


def check_policy(make: Callable[[], RoutingPolicy]) -> None:
    """Hold a policy against the contract, on generated fleets.

    Parameters
    ----------
    make
        Makes a fresh policy: its class, or ``lambda: MyPolicy(setting=1)``.

    Raises
    ------
    PolicyError
        naming every fleet on which the policy fails, and how: a plan that does not fit, an observation that
        is changed, another plan for the same observations, something left over from the run before.
    """
    wrong = [
        f"{name}: {what}"
        for name, changes in FLEETS.items()
        for what in _wrong_on(build_world(parse({**_FIRST, **changes})), make)
    ]
    if wrong:
        raise PolicyError("\n".join(wrong))


def _wrong_on(world: World, make: Callable[[], RoutingPolicy]) -> Iterator[str]:
    try:
        policy = make()
        first, again, fresh = _plans(world, policy), _plans(world, policy), _plans(world, make())
    except PolicyError as error:
        yield str(error)
    except ValueError as error:
        yield "it changes its observation, which is read-only" if "read-only" in str(error) else f"ValueError: {error}"
    except (Exception, SystemExit) as error:
        yield f"{type(error).__name__}: {error}"
    else:
        if not _same(first, fresh):
            yield "two fresh policies say different plans for the same observations"
        elif not _same(first, again):
            yield "start() does not make it forget the run before"


class _Listening(RoutingPolicy):
    """Passes everything on to a policy and keeps its plans."""

    def __init__(self, policy: RoutingPolicy):
        self.policy = policy
        self.forecaster = getattr(policy, "forecaster", None)
        self.plans: list[Plan] = []

    def plan(self, observation: Any) -> Plan:
        self.plans.append(self.policy.plan(observation))
        return self.plans[-1]


def _plans(world: World, policy: RoutingPolicy) -> list[Plan]:
    policy.start(world.told)
    listening = _Listening(policy)
    simulate(world, Deciders(listening, [Static() for _ in world.sites]), make_plane("simpy", world))
    return listening.plans


def _same(one: list[Plan], other: list[Plan]) -> bool:
    return all(type(a) is type(b) and _parts(a) == _parts(b) for a, b in zip(one, other, strict=True))


def _parts(said: Any) -> Any:
    """Everything that a plan says; its witnesses explain it only."""
    if is_dataclass(said):
        return [
            _parts(getattr(said, field.name)) for field in fields(said) if field.name not in ("witness", "stretched")
        ]
    return said if said is None or isinstance(said, str) or callable(said) else np.asarray(said, dtype=float).tolist()
