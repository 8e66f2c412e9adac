"""The roster: policies and battery controls by name, ours and a user's own (``module:Class``), and their settings."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from simulator.fleet import Fleet
from simulator.forecast import FORECASTERS, Forecaster, asked_by
from simulator.modules import imported, member
from simulator.planes import ENGINES
from simulator.policy import RoutingPolicy
from simulator.problem import InputError, KeyPath, Problems, did_you_mean, refuse
from simulator.provisioning import ProvisioningPolicy
from simulator.scenario.block import shown
from simulator.scenario.choice import Choice, PolicyChoice, ProvisioningChoice
from simulator.scenario.forecast import Forecasting
from simulator.scenario.onsite import Storage
from simulator.scenario.scenario import Scenario
from simulator.storage import StorageControl
from simulator.world import World
from simulator.world.onsite import batteries_of

#: Hints that a YAML list fits; it arrives as a tuple.
_LISTS = (list, tuple, Sequence)
_Made = TypeVar("_Made")


def _known_forecaster(policy: RoutingPolicy) -> None:
    asked_by(policy.forecaster, FORECASTERS["seasonal"])


@dataclass(frozen=True)
class Kind(Generic[_Made]):
    """Something that a scenario names: the words for it, where ours are listed, and what a user's own must be."""

    noun: str
    words: str
    ours: str
    """The dict of the package ``policies`` that lists ours."""
    base: type[_Made]
    method: str
    """What its class must say, with the arguments."""
    check: Callable[[_Made], None] = lambda made: None
    """Raises ValueError for one that was made and will not do."""


ROUTING = Kind(
    "policy", "routing policy", "POLICIES", RoutingPolicy, "plan(self, observation)", check=_known_forecaster
)
PROVISIONING = Kind("policy", "provisioning policy", "PROVISIONING", ProvisioningPolicy, "order(self, view)")
STORAGE = Kind("control", "battery control", "STORAGE", StorageControl, "power_kw(self, view)")


def built_in() -> dict[str, type[RoutingPolicy]]:
    """The built-in policies; an error that says so if another package called ``policies`` stands in front of ours."""
    return ours(ROUTING)


def ours(kind: Kind[_Made]) -> dict[str, type[_Made]]:
    """The built-in ones of a kind; an error if another package called ``policies`` stands in front of ours."""
    import policies

    root, found = Path(__file__).resolve().parents[1], Path(policies.__file__ or "").resolve()
    if found.parents[1] != root or not hasattr(policies, kind.ours):
        raise refuse(
            (),
            f"another package named 'policies' ({found.parent}) hides equifleet's own; rename it or run from elsewhere",
        )
    known: dict[str, type[_Made]] = getattr(policies, kind.ours)
    return known


def class_of(kind: Kind[_Made], name: str, folders: Sequence[Path], path: KeyPath = ()) -> type[_Made]:
    """The class of a kind by name or ``module:Class``; a user's modules are looked up after all others.

    Raises
    ------
    InputError
        for an unknown name, a module that cannot be imported, or a class of another kind.
    """
    known, own = ours(kind), f"a {kind.noun} of your own is written module:Class"
    if name in known:
        return known[name]
    module_name, colon, class_name = name.partition(":")
    if not colon:
        raise refuse(path, f"unknown {kind.noun} '{name}'; {own}{did_you_mean(name, known)}")
    if not all(part.isidentifier() for part in [*module_name.split("."), class_name]):
        raise refuse(path, f"{own}, such as my_module:My{kind.noun.capitalize()} (given '{name}')")
    found = member(imported(module_name, folders, path), class_name, path)
    if not isinstance(found, type) or not issubclass(found, kind.base):
        made_from = f"a class made from simulator.{kind.base.__name__} is needed"
        raise refuse(path, f"'{name}' is not a {kind.words}: {made_from}")
    method = kind.method.partition("(")[0]
    if getattr(found, method) is getattr(kind.base, method):
        raise refuse(path, f"'{name}' has no method {kind.method}, which every {kind.words} needs")
    return found


def make_policy(choice: PolicyChoice, folders: Sequence[Path] = (), path: KeyPath = ()) -> RoutingPolicy:
    """A policy with its settings; raises InputError naming every setting that is wrong."""
    return made(ROUTING, choice, folders, path)


def made(kind: Kind[_Made], choice: Choice, folders: Sequence[Path] = (), path: KeyPath = ()) -> _Made:
    """One of a kind with its settings; raises InputError naming every setting that is wrong."""
    found = class_of(kind, choice.name, folders, path)
    check_settings(found, choice.settings, (*path, choice.name), kind.noun)
    try:
        one = found(**choice.settings)
        kind.check(one)
        return one
    except InputError as error:  # settings that are blocks of a scenario say themselves where they are wrong
        raise error.within((*path, choice.name)) from None
    except (ValueError, TypeError) as error:
        raise refuse((*path, choice.name), str(error)) from None
    except (Exception, SystemExit) as error:
        raise refuse((*path, choice.name), f"{type(error).__name__} when it is made: {error}") from None


def make_provisioning(
    world: World, folders: Sequence[Path] = (), unless_own: ProvisioningChoice | None = None
) -> tuple[ProvisioningPolicy, ...]:
    """A fresh provisioning policy for each site; raises InputError with all mistakes.

    ``unless_own`` is for the sites that have none of their own, in place of the scenario's.
    """
    problems, policies, scenario = Problems(), list[ProvisioningPolicy](), world.scenario
    for k, site in enumerate(world.sites):
        path = () if site.provisioning is None else scenario.sites.path_to(k, site.name)
        choice = site.provisioning or unless_own or scenario.provisioning
        with problems.collecting():
            policies.append(made(PROVISIONING, choice, folders, (*path, "provisioning")))
    problems.settle()
    return tuple(policies)


