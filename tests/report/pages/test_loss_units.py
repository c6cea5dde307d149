"""A law in bits per byte is never said to be in nats."""

import re

from optimizer.analysis.comparison.unlike import unlike
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario
from optimizer.report.formats import text
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.short import short_blocks

LAW = """
name: mine
form: chinchilla
coefficients: {E: 0.6, A: 120, B: 700, alpha: 0.34, beta: 0.36}
counts: total
loss_unit: bits per byte
"""
SCENARIO = """
name: test
law: LAW
target: {match: {parameters: 7B}}
demand: {tokens: 2T}
objective: compute
limits: {parameters: 4B}
"""


def answered(law, tmp_path):
    (tmp_path / "mine.yaml").write_text(LAW, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("LAW", law), encoding="utf-8")
    return solve(read_scenario((tmp_path / "s.yaml").read_text(), "s.yaml"))


def test_pages_say_the_unit_of_the_law(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = answered("mine.yaml", tmp_path)
    for page in (answer_blocks, short_blocks):
        said = text.render(page(answer), 100, False)
        assert not re.search(r"\bnats\b", said)
    assert "bits per byte" in text.render(answer_blocks(answer), 100, False)
    other = answered("besiroglu-2024-refit", tmp_path)
    assert any("losses are in" in why for why in unlike([answer, other]))
    assert "nats" in text.render(answer_blocks(other), 100, False)
