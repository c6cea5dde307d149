"""What a law of few runs says of itself is heard wherever it is used."""

import re

import pytest

import cli
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.live import live
from optimizer.reading.document import load_text
from optimizer.report.pages.explore import explore_page

OPEN = "the plan is open from 3 to 3e9 parameters, more than a factor 1000"
CAVEAT = "The runs do not identify alpha"
LAW = f"""
name: own
form: chinchilla
coefficients: {{E: 1.8, A: 480, B: 2080, alpha: 0.35, beta: 0.37}}
counts: total
not_for_planning: {OPEN}
caveats: ["{OPEN}.", "{CAVEAT}: four sizes."]
fit: {{runs: 12}}
draws:
  E: [1.8, 1.81, 1.79]
  A: [480, 490, 470]
  B: [2080, 2090, 2070]
  alpha: [0.35, 0.351, 0.349]
  beta: [0.37, 0.371, 0.369]
"""
ASKED = """
law: own.yaml
objective: compute
"""
ONE = f"""{ASKED}name: one
target: {{match: {{parameters: 1B}}}}
demand: {{tokens: 2T}}
"""
TWO = f"""{ASKED}name: two
models:
  - {{name: a, target: {{match: {{parameters: 1B}}}}, demand: {{tokens: 1T}}}}
  - {{name: b, target: {{match: {{parameters: 2B}}}}, demand: {{tokens: 1T}}}}
shared: {{training_compute: 1e24}}
"""
COMMANDS = (
    *("solve one.yaml", "solve --full one.yaml", "solve --format markdown one.yaml"),
    *("solve --format json one.yaml", "solve two.yaml", "solve --format json two.yaml"),
    *("frontier --points 3 one.yaml", "frontier --points 3 --format json one.yaml"),
    *("uncertainty --draws 60 one.yaml", "compare one.yaml one.yaml"),
    *("uncertainty --draws 60 --format json one.yaml", "laws own.yaml"),
    *("sweep --vary demand.tokens=1T,2T one.yaml", "audit llama-3-8b --law own.yaml"),
    *("sweep --vary demand.tokens=1T,2T one.yaml --format json",),
    *("audit llama-3-8b --law own.yaml --format json", "audit --all --law own.yaml"),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The law, a scenario and a portfolio under it."""
    for name, text in (("own", LAW), ("one", ONE), ("two", TWO)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flat(text):
    return " ".join(re.sub(r"<[^>]*>", "", text).split())


@pytest.mark.parametrize("command", COMMANDS)
def test_on_the_page_and_in_the_document(folder, capsys, command):
    assert cli.main(command.split()) == 0
    told = flat("".join(capsys.readouterr()))
    assert OPEN.removeprefix("the plan ") in told
    assert CAVEAT in told


def test_in_rows_as_codes(folder, capsys):
    cli.main(["solve", "--format", "csv", "one.yaml"])
    assert "law-not-known law-caveats" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["one.html", "one.md", "two.html"])
def test_in_reports(folder, name):
    scenario = name.replace(name.split(".")[1], "yaml")
    cli.main(["report", scenario, "-o", name])
    told = flat((folder / name).read_text(encoding="utf-8"))
    assert "Do not plan by it" in told
    assert CAVEAT in told


def test_in_the_explorer(folder):
    explored = live(load_text(ONE, "one.yaml"), folder, ())
    told = flat(explore_page(explored, solve(explored.scenario), "1"))
    assert "Do not plan by it" in told
    assert CAVEAT in told


def test_a_gate_can_ask_for_it(folder, capsys):
    words = ["solve", "one.yaml", "--fail-on", "law-not-known"]
    assert cli.main(words) == 4
