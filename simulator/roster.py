"""The roster: routing policies by name, ours and a user's own (``module:Class``), and their settings."""

from __future__ import annotations

import filecmp
import importlib
import inspect
import math
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.forecast import FORECASTERS
from simulator.planes import ENGINES
from simulator.policy import RoutingPolicy
from simulator.problem import KeyPath, Problems, did_you_mean, refuse
from simulator.scenario.block import shown
from simulator.scenario.choice import PolicyChoice

#: Hints that a YAML list fits; it arrives as a tuple.
_LISTS = (list, tuple, Sequence)
#: Names of modules that were imported from a user's folders: another folder may have another one of that name.
_FROM_FOLDERS: set[str] = set()


def built_in() -> dict[str, type[RoutingPolicy]]:
    """The built-in policies; an error that says so if another package called ``policies`` stands in front of ours."""
    import policies

    ours, found = Path(__file__).resolve().parents[1], Path(policies.__file__ or "").resolve()
    if found.parents[1] != ours or not hasattr(policies, "POLICIES"):
        raise refuse(
            (),
            f"another package named 'policies' ({found.parent}) hides equifleet's own; rename it or run from elsewhere",
        )
    return policies.POLICIES


def policy_class(name: str, folders: Sequence[Path], path: KeyPath = ()) -> type[RoutingPolicy]:
    """The class of a policy by name or ``module:Class``; a user's modules are looked up after all others.

    Raises
    ------
    InputError
        for an unknown name, a module that cannot be imported, or a class that is no policy.
    """
    known = built_in()
    if name in known:
        return known[name]
    module_name, colon, class_name = name.partition(":")
    if not colon:
        own = "a policy of your own is written module:Class"
        raise refuse(path, f"unknown policy '{name}'; {own}{did_you_mean(name, known)}")
    if not all(part.isidentifier() for part in [*module_name.split("."), class_name]):
        raise refuse(path, f"a policy of your own is written module:Class, such as my_module:MyPolicy (given '{name}')")
    module = _imported(module_name, folders, path)
    try:
        found = getattr(module, class_name, None)
    except Exception as error:  # a module's own __getattr__
        raise refuse(path, f"'{name}' cannot be had: {type(error).__name__}: {error}") from None
    if found is None:
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise refuse(path, f"module '{module_name}' has no class '{class_name}'{did_you_mean(class_name, classes)}")
    if not isinstance(found, type) or not issubclass(found, RoutingPolicy):
        raise refuse(path, f"'{name}' is not a routing policy: a class made from simulator.RoutingPolicy is needed")
    if found.plan is RoutingPolicy.plan:
        raise refuse(path, f"'{name}' has no method plan(self, observation), which every routing policy needs")
    return found


def _imported(name: str, folders: Sequence[Path], path: KeyPath) -> types.ModuleType:
    """A user's module; refused where another one of its name is found first."""
    own = _files_of(name, folders)
    for known in [name, *(name[:k] for k, sign in enumerate(name) if sign == ".")]:
        if known in _FROM_FOLDERS and not _is_one_of(sys.modules.get(known), _files_of(known, folders)):
            sys.modules.pop(known, None)  # it is that of a scenario in another folder
    with _SearchedLast(folders):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if own and error.name is not None and name.startswith(error.name):
                raise refuse(path, _hidden(own[0], sys.modules.get(name.partition(".")[0]))) from None
            if error.name != name.partition(".")[0] and error.name != name:
                raise refuse(
                    path, f"module '{name}' cannot be imported: it imports '{error.name}', which is not there"
                ) from None
            where = ", ".join(str(folder) for folder in folders)
            near = (
                did_you_mean(name, [file.stem for folder in folders for file in sorted(folder.glob("*.py"))])
                if folders
                else ""
            )
            raise refuse(path, f"there is no module '{name}' (looked in {where}){near}") from None
        except (Exception, SystemExit) as error:
            raise refuse(path, f"module '{name}' cannot be imported: {type(error).__name__}: {error}") from None
    if own and getattr(module, "__file__", None) and not _is_one_of(module, own):
        raise refuse(path, _hidden(own[0], module))
    if own:
        _FROM_FOLDERS.add(name)
    return module


def _files_of(name: str, folders: Sequence[Path]) -> list[Path]:
    """Where a module of this name stands in the folders."""
    stems = [folder.joinpath(*name.split(".")) for folder in folders]
    return [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()]


def _is_one_of(module: types.ModuleType | None, files: Sequence[Path]) -> bool:
    """Whether a module was made from one of these files, or from another of the same text."""
    there = Path(getattr(module, "__file__", None) or "")
    return there.is_file() and any(there.samefile(file) or filecmp.cmp(there, file, False) for file in files)


def _hidden(file: Path, module: types.ModuleType | None) -> str:
    other = getattr(module, "__file__", None) or "part of Python"
    return (
        f"{file} is hidden by another module named '{getattr(module, '__name__', file.stem)}' ({other}); rename yours"
    )


def make_policy(choice: PolicyChoice, folders: Sequence[Path] = (), path: KeyPath = ()) -> RoutingPolicy:
    """A policy with its settings; raises InputError naming every setting that is wrong."""
    kind = policy_class(choice.name, folders, path)
    check_settings(kind, choice.settings, (*path, choice.name))
    try:
        policy = kind(**choice.settings)
        if policy.forecaster is not None and policy.forecaster not in FORECASTERS:
            raise ValueError(f"unknown forecaster '{policy.forecaster}'{did_you_mean(policy.forecaster, FORECASTERS)}")
        return policy
    except (ValueError, TypeError) as error:
        raise refuse((*path, choice.name), str(error)) from None
    except (Exception, SystemExit) as error:
        raise refuse((*path, choice.name), f"{type(error).__name__} when it is made: {error}") from None


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


def _wants_requests(policy: RoutingPolicy) -> str | None:
    """The setting by which a built-in policy routes single requests by prices; None when it says shares."""
    if getattr(policy, "update_every", None) is not None:
        return "update_every"
    rule = getattr(policy, "rule", "split")
    return "rule" if rule == "score" or (isinstance(rule, Mapping) and "score" in rule) else None


def check_settings(kind: type[RoutingPolicy], settings: Mapping[str, Any], path: KeyPath) -> None:
    """Hold settings against the signature of ``__init__``; raises InputError."""
    problems = Problems()
    parameters = settings_of(kind)
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    hints = _hints(kind) if parameters else {}
    for name, value in settings.items():
        if name not in parameters:
            if not free:
                near = did_you_mean(name, parameters) if parameters else "; the policy has no settings"
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
    """The settings a policy takes: the parameters of its ``__init__``."""
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
    parts = [typing.get_origin(part) or part for part in (typing.get_args(hint) if union else (hint,))]
    names |= dict.fromkeys(_LISTS, "a list") | dict.fromkeys((dict, Mapping), "a mapping")
    return " or ".join(names.get(part, f"a value of {part}") for part in parts if part is not type(None))


class _SearchedLast:
    """While active, folders stand at the end of the module search path, so that they never shadow anything."""

    def __init__(self, folders: Sequence[Path]):
        self._added = [str(folder) for folder in folders if str(folder) not in sys.path]

    def __enter__(self) -> None:
        sys.path.extend(self._added)
        importlib.invalidate_caches()

    def __exit__(self, *_: object) -> None:
        for folder in self._added:
            sys.path.remove(folder)
