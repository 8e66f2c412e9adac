"""Modules: a user's own Python files, found after everything else and never in its place."""

from __future__ import annotations

import filecmp
import importlib
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from simulator.problem import KeyPath, did_you_mean, refuse

#: Names of modules that were imported from a user's folders: another folder may have another one of that name.
_FROM_FOLDERS: set[str] = set()


def imported(name: str, folders: Sequence[Path], path: KeyPath) -> types.ModuleType:
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


def member(module: types.ModuleType, name: str, path: KeyPath) -> object:
    """What a user's module calls by a name; refused where there is no such thing."""
    try:
        found = getattr(module, name, None)
    except Exception as error:  # a module's own __getattr__
        what = f"'{module.__name__}:{name}' cannot be had: {type(error).__name__}: {error}"
        raise refuse(path, what) from None
    if found is None:
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise refuse(path, f"module '{module.__name__}' has no class '{name}'{did_you_mean(name, classes)}")
    return found


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