def make_controls(world: World, folders: Sequence[Path] = ()) -> tuple[StorageControl | None, ...]:
    """A fresh control for the battery of each site, None where there is none; raises InputError with all mistakes."""
    problems, controls = Problems(), list[StorageControl | None]()
    for path, storage in batteries_of(world.scenario, world.sites):
        controls.append(None)
        with problems.collecting():
            if storage is not None:
                controls[-1] = made(STORAGE, storage.control, folders, (*path, "control"))
    problems.settle()
    return tuple(controls)


def check_policies(choices: Sequence[PolicyChoice], engine: str, folders: Sequence[Path], problems: Problems) -> None:
    """Make every policy of a scenario once, and collect what is wrong."""
    for number, choice in enumerate(choices):
        with problems.collecting():
            policy = make_policy(choice, folders, ("policies", number))
            routes_requests = engine not in ENGINES or ENGINES[engine].routes_requests
            if not routes_requests and choice.name in built_in() and (setting := _wants_requests(policy)):
                path = ("policies", number, choice.name, setting)
                raise refuse(
                    path, f"the {engine} engine serves shares (rule: split); this needs engine: compiled or simpy"
                )


def check_fit(choices: Sequence[PolicyChoice], fleet: Fleet, folders: Sequence[Path], problems: Problems) -> None:
    """Collect what settings of policies say that does not fit the fleet; what cannot even be made is not looked at."""
    for number, choice in enumerate(choices):
        path: KeyPath = ("policies", number)
        try:
            policy = make_policy(choice, folders, path)
        except InputError:
            continue
        with problems.collecting():
            try:
                policy.check(fleet)
            except ValueError as error:
                raise refuse((*path, choice.name), str(error)) from None
            except (Exception, SystemExit) as error:
                raise refuse((*path, choice.name), f"{type(error).__name__} when it is checked: {error}") from None


def check_provisioning(scenario: Scenario, folders: Sequence[Path], problems: Problems) -> None:
    """Make every provisioning policy of a scenario once, and collect what is wrong."""
    for path, choice in scenario.provisionings:
        with problems.collecting():
            made(PROVISIONING, choice, folders, path)


def check_controls(scenario: Scenario, folders: Sequence[Path], problems: Problems) -> None:
    """Make every battery control of a scenario once, and collect what is wrong."""
    asked: list[tuple[KeyPath, Storage | None]] = [(("battery",), scenario.battery)]
    asked += [((*path, "battery"), site.battery) for path, site in scenario.sites.own]
    for path, storage in asked:
        if storage is not None:
            with problems.collecting():
                made(STORAGE, storage.control, folders, (*path, "control"))


def check_forecasts(world: World, folders: Sequence[Path], problems: Problems) -> None:
    """Read the files of the forecasts that policies bring themselves, and collect what is wrong with them."""
    for number, choice in enumerate(world.scenario.policies):
        asked = None
        with suppress(InputError):  # said already
            asked = make_policy(choice, folders).forecaster
        if isinstance(asked, Forecasting) and asked.replays:
            with problems.collecting():
                Forecaster(world, asked, path=("policies", number, choice.name, "forecaster"))


def _wants_requests(policy: RoutingPolicy) -> str | None:
    """The setting by which a built-in policy routes single requests by prices; None when it says shares."""
    if getattr(policy, "update_every", None) is not None:
        return "update_every"
    rule = getattr(policy, "rule", "split")
    return "rule" if rule == "score" or (isinstance(rule, Mapping) and "score" in rule) else None


def check_settings(kind: type, settings: Mapping[str, Any], path: KeyPath, noun: str = "policy") -> None:
    """Hold settings against the signature of ``__init__``; raises InputError."""
    problems = Problems()
    parameters = settings_of(kind)
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    hints = _hints(kind) if parameters else {}
    for name, value in settings.items():
        if name not in parameters:
            if not free:
                near = did_you_mean(name, parameters) if parameters else f"; the {noun} has no settings"
                problems.add((*path, name), f"unknown key '{name}'{near}")
        elif name in hints and not _fits(value, hints[name]):
            problems.add((*path, name), f"{_wanted(hints[name])} is needed (given {shown(value)})")
    for name, parameter in parameters.items():
        if (
            parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and name not in settings
        ):
            problems.add(path, f"the key '{name}' is missing")
    problems.settle()


def settings_of(kind: type) -> dict[str, inspect.Parameter]:
    """The settings a class takes: the parameters of its ``__init__``."""
    if kind.__init__ is object.__init__:  # type: ignore[misc]
        return {}
    return dict(list(inspect.signature(kind.__init__).parameters.items())[1:])  # type: ignore[misc]


def _hints(kind: type) -> dict[str, Any]:
    """The types of the settings; none where a user's annotations cannot be resolved."""
    try:
        return typing.get_type_hints(kind.__init__)  # type: ignore[misc]
    except Exception:
        return {}


def _fits(value: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return any(_fits(value, part) for part in typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin in _LISTS:
        return isinstance(value, list | tuple)
    return not isinstance(origin, type) or isinstance(value, origin)


def _wanted(hint: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false", type(None): "nothing"}
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(str(value) for value in typing.get_args(hint))
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    names |= dict.fromkeys(_LISTS, "a list") | dict.fromkeys((dict, Mapping), "a mapping")
    words = []
    for part in typing.get_args(hint) if union else (hint,):
        kind = typing.get_origin(part) or part
        if kind is typing.Literal:
            words += [str(value) for value in typing.get_args(part)]
        elif kind is not type(None):
            words.append(names.get(kind, f"a value of {kind}"))
    return " or ".join(words)
