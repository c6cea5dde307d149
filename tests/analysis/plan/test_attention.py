"""Baselines with attention, 6·N·D + 12·L·H·Q·T·D FLOP, by brute force."""

import numpy as np
import pytest

from optimizer.analysis.audit import audit
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan
from optimizer.world.laws import load_law

TEXT = """
law: besiroglu-2024-refit
target: {match: {parameters: 1B}}
training: {attention: true}
architecture: {layers: 24, width: 2048, sequence: 16384}
demand: {tokens: 1T}
"""
LAW = load_law("besiroglu-2024-refit").coefficients
A, B, ALPHA, BETA = (LAW[symbol] for symbol in ("A", "B", "alpha", "beta"))
APART = 2 * 24 * 2048 * 16384  # 12·L·width·sequence over 6: parameters' worth


@pytest.fixture(scope="module")
def scenario():
    return read_scenario(TEXT, "s.yaml", ())


@pytest.fixture(scope="module")
def found(scenario):
    return solve(scenario)


def compute(N, s):
    rest = s - A * N**-ALPHA
    D = (B / np.where(rest > 0, rest, np.nan)) ** (1 / BETA)
    return 6 * (N + APART) * D


def test_the_training_optimum_is_that_of_the_stated_compute(found):
    """It lay 8.8 % above the least, at 1B, when it ignored attention."""
    s = found.plan.loss - found.law.E
    N = np.geomspace(1e8, 1e11, 400_001)
    cost = compute(N, s)
    best = found.training_optimal
    assert best.cost.training == pytest.approx(np.nanmin(cost), rel=1e-8)
    assert best.parameters == pytest.approx(N[np.nanargmin(cost)], rel=1e-4)
    overhead = found.cost.training / np.nanmin(cost) - 1
    assert found.critical.training_overhead == pytest.approx(overhead, rel=1e-6)


def test_the_critical_size_trains_at_twice_that(found):
    s = found.plan.loss - found.law.E
    least = np.nanmin(compute(np.geomspace(1e8, 1e11, 400_001), s))
    assert compute(found.critical.size, s) == pytest.approx(2 * least, rel=1e-6)
    assert found.critical.size < found.training_optimal.parameters


def test_the_reference_is_the_training_optimum_itself(found):
    """Its tokens are those with which 1B parameters are cheapest to train."""
    best = found.training_optimal
    assert best.parameters == pytest.approx(1e9, rel=1e-6)
    assert best.tokens == pytest.approx(found.reference.tokens, rel=1e-6)


def test_the_overtraining_factor_is_one_at_the_training_optimum(scenario):
    still = solve(read_scenario(TEXT.replace("1T", "0"), "s.yaml", ()))
    assert still.overtraining.factor == pytest.approx(1, rel=1e-6)
    assert still.critical.training_overhead == pytest.approx(0, abs=1e-8)


def test_a_sweep_says_the_same(scenario, found):
    varied = plan(scenario, ["demand.tokens=1T,2T"])
    block = rows(varied, 0, 2)
    said = dict(zip(RESULTS, block.results[0], strict=True))
    assert said["saving"] == pytest.approx(found.savings.fraction, abs=1e-8)
    assert said["overtraining_factor"] == pytest.approx(found.overtraining.factor)


def test_an_audit_counts_attention_as_solve_does(scenario, found):
    """It judged by 6·N·D what `solve` judged with attention."""
    model = found.plan
    judged = audit(
        "mine", model.parameters, model.tokens, scenario.law, scenario=scenario
    )
    assert judged.attention
    assert judged.overhead == pytest.approx(found.critical.training_overhead, rel=1e-6)
    assert judged.critical.size == pytest.approx(found.critical.size, rel=1e-6)
    assert judged.overtraining == pytest.approx(found.overtraining.factor, rel=1e-9)
    best = found.training_optimal.parameters
    assert judged.training_optimal.parameters == pytest.approx(best, rel=1e-6)
    plain = audit("mine", model.parameters, model.tokens, scenario.law)
    assert judged.overhead > 2 * plain.overhead
