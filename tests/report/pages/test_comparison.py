"""Few scenarios stand side by side; many are one table."""

import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.question.load import read_scenario
from optimizer.report.formats.blocks import Heading, Table, Text
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import FEW, comparison_blocks

TEXT = """\
name: Demand of {demand}
law: besiroglu-2024-refit
target: {{match: {{parameters: 13B}}}}
demand: {{tokens: {demand}}}
"""
DEMANDS = ("1T", "2T", "4T", "8T", "16T", "32T")


@pytest.fixture(scope="module")
def many():
    return compare([read_scenario(TEXT.format(demand=each)) for each in DEMANDS])


def test_many_scenarios_are_one_row_each(many):
    assert len(many.plans) > FEW
    table = next(b for b in comparison_blocks(many) if isinstance(b, Table))
    assert [row[0] for row in table.rows] == [plan.scenario for plan in many.plans]
    assert all(len(line) <= 80 for line in render([table], 80).splitlines())


def test_the_last_column_is_the_worst_of_the_pairs(many):
    """Recomputed from the table of regrets."""
    table = next(b for b in comparison_blocks(many) if isinstance(b, Table))
    for row, entries in zip(table.rows, many.regret.table, strict=True):
        told = float(row[-1].removeprefix("× "))
        assert told == pytest.approx(max(entries), rel=6e-3)


def test_pairs_are_told_on_request(many):
    def headings(pairs):
        blocks = comparison_blocks(many, pairs)
        return [block.text for block in blocks if isinstance(block, Heading)]

    pairs = "If another scenario comes than was planned for"
    assert pairs not in headings(False)
    assert pairs in headings(True)
    assert "From Demand of 1T to Demand of 32T" in headings(True)


def test_a_scenario_without_a_plan_is_a_row_and_a_reason():
    texts = [TEXT.format(demand=each) for each in DEMANDS[:3]]
    texts.append(TEXT.format(demand="9T") + "limits: {tokens: 1B}\n")
    blocks = comparison_blocks(compare([read_scenario(text) for text in texts]))
    table = next(block for block in blocks if isinstance(block, Table))
    assert "no plan" in table.rows[3]
    reasons = [b for b in blocks if isinstance(b, Text) and b.label == "Demand of 9T"]
    assert reasons
