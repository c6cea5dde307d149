"""The commands: formats, exit codes, sizes, and what they need."""

import json
import subprocess
import sys
import zipfile
from importlib import import_module

import openpyxl
import pytest

from optimizer.engine import batch
from optimizer.functions.plots import plot
from optimizer.question.load import load_scenario
from optimizer.report.charts.catalogue import DRAWN

KINDS = (
    "contour",
    "demand",
    "plan",
    "split",
    "tornado",
    "overhead",
    "laws",
    "cashflow",
)
MISSING = {
    "jinja2": "report.html",
    "vl_convert": "chart.svg",
    "xlsxwriter": "report.xlsx",
}


@pytest.mark.parametrize("kind", KINDS)
def test_chart_is_drawn(kind, overtrain, files, tmp_path):
    path = tmp_path / "chart.svg"
    done = overtrain("plot", kind, files[0], "-o", path)
    assert done.code == 0, done.err
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "NaN" not in text
    assert "undefined" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_chart_is_one_of_altair_by_its_schema(kind, files):
    """Charts are written without Altair, which checks them all the same."""
    chart = plot(kind, load_scenario(files[0])).to_dict(validate=True)
    assert "vega-lite" in chart["$schema"]
    assert len(chart["description"]) > 30


def test_chart_is_drawn_as_png(overtrain, files, tmp_path):
    path = tmp_path / "chart.png"
    assert overtrain("plot", "regret", *files, "-o", path).code == 0
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("contour", 0, "-o", "x.jpg"), "needs the name of a .svg or .png file"),
        (("regret", 0, "-o", "x.svg"), "two or more"),
        (("contour", 0, 1, "-o", "x.svg"), "draws one scenario"),
        (("cashflow", 1, "-o", "x.svg"), "a demand with a lifetime"),
        (("capped", 0, "-o", "x.svg"), "a budget for training with best_for"),
    ],
)
def test_plot_says_what_it_needs(arguments, told, overtrain, files, tmp_path):
    words = [files[a] if isinstance(a, int) else a for a in arguments]
    words[-1] = tmp_path / words[-1]
    done = overtrain("plot", *words)
    assert (done.code, told in done.err) == (2, True), done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", MISSING)
