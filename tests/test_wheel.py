"""The built wheel, installed by itself, does the main job in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCENARIOS = {path.name for path in (ROOT / "scenarios").glob("*.yaml")}
DATA = {
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "optimizer").rglob("*")
    if path.is_file() and path.suffix not in {".pyc", ".nbc", ".nbi", ".sha256"}
}
LAWS = {path.stem for path in (ROOT / "optimizer" / "data" / "laws").glob("*.yaml")}
LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "build", "dist", "*.egg-info", "*.md~"
)

Result = subprocess.CompletedProcess[str]


def run(*words: str, folder: Path) -> Result:
    """Runs a command that sees nothing of this checkout."""
    outside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        words,
        cwd=folder,
        env=outside,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("build")
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=LEFT_OUT)
    done = run(sys.executable, "-m", "build", "--outdir", "../dist", folder=tree)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def overtrain(
    built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Result]:
    """The command as installed from the wheel, in a folder that starts empty."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = built.glob("*.whl")
    pip = (str(scripts / "python"), "-m", "pip", "install", "--quiet", str(wheel))
    done = run(*pip, folder=folder)
    assert done.returncode == 0, done.stderr
    empty = folder / "empty"
    empty.mkdir()

    def command(*words: str) -> Result:
        return run(str(scripts / "overtrain"), *words, folder=empty)

    return command


def test_wheel_holds_what_it_needs_and_no_more(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    ours = {top for top in tops if not top.endswith(".dist-info")}
    assert ours == {"cli.py", "optimizer", "overtrain"}
    assert {n for n in names if n.startswith("optimizer/starters/")} == {
        f"optimizer/starters/{name}" for name in SCENARIOS
    }
    assert names >= DATA
    assert any(name.endswith("/LICENSE") for name in names)


def test_sdist_builds_alone(built: Path) -> None:
    """The wheel came from the sdist; what else the sdist needs is its papers."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    assert {"README.md", "LICENSE", "pyproject.toml", "cli.py"} <= names
    assert not [member.name for member in members if member.issym()]


def test_help_and_version(overtrain: Callable[..., Result]) -> None:
    assert overtrain("--help").returncode == 0
    assert overtrain("--version").stdout.split() == ["overtrain", "0.1.0"]


def test_laws_are_listed(overtrain: Callable[..., Result]) -> None:
    done = overtrain("laws")
    assert done.returncode == 0, done.stderr
    assert not [name for name in LAWS if name not in done.stdout]


def test_init_then_solve(overtrain: Callable[..., Result]) -> None:
    begun = overtrain("init")
    assert begun.returncode == 0, begun.stderr
    name = begun.stdout.split()[1]  # wrote NAME and SCHEMA
    scenario = Path(str(begun.args[0])).parents[2] / "empty" / name
    solved = overtrain("solve", name)
    assert solved.returncode == 0, solved.stderr
    assert solved.stderr == ""
    assert "Train " in solved.stdout
    # The editor finds the schema that the first line names.
    first = scenario.read_text(encoding="utf-8").splitlines()[0]
    assert (scenario.parent / first.split("$schema=")[1]).is_file()


def test_every_scenario_comes_along(overtrain: Callable[..., Result]) -> None:
    copies = [f"my-{name}" for name in sorted(SCENARIOS)]
    for copy in copies:
        begun = overtrain("init", Path(copy).stem.removeprefix("my-"), "-o", copy)
        assert begun.returncode == 0, begun.stderr
    checked = overtrain("check", *copies)
    assert checked.returncode == 0, checked.stderr


def test_a_part_that_is_missing_is_named(overtrain: Callable[..., Result]) -> None:
    begun = overtrain("init", "open-release", "-o", "parts.yaml")
    assert begun.returncode == 0, begun.stderr
    for kind, part in (("html", "report"), ("xlsx", "excel")):
        asked = overtrain("report", "parts.yaml", "-o", f"report.{kind}")
        assert asked.returncode == 2
        assert f"pip install '.[{part}]'" in asked.stderr
