"""A run: one policy on one world, from the first slot to the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from simulator.control import Deciders, simulate
from simulator.fleet import FloatArray
from simulator.intake import check_servers, check_size, load
from simulator.laws import check_laws
from simulator.planes import make_plane
from simulator.policy import RoutingPolicy
from simulator.problem import Problems, refuse
from simulator.provisioning import ProvisioningPolicy
from simulator.record import Keeping, Requests, joined
from simulator.result import RunResult
from simulator.roster import make_controls, make_policy, make_provisioning
from simulator.scenario import Scenario
from simulator.scenario.choice import PolicyChoice, ProvisioningChoice
from simulator.scenario.place import Place
from simulator.world import World, build_world

Progress = Callable[[float], None]


def run(
    scenario: Scenario | World | str | Path,
    policy: str | RoutingPolicy,
    *,
    provisioning: ProvisioningChoice | None = None,
    seed: int | None = None,
    engine: str | None = None,
    keep_requests: bool = False,
    keeping: Keeping | None = None,
    label: str | None = None,
    progress: Progress | None = None,
    folders: Sequence[Path] | None = None,
) -> RunResult:
    """Simulate one policy on a scenario (or a world already built) and check the laws.

    A policy given by name has the settings of its first entry in the scenario, if it has one. ``provisioning`` takes
    the place of the scenario's. A user's own modules are looked up in ``folders``, the current one unless given.
    ``keep_requests`` keeps the rows of all requests in memory (``result.record.requests``); ``keeping`` hands those of
    a share of them to somebody else as the run goes on. The fluid engine has none.

    Raises
    ------
    InputError
        for mistakes in the scenario; PolicyError when the policy says what is no plan; LawError when a law is broken.
    """
    if isinstance(scenario, str | Path):
        scenario = load(scenario)
    if isinstance(scenario, World) and seed is not None and seed != scenario.seed:
        raise refuse(("seed",), f"the world is already built, for seed {scenario.seed} (given {seed})")
    world = scenario if isinstance(scenario, World) else build_world(scenario, seed)
    engine = engine or world.scenario.engine
    _check(world, engine, provisioning)
    folders = [Path.cwd()] if folders is None else folders
    routing, beside_it = _chosen(policy, world.scenario, folders)
    deciders = Deciders(
        routing, make_provisioning(world, folders, provisioning or beside_it), make_controls(world, folders)
    )
    world = _with_standing(world, deciders.provisioning)
    deciders.routing.start(world.told)
    batches: list[Requests] = []
    plane = make_plane(engine, world, Keeping(1.0, batches.append) if keep_requests else keeping, progress)
    held = simulate(world, deciders, plane, progress if engine == "fluid" else None)
    record = plane.record()
    if batches:
        record = record._replace(requests=joined(batches))
    return RunResult(
        policy=label or (policy if isinstance(policy, str) else type(policy).__name__),
        engine=engine,
        seed=world.seed,
        fleet_scale=world.scenario.fleet_scale,
        start=world.scenario.start,
        warmup_s=world.scenario.warmup_s,
        is_steady=world.is_steady,
        fleet=world.fleet,
        types=tuple(pool.servers.name for pool in world.pools),
        record=record,
        conditions=world.conditions,
        usage=held.usage,
        footprint=held.footprint,
        flows=held.flows,
        booted=held.booted,
        boot_wait_s=held.boot_wait_s,
        short_slots=held.minutes.short_slots,
        unserved_requests=held.minutes.unserved_requests,
        witness=held.minutes.witness,
        site_deg=_degrees(world.sites),
        origin_deg=_degrees(world.origins),
        worst_rps=held.minutes.worst_rps,
        stretched_slots=held.minutes.stretched_slots,
        stretched=held.minutes.stretched,
        decision_s=np.array(held.minutes.decision_s),
        laws=check_laws(world, record, held.usage, held.footprint, held.flows),
    )


def _degrees(places: Sequence[Place]) -> FloatArray:
    """Latitude and longitude of places, NaN where they are not known, [places, 2]."""
    known = [(place.latitude_deg, place.longitude_deg) for place in places]
    return np.array([[np.nan if value is None else value for value in pair] for pair in known], dtype=float)


def _with_standing(world: World, provisioning: Sequence[ProvisioningPolicy]) -> World:
    """The world whose planners count as spent what servers draw that are on whatever happens, and nothing else."""
    servers = world.fleet.hardware.by_site(world.fleet.hardware.servers)
    kept = np.array([policy.always_on(float(count)) for policy, count in zip(provisioning, servers, strict=True)])
    if np.array_equal(kept, servers):
        return world
    return replace(world, fleet=replace(world.fleet, standing_kwh=world.fleet.standing_kwh * (kept / servers)))


def _check(world: World, engine: str, provisioning: ProvisioningChoice | None) -> None:
    """Whether this engine can run this world, under this provisioning if any is given; raises InputError."""
    problems = Problems()
    with problems.collecting():
        check_size(world, engine)
    changes = {} if provisioning is None else {"provisioning": provisioning}
    check_servers(world.scenario.model_copy(update=changes), engine, problems)
    problems.settle()


def _chosen(
    policy: str | RoutingPolicy, scenario: Scenario, folders: Sequence[Path]
) -> tuple[RoutingPolicy, ProvisioningChoice | None]:
    """The policy that is meant; by name, with the settings and the provisioning of its first entry in the scenario."""
    if isinstance(policy, str):
        choice = next((listed for listed in scenario.policies if listed.name == policy), PolicyChoice(name=policy))
        return make_policy(choice, folders), choice.provisioning
    if isinstance(policy, RoutingPolicy):
        return policy, None
    raise refuse((), f"a policy is a name or an instance of a RoutingPolicy (given {policy!r})")
