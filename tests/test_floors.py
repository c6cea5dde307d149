"""The house: folders in order, and one door a library.

A file imports from its own folder or from one that stands above it in the table below,
and within a folder nobody imports in a circle. *world* and *engine* stand side by side
and never import each other. Imports inside functions and under TYPE_CHECKING count like
any other. A new file needs no entry; a new folder does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up. The listing of the folders tells the same story.
FOLDERS: Mapping[str, str] = {
    "records": "frozen dataclasses, made quickly",
    "errors": "what can go wrong, as values",
    "reading": "from the text of a file to checked records",
    "algebra": "posynomials and programs as data",
    "world/architecture": "a model layer by layer, read from its config",
    "world": "laws, machines, demand, costs and limits",
    "world/serving": "serving as it is measured",
    "engine": "who solves a program, and who judges it",
    "fitting/tables": "tables of runs as files have them",
    "fitting": "from training runs to a law",
    "question": "a scenario, and the geometric program of it",
    "analysis/plan": "the plan, its proof, and all that is said of it",
    "analysis/comparison": "scenarios side by side, and what guessing wrong costs",
    "analysis/portfolio": "several models at once",
    "analysis/law": "how good a fitted law is",
    "analysis/sweep": "many scenarios, one row each",
    "analysis/uncertainty": "how far a plan may be trusted",
    "analysis/frontier": "what a little more quality costs",
    "analysis/serving": "measured serving beside predicted, and its constants",
    "analysis": "a model that exists, audited",
    "analysis/story": "what a report tells, worked out before it is drawn",
    "report/formats": "blocks, and how each medium writes them",
    "report/charts": "pictures, their catalogue and their words",
    "report/pages": "what is said, one file a page",
    "functions": "what the commands do, as functions for Python",
    "": "the public names",
    "commands": "one file a command",
    "cli": "the door",
}
SIDE_BY_SIDE = {"world", "engine"}

# One door a library: only these files import it (`…/*`: any of the folder).
DOORS = {
    "altair": {"functions/plots"},
    "click": {"commands/*"},
    "cvxpy": {"engine/second_opinion"},
    "distributed": {"analysis/sweep/cluster"},
    "jinja2": {"report/formats/page"},
    "numba": {"engine/linear"},
    "numpy": {
        *("algebra/*", "world/repetition", "world/student", "engine/*", "fitting/*"),
        *("question/*", "analysis/*", "commands/rowfile"),
    },
    "openpyxl": {"fitting/tables/sheets"},
    "pyarrow": {"fitting/tables/sheets", "commands/rowfile"},
    "scipy": {"engine/*", "analysis/*"},
    "tabulate": {"report/formats/text"},
    "vl_convert": {"report/formats/render"},
    "xlsxwriter": {"report/pages/workbook"},
    "yaml": {"reading/yamltext"},
}

PACKAGE = sorted((ROOT / "optimizer").rglob("*.py"))
FILES = [*PACKAGE, ROOT / "cli.py"]


def word(path: Path) -> str:
    """The name of a file, as in `engine/solve`."""
    base = ROOT / "optimizer" if path.is_relative_to(ROOT / "optimizer") else ROOT
    return path.relative_to(base).with_suffix("").as_posix()


def folder(name: str) -> str:
    """The entry of the table that a file belongs to; `errors` and `cli` are files."""
    return name if name in {"records", "errors", "cli"} else name.rpartition("/")[0]


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


def ours(path: Path) -> set[str]:
    """The files of the house that a file imports."""
    files = {file_of(module) for module in imported(path)} - {None, path}
    return {word(file) for file in files if file}


def allowed(name: str, other: str) -> bool:
    """Whether a file may import another: from its own folder, or from a lower one."""
    order = list(FOLDERS)
    here, there = folder(name), folder(other)
    if {here.split("/")[0], there.split("/")[0]} == SIDE_BY_SIDE:
        return False
    return order.index(there) <= order.index(here)


@pytest.mark.parametrize("path", FILES, ids=word)
def test_file_imports_from_its_folder_or_a_lower_one(path: Path) -> None:
    name = word(path)
    if path.name == "__init__.py" and path.parent.name != "optimizer":
        assert not ours(path), "the folders' own files stay empty"
        return
    assert folder(name) in FOLDERS, f"{name} is in no folder of the table"
    for other in ours(path):
        assert allowed(name, other), f"{name} imports {other}"


@pytest.mark.parametrize("place", FOLDERS)
def test_folder_has_no_circle(place: str) -> None:
    names = [word(path) for path in FILES]
    left = {
        name: {other for other in ours(path) if folder(other) == place}
        for name, path in zip(names, FILES, strict=True)
        if folder(name) == place
    }
    while free := {name for name, needs in left.items() if not needs}:
        left = {name: needs - free for name, needs in left.items() if name not in free}
    assert not left, f"each of these needs another of them: {sorted(left)}"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("engine/solve", "world/costs"),
        ("world/limits", "engine/certify"),
        ("algebra/posynomial", "engine/solve"),
        ("question/formulate", "analysis/plan/optimum"),
        ("report/formats/text", "report/pages/plan"),
    ],
)
def test_rule_forbids(name: str, other: str) -> None:
    assert not allowed(name, other)
    assert {name, other} <= {word(path) for path in FILES}


def test_listing_is_the_table() -> None:
    """No loose file in the package, and no folder that the table does not tell of."""
    loose = {path.name for path in (ROOT / "optimizer").glob("*.py")}
    assert loose == {"__init__.py", "errors.py", "records.py"}
    assert {folder(word(path)) for path in FILES} <= {*FOLDERS, "report"}


@pytest.mark.parametrize("path", FILES, ids=word)
def test_library_comes_through_its_door(path: Path) -> None:
    name = word(path)
    above = {f"{parent.as_posix()}/*" for parent in Path(name).parents}
    for module in imported(path):
        doors = DOORS.get(module.split(".")[0], {name})
        assert {name, *above} & doors, f"{name}: {module}"


@pytest.mark.parametrize("path", FILES, ids=word)
def test_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
