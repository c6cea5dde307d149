"""The documentation is true: its commands print what it shows, its pages are fresh."""

from __future__ import annotations

import doctest
import json
import re
import runpy
from pathlib import Path

import pytest

from optimizer import InputError, read_scenario

ROOT = Path(__file__).parents[2]
EXAMPLES = runpy.run_path(str(ROOT / "docs" / "examples.py"))
GENERATED = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()
PAGES: tuple[Path, ...] = EXAMPLES["PAGES"]
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    EXAMPLES["prepare"](tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```console" in read(page)], ids=name
)
def test_commands_print_what_the_page_shows(page: Path, folder: Path) -> None:
    """If only wording changed: python docs/examples.py."""
    for block in EXAMPLES["CONSOLE"].findall(read(page)):
        for command, shown in EXAMPLES["steps"](block):
            printed = EXAMPLES["run"](command, folder)
            same = EXAMPLES["matches"](shown, printed)
            assert same, f"$ {command}\n{printed}\n--- shown:\n{shown}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in read(page)], ids=name
)
def test_python_prints_what_the_page_shows(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    source = "\n".join(PYTHON.findall(read(page)))
    test = doctest.DocTestParser().get_doctest(source, {}, name(page), None, 0)
    assert test.examples
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("page", GENERATED)
def test_generated_page_is_fresh(page: str) -> None:
    """If this fails: python docs/generate.py."""
    text = read(ROOT / "docs" / page)
    if page.endswith(".json"):
        assert json.loads(text) == json.loads(GENERATED[page])
    else:
        assert text == GENERATED[page]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(read(page)):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_papers_name_tests_that_exist() -> None:
    files = "\n".join(read(path) for path in ROOT.glob("tests/**/*.py"))
    named = set(re.findall(r"`(test_\w+)`", read(ROOT / "docs" / "papers.md")))
    assert named
    assert named <= set(re.findall(r"^def (test_\w+)", files, re.MULTILINE))


PLAIN = """\
name: Base
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""


def test_examples_of_the_reference_are_values_of_their_words() -> None:
    """Each is read where it stands: no word of a section refuses its own example."""
    examples = runpy.run_path(str(ROOT / "docs" / "typical.py"))["EXAMPLES"]
    for title, words in examples.items():
        for word, example in words.items():
            path = f"{title}.{word}"
            told = ""
            try:
                read_scenario(PLAIN, "a.yaml", [f"{path}={example}"])
            except InputError as error:
                told = "\n".join(str(one) for one in error.problems if one.path == path)
            assert "got" not in told, (path, example, told)
            assert "unknown word" not in told, path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_is_longer_than_ten_screens(page: Path) -> None:
    assert len(read(page).splitlines()) <= 400
