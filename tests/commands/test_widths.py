"""Tables of every command fit terminals of 60 to 200 columns, heads on three lines."""

import re
from pathlib import Path

import pytest

from optimizer.commands.group import COMMANDS
from optimizer.report.formats.text import TALLEST
from tests.commands.test_every_output import POINTS, RUNS
from tests.commands.test_gates import DOLLARS
from tests.report.pages.test_widths import headers

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "scenarios"
OPEN, BUY = SHIPPED / "open-release.yaml", SHIPPED / "buy-or-build.yaml"
# Of each command that prints tables, the words that make its widest ones.
TABLES = {
    "solve": [
        ["solve", "--full", BUY, SHIPPED / "latency-bound-assistant.yaml"],
        ["solve", "--brief", OPEN, BUY, SHIPPED / "own-plan.yaml"],
        ["solve", OPEN, "--law", "all"],
        ["solve", OPEN, "--snap", "7B,llama-2-13b"],
        ["solve", SHIPPED / "portfolio.yaml"],
        ["solve", "team.yaml", "--set", "limits.parameters=0.5B"],
    ],
    "compare": [["compare", OPEN, BUY], ["compare", OPEN, "--forms"]],
    "diff": [["diff", "old.json", "new.json"]],
    "report": [["report", "team.yaml", "--format", "table"]],
    "audit": [["audit", "llama-3-8b"], ["audit", "llama-3-8b", "--law", "all"]],
    "sweep": [["sweep", "team.yaml", "--vary", "demand.tokens=1T,2T,5T"]],
    "frontier": [["frontier", OPEN, "--points", "5"]],
    "uncertainty": [["uncertainty", OPEN, "--draws", "50"]],
    "fit": [["fit", "runs.csv", "--draws", "50", "--starts", "5"]],
    "serving": [["serving", "points.csv"]],
    "calibrate": [["calibrate", "points.csv", "--fresh"]],
    "laws": [["laws"], ["laws", "kumar-2024"]],
    "hardware": [["hardware"], ["hardware", "h100-sxm"]],
    "model": [["model", "llama-3-8b", "deepseek-v3"]],
}
NO_TABLE = {"plot", "explore", "check", "init", "schema"}
WIDTHS = (60, 80, 100, 132, 200)


@pytest.fixture
def files(here, run):
    Path("team.yaml").write_text(DOLLARS)
    Path("runs.csv").write_text(RUNS)
    Path("points.csv").write_text(POINTS)
    for name, demand in (("old", "2T"), ("new", "5T")):
        words = ("--set", f"demand.tokens={demand}", "-o", f"{name}.json")
        assert run("solve", "team.yaml", *words).code in (0, 3)


def test_every_command_is_tried():
    assert set(COMMANDS) == {*TABLES, *NO_TABLE}


@pytest.mark.parametrize("name", TABLES)
def test_tables_fit(files, run, name, monkeypatch):
    for words in TABLES[name]:
        for width in WIDTHS:
            monkeypatch.setenv("COLUMNS", str(width))
            done = run(*words)
            assert done.code in (0, 3), done.err
            lines = done.out.splitlines()
            wide = [line for line in lines if len(line) > width]
            assert wide == [], (words, width)
            assert all(height <= TALLEST for height in headers(lines)), (words, width)


STYLE = {
    "a minus that is a hyphen": r"(?<![\w.\-/^])-\d",
    "a percentage without its space": r"\d%",
    "an exponent as a program has it": r"\de[+−]|\de-?0\d",
    "a percentage that is a factor": r"(?<![\d.,])(?:[2-9]\d\d|1[1-9]\d|\d{4,}) %",
}


@pytest.mark.parametrize("name", TABLES)
def test_numbers_have_one_style(files, run, name, monkeypatch):
    """Minus, percent, exponents and factors read alike on the pages of all commands."""
    monkeypatch.setenv("COLUMNS", "200")
    for words in TABLES[name]:
        out = run(*words).out
        for what, pattern in STYLE.items():
            told = [line for line in out.splitlines() if re.search(pattern, line)]
            # The file and the command that a report holds are what was typed.
            told = [line for line in told if "--" not in line and ": 40 %" not in line]
            assert told == [], (words, what)
