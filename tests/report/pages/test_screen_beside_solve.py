"""Sentences of a report that `solve`, asked for the same, contradicted."""

import re

import pytest

from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import best_of_each, planned
from optimizer.analysis.plan.wording import amount, compared, model
from optimizer.analysis.story.case import LAWS, across_laws, case, with_chances
from optimizer.question.inputs import changed, inputs
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.under_laws import under_laws
from optimizer.report.formats.elements import Points
from optimizer.report.formats.text import render
from optimizer.report.pages.decision import decision_blocks, tiles
from optimizer.report.pages.near import near_short
from optimizer.report.pages.under_laws import laws_side_blocks

PLAIN = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
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
# A long context, whose cache takes most of the memory.
WINDOW = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 7.3B, tokens: 6T}}
fix: {parameters: 7.3B}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving:
  {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h,
   context: 34048}
architecture: {layers: 32, width: 4096, kv_heads: 32, head_size: 128}
demand:
  {requests: 100k/day, input_tokens: 33000, output_tokens: 1048, lifetime: 1 year}
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


def tiles_of(answer):
    """The notes of the tiles by their names."""
    (shown,) = tiles(answer)
    return {tile.name: tile.note for tile in shown.tiles}


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("reasoning-model", ("serving.max_time_per_output_token=10 ms",)),
        ("latency-bound-assistant", ()),
        (IDLE, ()),
    ],
)
def test_both_ends_of_a_range_on_the_first_screen_are_within_it(root, text, overrides):
    """`7.55B to 9.36B are within 1 %`, of which 7.55B is not, nor 7.69B between."""
    scenario = scenario_of(root, text, *overrides)
    answer = solve(scenario)
    notes = tiles_of(answer)
    for tile, word in (("parameters", "parameters"), ("training tokens", "tokens")):
        low, high, where = re.fullmatch(
            r"(\S+) to (\S+) are within 1 %(.*)", notes[tile]
        ).groups()
        assert where == " at both ends"
        # An end that is the plan reads as that, which may be on a limit.
        for end in {low, high} - {amount(getattr(answer.plan, word), word)}:
            one = scenario_of(root, text, *overrides, f"fix.{word}={end}")
            assert solve(one, whole=False).cost.total < 1.0101 * answer.cost.total
    warned = [w.message for w in answer.warnings if w.code == "wide-optimum"]
    assert not any("every size from" in one for one in warned)


def test_an_optimum_at_the_end_of_its_range_lies_within_it(ask):
    """The optimum was 11.9B, and 11.1B to 11.8B within 1 % of it."""
    answer = ask(WINDOW)
    best = amount(answer.fixed.optimum.parameters, "parameters")
    near = answer.near_optimal[0]
    assert near.parameters[1] == pytest.approx(answer.fixed.optimum.parameters)
    told = render(list(near_short(answer)), 200)
    assert re.search(rf"{best} on \S+; within 5 %", told)


def test_a_range_in_fractions_is_of_all_sizes_between(ask):
    answer = ask(PLAIN)
    assert tiles_of(answer)["parameters"].endswith("are within 1 %")


MOVED = {
    "prompts are": "demand.input_tokens",
    "answers are": "demand.output_tokens",
    "the service lasts": "demand.lifetime",
    "training uses the chips": "training.mfu",
    "serving uses the chips": "serving.mfu",
    "training hours cost": "training.price",
    "serving hours cost": "serving.price",
}
UP = ("more", "longer", "better", "larger")


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("latency-bound-assistant", {"twice": "4M/day", "half": "1M/day"}),
        (IDLE, {"twice": "20k/day", "half": "5k/day"}),
        ("moe-api", {}),
        ("reasoning-model", {}),
    ],
)
def test_what_could_change_it_is_what_solve_says(root, text, demands):
    """`The plan costs 24 % more`, of machines in fractions; `solve` says 2.3 %."""
    scenario = scenario_of(root, text)
    answer = solve(scenario)
    told = points_of(case(scenario, answer, ()), "What could change it")
    for word, rate in demands.items():
        plan = solve(scenario_of(root, text, f"demand.requests={rate}"), False).plan
        size = model(plan.parameters, plan.tokens)
        assert f"or {word} the demand the plan is {size} tokens" in told[0]
    moves = [
        found
        for point in told
        for found in re.findall(
            r"if ([a-z ]+) 20 % (\w+), the plan (costs [\d.]+ % \w+ than) now",
            point,
            re.I,
        )
    ]
    assert moves
    for subject, way, change in moves:
        path = MOVED[subject]
        (now,) = (
            i.value for i in inputs(scenario.chosen(answer.choice)) if i.name == path
        )
        other = changed_in_all(scenario, path, now * (1.2 if way in UP else 0.8))
        total = solve(other, whole=False).cost.total
        assert compared(total / answer.cost.total - 1, "USD") == change


def changed_in_all(scenario, name, value):
    """A scenario with a number changed in each of its choices."""
    path = tuple(name.split("."))
    return scenario.every(lambda one: changed(one, path, lambda _: value))


@pytest.mark.parametrize(
    "name", ["latency-bound-assistant", "moe-api", "verified-code"]
)
def test_the_best_of_choices_is_the_best_of_all_made_whole(root, name):
    """Choices that cannot win in fractions are not made whole."""
    groups = [scaled_in_all(scenario_of(root, name), f) for f in (0.5, 1, 2)]
    best = best_of_each(groups)
    for ways, (way, _, plan) in zip(groups, best, strict=True):
        each = [planned(one) for one in ways]
        least = min(made[1].plan.total for made in each if made is not None)
        assert plan.plan.total == pytest.approx(least, rel=1e-9)
        assert way in ways


def scaled_in_all(scenario, factor):
    return scenario.every(lambda one: scaled(one, factor)).singles
