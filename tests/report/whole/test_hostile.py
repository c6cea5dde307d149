"""Names, descriptions and comments of a hostile file stay texts in every format."""

import csv
import html
import html.parser
import io
import json
import re
import zipfile

import openpyxl
import pytest

from optimizer.report.formats.worksheet import Sheet

EVIL = ("window.evil", "evil()")


class Tags(html.parser.HTMLParser):
    """Collects what an HTML parser takes for elements and attributes."""

    def __init__(self):
        super().__init__()
        self.tags, self.handlers, self.scripts = set(), [], []
        self._script = None

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.handlers += [v for n, v in attrs if n in ("src", "href") and v[0] != "#"]
        self._script = dict(attrs).get("type", "script") if tag == "script" else None

    def handle_data(self, data):
        if self._script == "script":
            self.scripts.append(data)


def test_html_has_no_markup_but_ours(made):
    page = Tags()
    page.feed(made.read_text(encoding="utf-8"))
    assert not page.tags & {"img", "b", "iframe", "object", "foreignobject", "image"}
    assert page.handlers == []
    assert not any(evil in script for script in page.scripts for evil in EVIL)


def test_policy_lets_nothing_load(made):
    text = made.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    parts = html.unescape(policy[1]).split("; ")
    rules = dict(part.split(" ", 1) for part in parts)
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "http" not in policy[1]


def test_markdown_has_no_markup_but_ours(overtrain, files):
    text = overtrain("report", *files, "--format", "markdown").out
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "window.evil" in outside
    assert not re.search(r"(?<!\\)[<\[]", outside)
    cells = {line.count(" | ") for line in outside.splitlines() if line[:2] == "| "}
    assert cells <= set(range(1, 8))


def test_fence_is_longer_than_any_in_the_file(overtrain, files, tmp_path):
    path = tmp_path / "fence.yaml"
    path.write_text(f"# `````\n# <b>out</b>\n{files[1].read_text()}")
    text = overtrain("report", path, "--format", "markdown").out
    inside = re.search(r"^(`+)text\n# `````\n# <b>out</b>\n.*?^\1$", text, re.M | re.S)
    assert len(inside[1]) == 6


def test_workbook_has_no_formula_but_ours(overtrain, files, tmp_path):
    path = tmp_path / "report.xlsx"
    assert overtrain("report", *files, "-o", path).code == 0
    book = openpyxl.load_workbook(path)
    formulas = [
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert formulas
    ours = re.compile(r"=[A-Z0-9$().+*/^:,eE-]*")
    assert [formula for formula in formulas if not ours.fullmatch(formula)] == []
    names = [row[0].value for row in book["Plans"].iter_rows(min_row=3)]
    assert names[1].startswith("@SUM(1,1)")
    with zipfile.ZipFile(path) as parts:
        assert not any("external" in name.lower() for name in parts.namelist())
        assert not any(b"hyperlink" in parts.read(name) for name in parts.namelist())


def test_cell_that_starts_like_a_formula_is_written_as_a_text():
    class Spy:
        def write_string(self, *arguments):
            self.written = arguments

    spy = Spy()
    Sheet(spy, {"text": None}).put(0, "=1+1")
    assert spy.written == (0, 0, "=1+1", None)


def test_csv_marks_what_a_spreadsheet_would_run(overtrain, files):
    rows = list(
        csv.reader(io.StringIO(overtrain("report", *files, "--format=csv").out))
    )
    assert rows[2][0].startswith("'@SUM(1,1)")


def test_json_keeps_names_as_they_are(overtrain, files):
    data = json.loads(overtrain("report", *files, "--format", "json").out)
    assert data["plans"][1]["scenario"].startswith("@SUM(1,1)")
    assert data["reports"][0]["text"] == files[0].read_text()


def test_svg_has_no_markup_but_ours(overtrain, files, tmp_path):
    for kind in ("split", "tornado", "regret", "cashflow"):
        path = tmp_path / f"{kind}.svg"
        which = files if kind == "regret" else files[:1]
        done = overtrain("plot", kind, *which, "-o", path)
        assert done.code == 0, done.err
        tags = Tags()
        tags.feed(path.read_text(encoding="utf-8"))
        assert not tags.tags & {"script", "img", "image", "b", "a"}, kind
        assert [h for h in tags.handlers if h.startswith("on")] == []


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__"])
def test_names_that_javascript_has_already_are_drawn_like_others(
    overtrain, tmp_path, name
):
    """Vega takes a series called `constructor` for a function of its own."""
    scenario = tmp_path / "a.yaml"
    scenario.write_text(
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        f"demand: [{{name: {name}, tokens: 2T}}, {{name: other, tokens: 1T}}]\n",
        encoding="utf-8",
    )
    picture = tmp_path / "split.svg"
    done = overtrain("plot", "split", scenario, "-o", picture)
    assert done.code == 0, done.err
    assert f">{name}\u2060<" in picture.read_text(encoding="utf-8")


def test_no_chart_of_a_report_has_a_name_that_javascript_has(overtrain, tmp_path):
    """Scenarios and streams, in the charts of one and in those of both."""
    for scenario, stream in (("toString", "valueOf"), ("valueOf", "hasOwnProperty")):
        (tmp_path / f"{scenario}.yaml").write_text(
            f"name: {scenario}\nlaw: besiroglu-2024-refit\n"
            "target: {match: {parameters: 13B}}\ndemand: "
            f"[{{name: {stream}, tokens: 2T}}, {{name: other, tokens: 1T}}]\n"
        )
    page = tmp_path / "a.html"
    done = overtrain("report", *sorted(tmp_path.glob("*.yaml")), "-o", page)
    assert done.code == 0, done.err
    html = page.read_text(encoding="utf-8")
    for name in ("toString", "valueOf", "hasOwnProperty"):
        assert f'"{name}"' not in html
    assert "OwnProperty\u2060" in html
