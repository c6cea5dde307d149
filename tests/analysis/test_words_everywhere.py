"""Each further word of a scenario across the rest: one table of words and features.

The words are samples (a number, left open, by the share of tasks solved), rollouts,
sparse experts, formats, zeros, data efficiency, students of a teacher and a plan of
one's own. Every feature is held to what a single solve of the same scenario answers.
"""

import json
from pathlib import Path

import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.story.case import case
from optimizer.analysis.story.live import live, moved
from optimizer.analysis.sweep.sweep import results_of, told
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.question.portfolio_file import read_portfolio
from optimizer.question.vary import plan as planned
from optimizer.reading.document import load_text
from optimizer.report.formats.data import plan as as_plan
from optimizer.report.formats.text import render
from optimizer.report.pages.explore import fragment
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.report import case_blocks

TARGET = "target: {match: {parameters: 13B}}\n"
REQUESTS = "demand: {requests: 4B, input_tokens: 100, output_tokens: 400"
TOKENS = "demand: {tokens: 2T}\n"
OWN_LAW = "E: 0.2, A: 400, B: 2000, alpha: 0.34, beta: 0.36"
RATED = (
    "law: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283, pass_at_k: "
    "{theta0: 2.2, theta1: 6, theta2: 0.9, theta3: 1, theta4: -0.5}}\n"
)
BARE = f"law: besiroglu-2024\n{TARGET}"
# Of each word: a scenario, a number of it with two values, and what a page says of it.
WORDS = {
    "samples": (
        BARE + REQUESTS + ", samples: 4}\n",
        ("demand.samples", "2", "8"),
        "8T served tokens",
    ),
    "open samples": (
        f"law: {{{OWN_LAW}, G: 0.8, gamma: 0.4}}\n{TARGET}"
        + REQUESTS
        + ", samples: {at_least: 1, at_most: 64}}\n",
        ("law.G", "0.6", "0.9"),
        "perfect-verifier",
    ),
    "pass rate": (
        f"{RATED}target: {{pass_rate: 70 %}}\n{REQUESTS}, samples: 4}}\n",
        ("target.pass_rate", "60 %", "75 %"),
        "perfect-verifier",
    ),
    "rollouts": (
        f"{BARE}{TOKENS}post_training: {{rollout_tokens: 500B, trained_on: 20 %}}\n",
        ("post_training.rollout_tokens", "100B", "2T"),
        "rollouts",
    ),
    "sparse": (
        f"law: tian-2025-leverage\n{TARGET}{TOKENS}"
        "sparse: {activation: 6.25 %, granularity: 12, beyond_fit: true}\n",
        ("sparse.activation", "5 %", "10 %"),
        "experts",
    ),
    "format": (
        f"{BARE}{TOKENS}training: {{precision: mxfp4}}\n",
        ("demand.tokens", "1T", "4T"),
        "mxfp4",
    ),
    "zeros": (
        f"{BARE}{TOKENS}training: {{sparsity: {{weights: 40 %}}}}\n",
        ("training.sparsity.weights", "20 %", "60 %"),
        "sparsity",
    ),
    "data efficiency": (
        f"{BARE}{TOKENS}training: {{data_efficiency: 1.4}}\n",
        ("training.data_efficiency", "1.1", "2"),
        "data_efficiency",
    ),
    "distillation": (
        f"law: busbridge-2025\n{TARGET}{TOKENS}distillation: {{teacher: "
        "{parameters: 70B, tokens: 1.4T}, logits: free}\n",
        ("distillation.teacher.parameters", "40B", "100B"),
        "Distilling pays",
    ),
    "own plan": (
        f"law: besiroglu-2024\nplan: {{parameters: 8B, tokens: 1T}}\n{TOKENS}",
        ("plan.tokens", "500B", "2T"),
        "Your plan",
    ),
}
each = pytest.mark.parametrize("word", WORDS)


def read(word, *sets):
    return read_scenario(WORDS[word][0], f"{word}.yaml", sets)


def total(answer):
    """In fractions, where something is made whole."""
    return answer.cost.total if answer.relaxed is None else answer.relaxed.total


@each
def test_a_plan_is_certified_and_its_page_and_data_say_the_word(word):
    answer = solve(read(word))
    assert passes(answer.certificate)
    assert WORDS[word][2] in " ".join(render([*answer_blocks(answer)], 80).split())
    assert json.loads(json.dumps(as_plan(answer)))["plan"]["parameters"] > 0


