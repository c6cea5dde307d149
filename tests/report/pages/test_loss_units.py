"""A law in bits per byte is never said to be in nats."""

import json
import re

import pytest

import cli
from optimizer.analysis.comparison.unlike import unlike
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.live import live
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.reading.document import load_text
from optimizer.report.pages.explore import explore_page

LAW = """
name: mine
form: chinchilla
coefficients: {E: 0.6, A: 120, B: 700, alpha: 0.34, beta: 0.36}
counts: total
loss_unit: bits per byte
draws:
  E: [0.6, 0.601, 0.602]
  A: [120, 121, 122]
  B: [700, 705, 710]
  alpha: [0.34, 0.341, 0.342]
  beta: [0.36, 0.361, 0.362]
"""
TOP = """
name: test
law: mine.yaml
demand: {tokens: 2T}
objective: compute
"""
ASKED = {
    "reached.yaml": "target: {match: {parameters: 7B}}\nlimits: {parameters: 4B}",
    "bought.yaml": "budget: {compute: 1e24}\nlimits: {parameters: 1B}",
    "below.yaml": "target: {loss: 0.5}",
    "held.yaml": "target: {loss: 0.7}\nlimits: {parameters: 100M, tokens: 1T}",
}
COMMANDS = (
    *("solve {}", "solve --full {}", "solve --brief {}", "solve --snap {}"),
    *("solve --format json {}", "frontier --points 5 {}"),
    *("frontier --points 5 --format json {}", "uncertainty --draws 200 {}"),
    *("sweep --vary demand.tokens=1T,2T {}", "compare {} reached.yaml"),
    "compare --format json {} reached.yaml",
)
WORD = re.compile(r"\bnats\b")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The law, and a scenario of each kind."""
    (tmp_path / "mine.yaml").write_text(LAW, encoding="utf-8")
    for name, text in ASKED.items():
        (tmp_path / name).write_text(f"{TOP}{text}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ASKED)
def test_no_command_says_nats(folder, capsys, name):
    said = ""
    for command in COMMANDS:
        cli.main(command.format(name).split())
        told = "".join(capsys.readouterr())
        assert not WORD.search(told), command
        said += told
    assert "bits per byte" in said


def test_refusals_and_changes_have_the_unit(folder, capsys):
    cli.main(["solve", "held.yaml", "--format", "json"])
    why = json.loads(capsys.readouterr().out)["plans"][0]["infeasibility"]
    assert "no model meets the target of 0.7000 bits per byte" in why["reason"]
    assert why["relaxations"][0]["unit"] == "bits per byte"
    cli.main(["frontier", "below.yaml"])
    said = " ".join(capsys.readouterr().out.split())
    assert "irreducible loss of mine, 0.6000 bits per byte" in said


def test_pages_and_pictures_have_the_unit(folder, capsys):
    for name in ("reached", "bought", "held"):
        cli.main(["report", f"{name}.yaml", "-o", f"{name}.html"])
        assert not WORD.search((folder / f"{name}.html").read_text())
    for name in ("reached", "bought", "held"):
        text = (folder / f"{name}.yaml").read_text()
        explored = live(load_text(text, f"{name}.yaml"), folder, ())
        page = explore_page(explored, solve(explored.scenario), "1")
        assert not WORD.search(page)
    cli.main(["plot", "frontier", "reached.yaml", "-o", "frontier.svg"])
    assert "loss, bits per byte" in (folder / "frontier.svg").read_text()


def test_a_portfolio_of_such_models(folder, capsys):
    (folder / "two.yaml").write_text(
        f"{TOP.replace('test', 'two')}models:\n"
        "  - {name: a, target: {loss: 0.7}}\n"
        "  - {name: b, target: {loss: 0.72}}\n"
        "shared: {training_compute: 1e20}\n"
    )
    for command in ("solve two.yaml", "solve --format json two.yaml"):
        assert cli.main(command.split()) == 3
        told = "".join(capsys.readouterr())
        assert not WORD.search(told)
        assert "bits per byte" in told


def test_a_target_in_another_unit_is_refused(folder):
    def asked(loss):
        return read_scenario(f"{TOP}target: {{loss: {loss}}}\n", "s.yaml")

    assert asked("0.7 bpb").spec.target.loss == 0.7
    assert asked("0.7 bits per byte").spec.target.loss == 0.7
    with pytest.raises(InputError, match="is in nats, and the losses of mine are in b"):
        asked("0.7 nats")
    other = TOP.replace("mine.yaml", "besiroglu-2024-refit")
    with pytest.raises(InputError, match="is in bpb"):
        read_scenario(f"{other}target: {{loss: 2 bpb}}\n", "s.yaml")
    assert read_scenario(f"{other}target: {{loss: 2.1 nats}}\n", "s.yaml")


def test_unlike_units_are_told(folder):
    answers = [
        solve(read_scenario((folder / "reached.yaml").read_text().replace(*change)))
        for change in (("", ""), ("mine.yaml", "besiroglu-2024-refit"))
    ]
    assert any("losses are in" in why for why in unlike(answers))
