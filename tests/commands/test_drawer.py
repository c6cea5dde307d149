"""The process that draws begins before a command is understood, and for pages only."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from optimizer.commands import drawer
from optimizer.commands.pictures import Studio
from optimizer.errors import Defect
from optimizer.report.formats.elements import Chart

pytest.importorskip("vl_convert")


@pytest.fixture
def begun(monkeypatch):
    """What is started, without starting it: whether each has the system's fonts."""
    started = []

    def note(words, **how):
        started.append("FONTCONFIG_FILE" not in how["env"])
        return words

    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    monkeypatch.setattr(drawer.subprocess, "Popen", note)
    monkeypatch.setattr(drawer, "_begun", [])
    return started


@pytest.mark.parametrize(
    ("words", "started"),
    [
        ("a.yaml -o page.html", [False]),
        ("a.yaml -o PAGE.PDF", [False]),
        ("a.yaml --format=html", [False]),
        ("a.yaml --format html --set name=ångström", [False]),
        ("a.yaml --format html --set name=富士", [True]),
        ("- -o page.html", [True]),
        ("a.yaml", []),
        ("a.yaml -o page.md", []),
        ("a.yaml -o page.html --help", []),
    ],
)
def test_it_begins_for_a_page_with_the_fonts_of_its_letters(words, started, begun):
    drawer.begin(words.split())
    assert begun == started


def test_letters_are_those_of_the_scenario_and_not_of_an_older_page(begun, tmp_path):
    latin, other = tmp_path / "latin.yaml", tmp_path / "other.yaml"
    page = tmp_path / "page.html"
    latin.write_text("name: Ærø − 2 ×\n", encoding="utf-8")
    other.write_text("name: ふじさん\n", encoding="utf-8")
    page.write_text("ふじさん", encoding="utf-8")
    drawer.begin([str(latin), "-o", str(page)])
    drawer.begin([str(other), "-o", str(page)])
    assert begun == [False, True]


def test_what_has_begun_is_taken_once(begun):
    drawer.begin(["a.yaml", "-o", "page.html"])
    drawer.taken(["a.yaml"])
    drawer.taken(["富士"])
    assert begun == [False, True]


def test_a_wrong_command_leaves_no_process(root):
    """In a process of its own, whose children are counted when it ends."""
    code = (
        "import os, sys, cli\n"
        "code = cli.main()\n"
        "try:\n"
        "    os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError:\n"
        "    code += 40\n"
        "sys.exit(code)"
    )
    if not hasattr(os, "WNOHANG"):
        pytest.skip("needs waitpid")
    words = ("report", "missing.yaml", "-o", "page.html")
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=root, capture_output=True, check=False
    )
    assert done.returncode == 42, done.stderr


def test_an_engine_that_ends_is_a_defect_and_no_page():
    """A pipe that breaks would pass for a reader who has seen enough."""
    process = subprocess.Popen(
        [sys.executable, "-c", "pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.wait()
    studio = Studio(process)
    chart = Chart("demand", "Cost", "words", None)
    studio._drawn.append((chart, studio._thread.submit(studio._ask, {})))
    with pytest.raises(Defect, match="has ended before its time"):
        list(studio.pictures([chart]))
    studio.close()


def test_a_file_beyond_any_scenario_is_not_read_to_its_end(tmp_path):
    long = tmp_path / "long.yaml"
    long.write_text("#" * drawer.LONGEST + "富士", encoding="utf-8")
    assert not drawer.foreign(str(long))
    long.write_text("#" * (drawer.LONGEST - 1) + "富士", encoding="utf-8")
    assert drawer.foreign(str(long))


@pytest.mark.parametrize(
    "words",
    [
        ["report", "scenarios/open-release.yaml", "-o", "page.html"],
        ["plot", "demand", "scenarios/open-release.yaml", "-o", "demand.svg"],
    ],
    ids=["report", "plot"],
)
def test_too_few_addresses_for_the_engine_are_told(words, root, tmp_path):
    """V8 ends its process where it cannot reserve a cage of 64 GiB."""
    resource = pytest.importorskip("resource")
    few = 16 * 2**30
    code = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({few}, {few}));"
        f"sys.path.insert(0, {str(root)!r}); import cli; sys.exit(cli.main())"
    )
    if resource.getrlimit(resource.RLIMIT_AS)[1] != resource.RLIM_INFINITY:
        pytest.skip("this machine sets a limit of its own")
    words = [
        str(root / word) if word.startswith("scenarios") else word for word in words
    ]
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "ulimit -v allows 16 GiB" in ended.stderr
    assert not list(tmp_path.iterdir())
