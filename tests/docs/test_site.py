"""The documentation site builds without a warning and reads offline."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

import overtrain as public
from optimizer.commands.group import COMMANDS, overtrain

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# What a browser fetches by itself when it opens a page, and the attribute it is in.
FETCHED = {
    *(("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")),
    ("link", "href"),
}


class Places(HTMLParser):
    """The names in a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.names += [found["id"] or ""] if "id" in found else []
        self.links += [found.get("href") or ""] if tag == "a" else []


class Fetched(HTMLParser):
    """The addresses that a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for key, value in attrs if (tag, key) in FETCHED]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without the gallery's reports; .ci/run builds all of it."""
    folder = tmp_path_factory.mktemp("site")
    words = ("-m", "sphinx", "-q", "-W", "--keep-going", "-D", "reports=0")
    done = subprocess.run(
        [sys.executable, *words, "-d", folder / "cache", DOCS, folder / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_every_page_is_there(site: Path) -> None:
    sources = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    assert {path.with_suffix(".html") for path in sources} <= pages


def test_no_page_asks_for_anything_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        reader = Fetched()
        reader.feed(page.read_text(encoding="utf-8"))
        assert reader.found
        for address in reader.found:
            assert not re.match(r"[a-z]+:|//", address), f"{page.name}: {address}"


def test_style_sheets_ask_for_nothing_from_elsewhere(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        for address in re.findall(
            r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)",
            sheet.read_text(encoding="utf-8"),
        ):
            assert not re.match(r"https?:|//", "".join(address)), sheet.name


def test_formulas_are_mathml(site: Path) -> None:
    text = (site / "mathematics.html").read_text(encoding="utf-8")
    assert text.count("<math") > 50
    assert "<mfrac>" in text
    assert not re.findall(r"(?i)mathjax|katex", text)
    assert "$" not in re.sub(
        r"<(script|style|code|pre)\b.*?</\1>", "", text, flags=re.S
    )


def test_every_link_leads_to_a_page_and_a_place(site: Path) -> None:
    pages: dict[Path, Places] = {}
    for page in site.rglob("*.html"):
        pages[page] = Places()
        pages[page].feed(page.read_text(encoding="utf-8"))
    for page, places in pages.items():
        for link in places.links:
            if re.match(r"[a-z]+:", link):
                continue
            file, _, name = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), f"{page.name}: {link}"
            if name:
                assert name in pages[target].names, f"{page.name}: {link}"


def test_commands_are_shown_by_their_own_words(site: Path) -> None:
    """Each has its place, all its options, and examples as they are typed."""
    files = (site / "cli.html", site / "cli-library.html")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    places = Places()
    places.feed(text)
    shown = unescape(re.sub(r"<[^>]+>", "", text))
    group = click.Context(overtrain, info_name="overtrain")
    for name in COMMANDS:
        command = overtrain.get_command(group, name)
        assert command is not None
        assert places.names.count(f"overtrain-{name}") == 1
        assert any(link.endswith(f"#overtrain-{name}") for link in places.links)
        for option in command.params:
            if isinstance(option, click.Option):
                word = max(option.opts, key=len)
                assert f"cmdoption-overtrain-{name}-{word.strip('-')}" in places.names
                assert str(option.help).split(". ")[0] in shown
        for line in (command.epilog or "").splitlines():
            assert line.strip("\b ") in shown
    assert not re.search(r"\.\. \w+::|:prog:|:nested:|^\| ", shown, re.MULTILINE)


def test_public_names_are_on_the_page() -> None:
    pages = (DOCS / name for name in ("api.md", "api-records.md"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    shown = re.findall(r"^\.\. auto\w+:: o\w+\.(\w+)", text, re.MULTILINE)
    assert sorted(shown) == sorted(set(public.__all__) - {"__version__"})


def test_first_page_leads_to_every_page() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", text))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert linked == pages - {"index.md"}


def test_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^overtrain (\w+)", text, re.MULTILINE))
    assert told >= set(COMMANDS) - {"hardware", "schema"}


def test_gallery_names_every_scenario() -> None:
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    named = set(re.findall(r"scenarios/([\w-]+\.yaml)", text))
    assert named == {path.name for path in (ROOT / "scenarios").glob("*.yaml")}
