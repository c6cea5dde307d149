"""Sentences of a report that `solve`, asked for the same, contradicted."""

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.case import LAWS, across_laws, case, with_chances
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.under_laws import under_laws
from optimizer.report.formats.elements import Points
from optimizer.report.pages.decision import decision_blocks
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


def points_of(found, title):
    """The points of a first screen under a title, on one line each."""
    return [
        item
        for block in decision_blocks(found)
        if isinstance(block, Points) and block.title == title
        for item in block.items
    ]


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


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        ("open-release", ("demand.tokens=0",), "is the very model to match"),
        (IDLE, (), "is the very model to match"),
        ("on-device-int4", (), "the quantization penalty more tokens may raise"),
        ("smollm3", (), "is in none of these numbers"),
        ("internal-use", ("law=hoffmann-2022-devries",), "is not known, and is in"),
        ("internal-use", (), "of the law's error"),
    ],
)
def test_an_error_that_is_known_is_not_called_unknown(root, text, overrides, words):
    """`Not known, and in none of these numbers`, a line above a range of its draws."""
    scenario = scenario_of(root, text, *overrides)
    answer = solve(scenario)
    found = with_chances(case(scenario, answer, ()))
    told = points_of(found, "How sure this is")
    assert [words in one for one in told].count(True) == 1
    known = scenario.law.draws is not None or scenario.law.covariance is not None
    assert known != any("is not known, and is in none" in one for one in told)
    if any("draws of its error" in one for one in told):
        assert not any("none of these numbers" in one for one in told)


def test_the_range_over_laws_is_the_same_on_both_screens(root):
    """`To 1.91B` above, with a law of another form, and `to 1.58B` below, without."""
    scenario = scenario_of(root, "on-device-int4")
    found = case(scenario, solve(scenario))
    sizes = {a.law.name: a.plan.parameters for a in found.laws}
    own = sizes.pop(found.answer.law.name)
    (told,) = (p for p in points_of(found, "How sure this is") if "ther laws" in p)
    most = max(sizes, key=sizes.get)
    assert f"to {sizes[most] / 1e9:.2f}B ({most}); of another form" in told
    lead = list(laws_side_blocks("x", found.laws))[1].text
    assert f"from 649M to {max(own, sizes[most]) / 1e9:.2f}B" in lead
    assert "from 649M (sardana-2024-all)" in told


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        ("llama-3-8b", ("demand.tokens=500B",), None),
        ("open-release", ("demand.tokens=0",), "would train 13B;"),
    ],
)
def test_one_size_is_no_range_over_laws(root, text, overrides, words):
    """`Other laws would train from 8.03B to 8.03B`, of a size that was fixed."""
    scenario = scenario_of(root, text, *overrides)
    told = points_of(case(scenario, solve(scenario)), "How sure this is")
    said = [one for one in told if "ther laws" in one]
    assert (words is None) == (not said)
    assert all(words in one for one in said)
