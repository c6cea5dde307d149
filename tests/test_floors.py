"""The import rule: a file imports from lower floors, or from its left on its own.

*world* and *engine* stand side by side on one floor and never import each other.
Imports inside functions and under TYPE_CHECKING count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up; a floor has one tower or more.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "errors → kinds → quantity → yamltext → document → members → mistakes → "
        "fields → spread",
    ),
    ("posynomial → saturating → composite → many",),
    ("program",),
    (
        "world/surface → world/law → world/lawfile → world/laws → world/hardware → "
        "world/machines → world/demand → world/costs → world/limits → "
        "world/repetition → world/shapes → world/models → world/quantization → "
        "world/roofline",
        "engine/certify → engine/enclose → engine/polish → engine/solve → "
        "engine/diagnose → engine/root → engine/linear → engine/point → "
        "engine/interior → engine/kernel → engine/batch",
        "fitting/objective → fitting/newton → fitting/search",
    ),
    (
        "scenario → checks → inputs → fitting/oddities → fitting/rules → "
        "fitting/runfile → fitting/runs → fitting/forms → fitting/starts → "
        "fitting/bootstrap → fitting/refuse → fitting/sandwich → fitting/downstream → "
        "fitting/repeats → fitting/fit → fitting/fitlaw → choices → question → "
        "formulate → load → axes → draws → vary → portfolio → family_file → laws_all → "
        "sizes",
    ),
    (
        "analysis/sensitivity → analysis/answer → analysis/wording → analysis/bills → "
        "analysis/extremes → analysis/near → analysis/reach → analysis/explain → "
        "analysis/warn → analysis/rooflines → analysis/alternatives → "
        "analysis/bindings → analysis/tokens → analysis/optimum → "
        "analysis/differences → analysis/regret → analysis/share → analysis/compare → "
        "analysis/snap → analysis/audit → analysis/deadlock → analysis/family → "
        "analysis/profiles → "
        "analysis/diagnostics → analysis/nextruns → analysis/versus → "
        "analysis/judged → analysis/isocurves → analysis/rowwise → analysis/sweep → "
        "analysis/frontier → analysis/drawn → analysis/robust → "
        "analysis/uncertainty → analysis/band → analysis/explorer → analysis/curves → "
        "analysis/timeline → analysis/case → analysis/cluster → analysis/rewritten → "
        "analysis/live",
    ),
    (
        "report/extras → report/blocks → report/headline → report/reasons → "
        "report/machines → report/plan → report/snapped → report/lawside → "
        "report/against → report/side → report/family_page → report/audit_page → "
        "report/data → report/sheet → report/frontier_page → "
        "report/uncertainty_page → report/sweep_page → report/solved → "
        "report/decisions → report/schema → report/library → report/lawtext → "
        "report/fit_page → report/text → report/markdown → report/html → "
        "report/show → report/rich → report/assumptions → report/charttext → "
        "report/charts/theme → report/charts/surface → report/charts/several → "
        "report/charts/bills → report/charts/demand → report/chancetext → "
        "report/morecharts → report/charts/frontier → report/charts/uncertainty → "
        "report/charts/fit → report/charts/runs → report/chart → report/report_page → "
        "report/reported → report/render → report/stops → report/page → "
        "report/cells → report/workbook → report/explore_page",
    ),
    (
        "__init__ → commands/options → commands/output → commands/condition → "
        "commands/answered → commands/pictures → commands/rowfile → commands/typed → "
        "commands/listed → commands/solve → commands/compare → commands/report → "
        "commands/plot → commands/audit → commands/dataset → commands/sweep → "
        "commands/frontier → commands/uncertainty → commands/check → "
        "commands/schema → commands/init → commands/portraits → commands/fit → "
        "commands/laws → commands/hardware → commands/explore → commands/group → cli",
    ),
)

# One door a library: only these files import it (`…/*`: any of the folder).
DOORS = {
    "altair": {"report/charts/*"},
    "click": {"commands/*"},
    "cvxpy": {"engine/solve"},
    "distributed": {"analysis/cluster"},
    "jinja2": {"report/page"},
    "numba": {"engine/linear"},
    "numpy": {
        *("posynomial", "saturating", "composite", "many", "program"),
        *("world/repetition",),
        *("axes", "draws", "vary", "commands/rowfile"),
        *("question", "formulate", "fitting/runs", "fitting/fit", "fitting/fitlaw"),
        *("engine/*", "fitting/*", "analysis/*"),
    },
    "pyarrow": {"fitting/runfile", "commands/rowfile"},
    "pydantic": {
        *("fields", "mistakes", "spread", "world/*", "scenario", "inputs", "axes"),
        "commands/dataset",
    },
    "scipy": {"engine/*", "analysis/*"},
    "tabulate": {"report/text"},
    "vl_convert": {"report/render"},
    "xlsxwriter": {"report/workbook"},
    "yaml": {"yamltext"},
}

Place = tuple[int, int, int]  # floor, tower, from the left
PACKAGE = sorted((ROOT / "optimizer").rglob("*.py"))
FILES = [*PACKAGE, ROOT / "cli.py"]


def word(path: Path) -> str:
    """The name of a file in the tables above."""
    base = ROOT / "optimizer" if path.is_relative_to(ROOT / "optimizer") else ROOT
    return path.relative_to(base).with_suffix("").as_posix()


def place(name: str) -> Place | None:
    """Where a file stands, or None."""
    for floor, towers in enumerate(FLOORS):
        for tower, order in enumerate(towers):
            if name in (names := order.split(" → ")):
                return floor, tower, names.index(name)
    return None


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{word(path)}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if file_of(inner) else str(node.module)


def file_of(module: str) -> Path | None:
    """The file of a module, if it is one of ours."""
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file in FILES), None)


@pytest.mark.parametrize("path", FILES, ids=word)
def test_file_imports_downward(path: Path) -> None:
    ours = {file_of(module) for module in imported(path)} - {None, path}
    if path.name == "__init__.py" and path.parent.name != "optimizer":
        assert not ours, "the folders' own files stay empty"
        return
    here = place(word(path))
    assert here, f"{word(path)} is on no floor"
    for name in (word(file) for file in ours if file):
        there = place(name)
        assert there, f"{name} is on no floor"
        assert below(there, here), f"{word(path)} imports {name}"


def below(there: Place, here: Place) -> bool:
    """Whether a file may be imported from a place: a lower floor, or to its left."""
    return there[0] < here[0] or (there[:2] == here[:2] and there[2] < here[2])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("engine/solve", "world/costs"),
        ("world/limits", "engine/certify"),
        ("posynomial", "program"),
        ("engine/certify", "engine/solve"),
        ("formulate", "analysis/optimum"),
    ],
)
def test_rule_forbids(name: str, other: str) -> None:
    here, there = place(name), place(other)
    assert here
    assert there
    assert not below(there, here)


@pytest.mark.parametrize("path", FILES, ids=word)
def test_library_comes_through_its_door(path: Path) -> None:
    name = word(path)
    for module in imported(path):
        doors = DOORS.get(module.split(".")[0], {name})
        assert {name, f"{name.rpartition('/')[0]}/*"} & doors, f"{name}: {module}"


@pytest.mark.parametrize("path", FILES, ids=word)
def test_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
