"""Reading: from a source to a checked scenario, all mistakes at once."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.problem import InputError, KeyPath, Problem, Problems, did_you_mean, refuse

from .block import Variant, shown
from .forecast import Forecasting
from .scalar import looks_like_yaml_11_boolean
from .scenario import Scenario
from .source import Source

_KINDS = {
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "string_type": "text is needed",
    "bool_type": "true or false is needed",
    "tuple_type": "a list is needed",
    "dict_type": "a mapping is needed",
    "model_type": "a mapping is needed",
    "model_attributes_type": "a mapping is needed",
    "is_instance_of": "another kind of value is needed",
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def find_scenario(name: str | Path) -> Path:
    """The file of a scenario given as a path or as the bare name of a shipped one."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists() or len(path.parts) > 1:
        return path
    shipped = shipped_scenarios()
    if path.name not in shipped:
        raise InputError(
            [
                Problem(
                    (),
                    f"there is no file and no shipped scenario of this name{did_you_mean(path.name, shipped)}",
                    str(name),
                )
            ]
        )
    return shipped[path.name]


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that travel with the package, by bare name."""
    folder = Path(__file__).parents[2] / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_source(path: str | Path, settings: Iterable[str] = ()) -> Source:
    """Parse a scenario file and apply ``KEY=VALUE`` settings; raises InputError."""
    source = Source.from_file(find_scenario(path))
    if not isinstance(source.data, dict):
        what = "the file is empty" if source.data is None else f"a scenario is a mapping (given {shown(source.data)})"
        raise source.located(refuse((), what))
    source.override(settings, is_choice)
    return source


def parse(data: Any) -> Scenario:
    """A scenario from plain data; raises InputError with every mistake found."""
    try:
        return Scenario.model_validate(frozen(data))
    except ValidationError as error:
        raise _explained(error) from None


def parse_forecast(data: Any, key: str) -> Forecasting:
    """What a policy's setting ``key`` asks for, in the words of the scenario's block `forecast`.

    Raises
    ------
    InputError
        with every mistake found, its path beginning with the key.
    """
    try:
        return Forecasting.model_validate(frozen(data))
    except ValidationError as error:
        problems = _explained(error, ("forecast",)).problems
        raise InputError(replace(problem, path=(key, *problem.path[1:])) for problem in problems) from None


def _explained(error: ValidationError, path: KeyPath = ()) -> InputError:
    """An error of pydantic in our words; ``path`` is where in a scenario the data would stand."""
    problems = Problems()
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # pydantic counts only the entries without a mistake
        detail["loc"] = (*path, *detail["loc"])
        problems.add(*explain(detail))
    return InputError(dict.fromkeys(problems.found))


def frozen(data: Any) -> Any:
    """Data with every list made a tuple."""
    if isinstance(data, dict):
        return {key: frozen(value) for key, value in data.items()}
    return tuple(frozen(item) for item in data) if isinstance(data, list | tuple) else data


def explain(detail: ErrorDetails) -> tuple[KeyPath, str]:
    """The path and the sentence of one pydantic error."""
    kind, path, given = detail["type"], detail["loc"], detail.get("input")
    if path[-1:] == ("[key]",):
        path = path[:-1]
    tail = f" (given {shown(given)})"
    if kind == "missing":
        return path[:-1], f"the key '{path[-1]}' is missing"
    if kind == "extra_forbidden":
        return path, f"unknown key '{path[-1]}'{did_you_mean(path[-1], keys_at(Scenario, path[:-1]))}"
    if kind == "literal_error":
        expected = detail["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        if not isinstance(given, str):
            return path, f"one of {', '.join(expected)} is needed{tail}"
        return path, f"unknown value {shown(given)}{did_you_mean(given, expected)}"
    if kind in _BOUNDS:
        bound, word = _BOUNDS[kind]
        return path, f"must be {word} {detail['ctx'][bound]:g}{tail}"
    if kind in ("too_short", "too_long"):
        need = (
            f"at least {detail['ctx']['min_length']}"
            if kind == "too_short"
            else f"at most {detail['ctx']['max_length']}"
        )
        return path, f"{need} entries are needed (given {detail['ctx']['actual_length']})"
    if kind == "string_pattern_mismatch":
        return path, f"a name without blanks at its start, slashes, commas or colons is needed{tail}"
    if kind in _KINDS:
        hint = (
            "; write true or false"
            if kind == "bool_type" and isinstance(given, str) and looks_like_yaml_11_boolean(given)
            else ""
        )
        if kind in ("float_type", "int_type") and isinstance(given, str):
            hint = "; write it without quotes, unit or blanks"
        return path, f"{_KINDS[kind]}{tail}{hint}"
    if kind == "input":
        return path, detail["msg"]
    return path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}{tail}"


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys a block knows."""
    return sorted({field.alias or name for m in models_at(model, path) for name, field in m.model_fields.items()})


def is_choice(path: KeyPath) -> bool:
    """Whether the last key of a path is one of which a scenario chooses one."""
    return any(issubclass(found, Variant) and path[-1] in found.choices() for found in models_at(Scenario, path[:-1]))


def models_at(model: type[BaseModel], path: KeyPath) -> list[type[BaseModel]]:
    """The blocks that may stand at a path, found by walking the models along it."""
    models = [model]
    for part in path:
        if isinstance(part, int):
            continue
        fields = [
            field.annotation for m in models for name, field in m.model_fields.items() if part in (name, field.alias)
        ]
        models = [inner for annotation in fields for inner in _models_in(annotation)] or models
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    arguments = typing.get_args(annotation)
    if not arguments and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in arguments for model in _models_in(argument)]