def test_missing_part_is_named(library, overtrain, files, tmp_path, monkeypatch):
    """Python refuses to import a module whose entry is None."""
    for kind in set(DRAWN.values()):
        import_module(f"optimizer.report.charts.{kind}")  # so that all come back
    for name in [n for n in sys.modules if n.partition(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [n for n in sys.modules if n.startswith("optimizer.report.charts")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    output = tmp_path / MISSING[library]
    words = ("plot", "split") if output.suffix == ".svg" else ("report",)
    done = overtrain(*words, files[1], "-o", output)
    part = "excel" if library == "xlsxwriter" else "report"
    assert done.code == 2
    assert f"needs {library.replace('_', '-')}; in the checkout" in done.err
    assert f"pip install '.[{part}]'" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["--help", "report --help", "solve"])
def test_solve_and_help_need_none_of_it(words, files):
    """In a process of its own, since this one has imported everything.

    jinja2 comes with cvxpy's solvers, so `solve` is asked for our own page instead.
    """
    code = (
        "import sys, cli; cli.main(sys.argv[1:]); "
        "parts = {'altair', 'vl_convert', 'xlsxwriter'}; "
        "parts |= {'optimizer.report.formats.page'}; "
        "print(sorted(parts & {*sys.modules}))"
    )
    command = words.split() + ([str(files[1])] if words == "solve" else [])
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_report_draws_without_importing_altair(files, tmp_path):
    """It takes as long as all other work; `overtrain.plot` alone needs it."""
    code = "import sys, cli; cli.main(sys.argv[1:]); print('altair' in sys.modules)"
    words = ("report", str(files[1]), "-o", str(tmp_path / "report.html"))
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("name", ["consumer-api", "internal-use", "api-at-scale"])
def test_plain_scenario_is_reported_without_compiling(
    name, overtrain, root, monkeypatch
):
    """numba takes half a minute on a fresh machine; limits are no reason for it."""

    def compiled():
        raise AssertionError("the compiled method was asked for")

    monkeypatch.setattr(batch, "_kernel", compiled)
    path = root / "scenarios" / f"{name}.yaml"
    done = overtrain("report", path, "--format", "markdown")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(("name", "fonts"), [("Größe × Ω", False), ("模型", True)])
def test_drawing_engine_has_the_fonts_it_needs(
    name, fonts, typed, overtrain, files, tmp_path, monkeypatch
):
    """Its own, which are quick, unless a name has letters that they lack."""
    told = []
    started = subprocess.Popen

    def popen(*arguments, **options):
        told.append("FONTCONFIG_FILE" not in options["env"])
        return started(*arguments, **options)

    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    monkeypatch.setattr(subprocess, "Popen", popen)
    text = files[1].read_text(encoding="utf-8")
    file = tmp_path / "named.yaml"
    file.write_text(text if typed else f"name: {name}\n{text.partition(chr(10))[2]}")
    words = ("--set", f"name={name}") if typed else ()
    done = overtrain("report", file, *words, "-o", tmp_path / "report.html")
    assert done.code == 0, done.err
    assert set(told) == {fonts}


def test_page_is_small_and_the_same_twice(made, files, overtrain, monkeypatch):
    assert made.stat().st_size < 800_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    again = made.with_name("again") / "report.html"
    again.parent.mkdir()
    assert overtrain("report", *files, "-o", again).code == 0
    assert again.read_bytes() == made.read_bytes()


def test_report_is_printed_as_pdf(overtrain, files, tmp_path, chromium, monkeypatch):
    path = tmp_path / "report.pdf"
    done = overtrain("report", files[1], "-o", path)
    assert done.code == 0, done.err
    assert path.read_bytes()[:5] == b"%PDF-"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr("optimizer.commands.paper.BROWSERS", ("chromium",))
    done = overtrain("report", files[1], "-o", tmp_path / "none.pdf")
    assert (done.code, "install one of them" in done.err) == (2, True)
    done = overtrain("report", files[1], "--format", "pdf")
    assert (done.code, "needs a file: -o report.pdf" in done.err) == (2, True)
    assert list(tmp_path.iterdir()) == [path]


def test_page_says_how_to_make_it_again(made, files):
    text = made.read_text(encoding="utf-8")
    assert f"overtrain report {files[0]} {files[1]} -o report.html" in text
    assert "2026-05-28" in text
    assert "# &lt;script&gt;window.evil = 3&lt;/script&gt;" in text


def test_condition_and_missing_plan_have_their_exit_codes(overtrain, files):
    words = ("report", files[1], "--format", "markdown")
    held = overtrain(*words, "--fail-on", "cost.total > 2")
    assert (held.code, held.out[:13]) == (4, "# Cost report")
    stuck = overtrain(*words, "--set", "limits.tokens=1B")
    assert stuck.code == 3
    assert "There is no plan" in stuck.out


def test_page_of_a_scenario_without_a_plan_says_why(overtrain, files, tmp_path):
    path = tmp_path / "none.html"
    assert (
        overtrain("report", *files, "--set", "limits.tokens=1B", "-o", path).code == 3
    )
    assert path.read_text(encoding="utf-8").count("There is no plan") >= 2


def test_portfolio_is_reported(overtrain, root, tmp_path):
    path = tmp_path / "portfolio.json"
    done = overtrain("report", root / "scenarios" / "portfolio.yaml", "-o", path)
    assert done.code == 0, done.err
    data = json.loads(path.read_text())
    assert [plan["scenario"] for plan in data["plans"]] == data["portfolio"]["models"]
    text = overtrain(
        "report", root / "scenarios" / "portfolio.yaml", "--format", "markdown"
    ).out
    assert "shared.training_cost" in text


def test_portfolio_without_a_plan_is_reported_with_its_ways_out(
    overtrain, root, tmp_path
):
    tight = ("--set", "shared.training_time=10 days")
    for name in ("none.html", "none.md"):
        path = tmp_path / name
        file = root / "scenarios" / "portfolio.yaml"
        assert overtrain("report", file, *tight, "-o", path).code == 3
        text = path.read_text(encoding="utf-8")
        assert "There is no joint plan: no model meets " in text
        assert "What would make a plan" in text
        assert "shared.training\\_time" in text or "shared.training_time" in text


def test_workbook_calculates_what_it_shows(overtrain, files, tmp_path):
    """Each formula's stored value is what its cells give."""
    path = tmp_path / "report.xlsx"
    assert overtrain("report", *files, "-o", path).code == 0
    live, shown = (openpyxl.load_workbook(path, data_only=d) for d in (False, True))
    costs, values = live["Costs"], shown["Costs"]
    totals = [
        r
        for r in range(1, costs.max_row + 1)
        if str(costs[f"B{r}"].value)[:4] == "=SUM"
    ]
    assert len(totals) == 2
    for row in totals:
        first, last = costs[f"B{row}"].value[5:-1].split(":")
        parts = [cell.value for (cell,) in values[f"{first}:{last}"]]
        assert values[f"B{row}"].value == pytest.approx(sum(parts), rel=1e-12)
        for line in range(int(first[1:]), row):
            share = values[f"B{line}"].value / values[f"B{row}"].value
            assert values[f"C{line}"].value == pytest.approx(share, rel=1e-12)
    plans = shown["Plans"]
    assert plans["H3"].value == pytest.approx(plans["G3"].value / plans["D3"].value)
    with zipfile.ZipFile(path) as parts:
        charts = [n for n in parts.namelist() if n.startswith("xl/charts/chart")]
    assert len(charts) == 6
