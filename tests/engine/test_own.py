"""Our own method: proofs, units, and programs that once ended without an answer."""

import numpy as np
import pytest

from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram, Status, members
from optimizer.engine import follow as path
from optimizer.engine import own, second_opinion
from optimizer.engine import settle as settling
from optimizer.engine.arrays import arrays, value
from optimizer.engine.barrier import balanced, descend, inside
from optimizer.engine.certify import acceptable, excluded
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario
from tests.engine.random_programs import programs
from tests.shipped import ROOT

LOADED = {"roofline", "latency", "memory", "tokens", "compute", "cost"}


@pytest.fixture
def alone(monkeypatch):
    """No second opinion: whoever asks for it fails."""

    def refused(*_):
        raise AssertionError("cvxpy was asked")

    monkeypatch.setattr(second_opinion, "solve", refused)


def test_phase_one_ends_with_one_of_two_proofs():
    program = programs(LOADED, 2, 300)
    given = arrays(program)
    z, weights, found, none = inside(given, np.zeros((300, 4)))
    assert (found ^ none).all()
    assert min(found.sum(), none.sum()) > 50
    assert (value(given, z)[found, 1:] < 0).all()
    proven = members(program, np.flatnonzero(none))
    assert excluded(proven, z[none], weights[none]).all()


def test_the_barrier_alone_comes_to_a_certificate():
    program = programs({"tokens", "cost"}, 3, 100)
    given = arrays(program)
    z, _, found, _ = inside(given, np.zeros((100, 2)))
    rows = np.flatnonzero(found)
    part = given.members(rows)
    z, weights, _ = descend(part, z[rows])
    assert acceptable(members(program, rows), z, balanced(part, z, weights)).all()


def test_other_units_change_no_answer():
    """Parameters in units of 1e-25, tokens in units of 1e25."""
    program = members(programs({"tokens", "memory", "attention"}, 4, 40), slice(0, 40))
    shift = np.log(np.array([1e25, 1e-25]))

    def moved(p):
        factor = np.exp(p.exponents @ shift)
        labels = p.labels
        return Posynomial(p.variables, p.coefficients * factor, p.exponents, labels)

    other = GeometricProgram(
        moved(program.objective),
        tuple(Constraint(c.name, moved(c.posynomial)) for c in program.constraints),
    )
    for i in range(40):
        one = own.find(members(program, np.array([i])))
        two = own.find(members(other, np.array([i])))
        assert one.ended[0] == two.ended[0] != own.UNSOLVED
        if one.ended[0] == own.OPTIMAL:
            np.testing.assert_allclose(two.z[0] + shift, one.z[0], atol=1e-8)


def test_a_target_a_millionth_above_what_repeated_data_give(alone, ask):
    """By a scan over 200,000 sizes, each with the tokens that the formula gives."""
    answer = ask(
        "law: muennighoff-2023\ntarget: {loss: 2.76145}\n"
        "data: {unique_tokens: 1B}\ndemand: {tokens: 0}\n"
    )
    assert answer.plan.parameters == pytest.approx(3.4133e9, rel=1e-4)
    assert answer.plan.tokens == pytest.approx(188.15e9, rel=1e-4)
    assert answer.cost.total == pytest.approx(3.853266e21, rel=1e-6)


def test_a_quantized_model_out_of_reach_is_told_so(ask):
    """By a scan the lowest loss is 2.2653."""
    answer = ask(
        "law: muennighoff-2023\n"
        "target: {match: {parameters: 7B, tokens: 2T}}\n"
        "serving: {model: roofline, hardware: h100-sxm, accelerators: 6, mfu: 40 %, "
        "mbu: 60 %, quantization_penalty: true}\n"
        "demand: {requests: 1k/day, input_tokens: 100, output_tokens: 300, "
        "lifetime: 1 year}\n"
        "data: {unique_tokens: 10B}\n"
    )
    assert answer.status is Status.INFEASIBLE
    assert answer.infeasibility.nearest_loss == pytest.approx(2.2653, abs=2e-4)


def test_ranges_that_saturate_need_no_second_opinion(alone, ask):
    """It took 10 to 17 s: what is left between limits there has no room at all."""
    answer = ask(
        "law: hoffmann-2022-tex\ntarget: {match: {parameters: 85.7082B}}\n"
        "data: {unique_tokens: 1.6759T}\ndemand: {tokens: 4.64405e+17}\n"
    )
    assert answer.epochs > 100
    assert [near.within for near in answer.near_optimal] == [0.01, 0.05]


def test_what_newton_cannot_bring_home_is_left_unsolved():
    """Guesses far off lead to no answer rather than to a bad one."""
    program = programs(LOADED, 5, 20)
    lost = own.near(program, np.full((20, 4), 90.0), np.zeros((20, 10)))
    judged = acceptable(program, lost.z, lost.multipliers)
    assert ((lost.ended == own.OPTIMAL) <= judged).all()


@pytest.mark.parametrize("name", ["data-limited-language", "latency-bound-assistant"])
def test_the_path_ends_where_rounding_takes_over(name, monkeypatch):
    """Residuals that no longer fall below 1e-8 would bounce for dozens of rounds."""
    rounds = []
    advance = path._advance

    def counted(*words):
        rounds.append(words)
        advance(*words)

    monkeypatch.setattr(path, "_advance", counted)
    (scenario, *_) = load_scenario(ROOT / "scenarios" / f"{name}.yaml").singles
    question = formulate(scenario)
    start = question.start(question.program)
    found = own.find(question.program, start[None])
    assert found.ended.tolist() == [own.OPTIMAL]
    assert len(rounds) <= 12


def test_a_guess_that_leads_nowhere_is_left_for_the_path(monkeypatch):
    """Newton from no multipliers would try every set of what may bind."""
    program = programs(LOADED, 11, 1)
    calls = []
    newton = settling._newton

    def counted(*words):
        calls.append(words)
        return newton(*words)

    monkeypatch.setattr(settling, "_newton", counted)
    n, m = len(program.variables), len(program.constraints)
    own.near(program, np.full((1, n), 60.0), np.zeros((1, m)))
    assert 0 < len(calls) <= 2 * own.SETS