@each
def test_a_row_of_a_sweep_is_a_solve(word):
    path, *values = WORDS[word][1]
    scenario = read(word)
    found = told(planned(scenario, [f"{path}={','.join(values)}"]), 0, 2)
    for row, value in zip(found.results.tolist(), values, strict=True):
        one = solve(read(word, f"{path}={value}"))
        mine = dict(zip(results_of(scenario), row, strict=True))
        assert mine["cost_total"] == pytest.approx(total(one), rel=1e-7)
        if one.own is not None:
            assert mine["own_extra"] == pytest.approx(one.own.fraction, rel=1e-6)
        if one.distillation is not None:
            ratio = one.distillation.ways[0].ratio
            assert mine["student_ratio"] == pytest.approx(ratio, rel=1e-7)


@each
def test_draws_of_the_demand_surround_the_plan(word):
    text = WORDS[word][0].replace("4B", "{low: 2B, expected: 4B, high: 8B}")
    text = text.replace("tokens: 2T", "tokens: {low: 1T, expected: 2T, high: 4T}")
    scenario = read_scenario(text, f"{word}.yaml")
    found = uncertainty(scenario, draws=12)
    expected = solve(read(word))
    assert found.plan.cost_total == pytest.approx(expected.cost.total, rel=1e-9)
    assert found.left_out == found.unreachable == 0
    ends = found.intervals["cost_total"]
    assert ends.p5 < found.plan.cost_total < ends.p95


@each
def test_a_frontier_passes_through_the_plan(word):
    found = frontier(read(word), points=3, span=1.1)
    one = solve(read(word), whole=False)
    assert found.plan.cost_total == pytest.approx(one.cost.total, rel=1e-7)
    assert found.points[0].cost_total < found.points[-1].cost_total
    assert all(passes(point.certificate) for point in found.points)


@each
def test_a_comparison_has_regrets(word):
    more = ("demand.requests=16B",) if "4B" in WORDS[word][0] else ("demand.tokens=8T",)
    found = compare([read(word), read(word, *more)])
    (own, wrong), (again, right) = found.regret.table
    assert own == pytest.approx(1, rel=1e-9)
    assert right == pytest.approx(1, rel=1e-9)
    assert wrong > 1.001
    assert again > 1.001
    assert found.robust.minimax.value <= max(wrong, again)


@each
def test_a_portfolio_of_two_with_nothing_scarce_is_two_plans(word):
    models = "".join(
        f"  - name: {name}\n"
        + "".join(f"    {line}\n" for line in WORDS[word][0].splitlines())
        for name in ("one", "two")
    )
    text = f"models:\n{models}shared: {{training_compute: 1e27}}\n"
    document = load_text(text, "p.yaml")
    joint = solve_portfolio(read_portfolio(document, Path()), whole=False)
    alone = solve(read(word), whole=False)
    assert joint.total == pytest.approx(2 * alone.cost.total, rel=1e-7)
    assert passes(joint.certificate)


@each
def test_the_explorer_moves_it_and_says_what_the_page_says(word):
    text, (path, value, _), said = WORDS[word]
    explored = live(load_text(text, "s.yaml"), Path(), ())
    assert path in {control.name for control in explored.controls}
    change = moved(explored, {path: value})
    assert not change.wrong
    assert not change.problems
    answer = solve(change.scenario)
    again = solve(read(word, f"{path}={value}"))
    assert answer.cost.total == pytest.approx(again.cost.total, rel=1e-12)
    if said != "8T served tokens":  # which moved
        assert said in fragment(change.scenario, answer)


@each
def test_a_report_is_whole(word):
    scenario = read(word)
    found = case(scenario, solve(scenario), laws=())
    assert found.explorer is not None
    place, at = found.explorer.here
    here = found.explorer.points[place][at]
    assert here.cost_total == pytest.approx(total(found.answer), rel=1e-7)
    assert len(list(case_blocks(found))) > 10


def test_the_words_that_a_scenario_chooses_by_are_picks_of_the_explorer():
    picks = {
        word: {
            pick.name: pick.options
            for pick in live(load_text(WORDS[word][0], "s.yaml"), Path(), ()).picks
        }
        for word in ("format", "distillation", "zeros")
    }
    assert picks["format"]["training.precision"][-1] == "mxfp4"
    assert picks["distillation"]["distillation.logits"] == ("free", "paid")
    assert "training.precision" not in picks["zeros"]
