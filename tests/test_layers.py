"""Who may import whom: downwards only (docs/design.md)."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: The lowest room a file stands in, by the longest prefix of its module name.
LEVELS = {
    "simulator": 0,
    "simulator.units": 0,
    "simulator.problem": 0,
    "simulator.core": 0,
    "simulator.scenario": 1,
    "simulator.fleet": 1,
    "simulator.norm": 1,
    "simulator.site_weights": 1,
    "simulator.objective": 1,
    "simulator.streams": 1,
    "simulator.equity": 1,
    "simulator.statistics": 1,
    "simulator.pareto": 1,
    "simulator.psychrometrics": 1,
    "simulator.cooling": 1,
    "simulator.world": 2,
    "simulator.tape": 2,
    "simulator.footprint": 2,
    "simulator.burdens": 2,
    "simulator.battery": 2,
    "simulator.storage": 2,
    "simulator.onsite": 2,
    "simulator.latency": 2,
    "simulator.forecast": 2,
    "simulator.plan": 2,
    "simulator.policy": 2,
    "simulator.provisioning": 2,
    "simulator.prices": 2,
    "simulator.normed_prices": 2,
    "simulator.adaptive_prices": 2,
    "simulator.batches": 2,
    "simulator.detours": 2,
    "simulator.record": 2,
    "simulator.result": 2,
    "simulator.rows": 2,
    "simulator.laws": 2,
    "simulator.asked": 2,
    "simulator.course": 2,
    "simulator.offline": 2,
    "simulator.gap": 2,
    "simulator.signatures": 2,
    "policies": 2,
    "simulator.clock": 3,
    "simulator.planes": 3,
    "simulator.control": 4,
    "simulator.roster": 5,
    "simulator.remarks": 5,
    "simulator.modules": 5,
    "simulator.intake": 5,
    "simulator.simulation": 5,
    "simulator.contract": 5,
    "simulator.mark": 5,
    "simulator.claim": 5,
    "simulator.folder": 5,
    "simulator.arrow": 5,
    "simulator.parts": 5,
    "simulator.tables": 5,
    "simulator.templates": 5,
    "simulator.study": 5,
    "simulator.report": 6,
    "simulator.exit": 6,
    "simulator.cli": 6,
    "simulator.__main__": 6,
}
#: Who may use which library.
LIBRARIES = {
    "pydantic": {"simulator.scenario"},
    "yaml": {"simulator.scenario"},
    "simpy": {"simulator.clock"},
    "highspy": {"policies"},
    "numba": {"simulator.core"},
    "pandas": {"simulator.folder", "simulator.report"},
    "altair": {"simulator.report"},
    "vl_convert": {"simulator.report"},
    "pyarrow": {"simulator.arrow", "simulator.folder", "simulator.parts", "simulator.tables"},
    "rich": {"simulator.report"},
    "click": {"simulator.cli", "simulator.exit"},
    "scipy": {"simulator.statistics"},
    "distributed": {"simulator.study.cluster"},
}


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted((*ROOT.glob("simulator/**/*.py"), *ROOT.glob("policies/**/*.py")))
MODULES = {module_of(file): file for file in FILES}


def room(module: str) -> str:
    parts = module.split(".")
    return next(prefix for n in range(len(parts), 0, -1) if (prefix := ".".join(parts[:n])) in LEVELS)


def imports(module: str) -> set[str]:
    """Modules that a file imports, at its top or within a function; not those that only types need."""
    found: set[str] = set()
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    skipped = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    hidden = {id(inner) for node in skipped for inner in ast.walk(node)}
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if name in MODULES} or {base}
    return found


def allowed(library: str, module: str) -> bool:
    return any(module == home or module.startswith(home + ".") for home in LIBRARIES[library])


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards_only(module: str) -> None:
    level = LEVELS[room(module)]
    if module == "simulator":
        return  # Its public names are loaded lazily from everywhere.
    for other in imports(module):
        if other.split(".")[0] in ("simulator", "policies") and other in MODULES:
            assert LEVELS[room(other)] <= level, (
                f"{module} (level {level}) imports {other} (level {LEVELS[room(other)]})"
            )


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_in_their_rooms(module: str) -> None:
    for library in {name.split(".")[0] for name in imports(module)} & set(LIBRARIES):
        assert allowed(library, module), f"{module} imports {library}"


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("simulator.core")])
def test_the_core_imports_numpy_and_numba_only(module: str) -> None:
    """Kernels take arrays and scalars, and know nothing of the rest."""
    for other in imports(module):
        assert other.startswith("simulator.core") or other.split(".")[0] in {"numpy", "numba", *sys.stdlib_module_names}


def test_the_table_of_the_design_page_is_this_one() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```\n(6  cli.*?)^```", page, re.MULTILINE | re.DOTALL)
    levels = re.split(r"^(\d)  ", table, flags=re.MULTILINE)
    shown = {int(level): text for level, text in zip(levels[1::2], levels[2::2], strict=True)}
    for room, level in LEVELS.items():
        name = room.removeprefix("simulator.").rsplit(".", maxsplit=1)[-1]
        if name not in ("simulator", "__main__"):
            where = [found for found, text in shown.items() if re.search(rf"(?<![\w.]){name}\b", text)]
            assert level in where, f"{name} belongs to level {level} of the table"


def test_no_ring_of_imports() -> None:
    """Depth-first over all modules of ours; packages count as their __init__."""
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module in done:
            return
        for other in imports(module) & set(MODULES):
            visit(other, (*path, module))
        done.add(module)

    for module in MODULES:
        visit(module, ())


def test_every_module_has_a_room_and_every_room_a_module() -> None:
    for module in MODULES:
        assert room(module) != "simulator" or module == "simulator", f"{module} has no room of its own in LEVELS"
    rooms = {room(module) for module in MODULES}
    assert set(LEVELS) == rooms


def test_units_are_converted_in_one_place() -> None:
    """Hours to seconds and joules to kWh stand in units.py only (style: no bare conversion factors)."""
    for module, file in MODULES.items():
        if module != "simulator.units":
            numbers = {
                n.value for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant)
            }
            assert not {n for n in numbers if isinstance(n, float | int)} & {3600, 3.6e6}, module
