"""Sentences of a report that `solve`, asked for the same, contradicted."""

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.case import LAWS, across_laws
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.under_laws import under_laws
from optimizer.report.pages.under_laws import laws_side_blocks

# Few requests on a replica of eight chips that are paid all the time.
IDLE = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving:
  {model: roofline, hardware: h100-sxm, accelerators: 8, mfu: 50 %, mbu: 60 %,
   price: $2/h, peak_to_mean: 4, idle_paid: true}
demand: {requests: 10k/day, input_tokens: 1000, output_tokens: 300, lifetime: 2 years}
"""
BUY = "buy: {input: $0.20/M, output: $0.60/M}\n"


def scenario_of(root, text, *overrides):
    """A scenario by its name in the repository, or by its text."""
    if "\n" in text:
        return read_scenario(text, "scenario.yaml", overrides)
    return load_scenario(root / f"scenarios/{text}.yaml", overrides)


@pytest.mark.parametrize(
    ("text", "overrides", "cheapest"),
    [
        ("buy-or-build", (), "existing llama-2-13b"),
        ("buy-or-build", ("costs.fixed=$3M",), "existing llama-2-13b"),
        ("buy-or-build", ("demand.tokens=200T",), None),
        (IDLE + BUY, (), "buy"),
    ],
)
def test_a_law_says_train_only_where_solve_says_so(root, text, overrides, cheapest):
    """A report had `under hoffmann-2022-devries, train`: at ten times the price."""
    scenario = scenario_of(root, text, *overrides)
    beside = across_laws(scenario, solve(scenario), LAWS, whole=False)
    full = [solve(one) for one in under_laws(scenario, LAWS)]
    told = {answer.law.name: answer.cheaper for answer in beside}
    for answer in full:
        ways = [(way.name, total) for way, total in told[answer.law.name]]
        assert ways == [
            (way.name, pytest.approx(total)) for way, total in answer.cheaper
        ]
    if cheapest is not None:
        assert {ways[0][0].name for ways in told.values()} == {cheapest}
    lead = list(laws_side_blocks("x", beside))[1].text
    assert lead.startswith("Do not train under any") == (cheapest is not None)
