"""Draws of what a law has beyond its surface: repeated data, and downstream error."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.comparison.regret import cost_of
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, rows
from optimizer.analysis.uncertainty.robust import robust_plan
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.question.formulate import formulate
from optimizer.question.law_draws import drawn
from optimizer.question.load import read_scenario
from optimizer.question.vary import member
from optimizer.question.vary import plan as varied
from optimizer.world.law import ErrorLaw

COUNT = 120  # rows of the bootstrap
UNIQUE = 150e9
TEXT = """\
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
OWN = {"epsilon": 0.857, "k": 2.2, "gamma": 0.7}
STARS = {"R_D_star": 15.39, "R_N_star": 5.31}


def bootstrap(stars=True, error=True):
    """The law with draws; R_D* is told by A, and gamma by B, so that rows can be."""
    z = np.random.default_rng(1).standard_normal((COUNT, 4))
    draws = {
        "E": 1.69 + 0.01 * z[:, 0],
        "A": 406.4 * np.exp(0.2 * z[:, 1]),
        "B": 410.7 * np.exp(0.25 * z[:, 2]),
        "alpha": 0.336 + 0.01 * z[:, 1],
        "beta": 0.283 + 0.01 * z[:, 2],
    }
    extra = {
        "R_D_star": draws["A"] / 406.4 * 15.39,
        "R_N_star": 5.31 * np.exp(0.3 * z[:, 3]),
    }
    own = {
        "epsilon": 0.857 + 0.003 * z[:, 3],
        "k": 2.2 * np.exp(0.02 * z[:, 0]),
        "gamma": draws["B"] / 410.7 * 0.7,
    }
    return {
        "draws": columns(draws),
        "extras": STARS,
        "extra_draws": columns(extra) if stars else None,
        "error": ErrorLaw(**OWN, draws=columns(own) if error else None),
    }


def columns(table):
    return {symbol: tuple(values.tolist()) for symbol, values in table.items()}


def read(*overrides, **kept):
    law = bootstrap(**kept)
    plain = read_scenario(TEXT)
    # The target of an error is read under a law that has a map to it.
    scenario = replace(plain, law=replace(plain.law, **law))
    if overrides:
        changed = read_scenario(TEXT, overrides=overrides)
        scenario = replace(changed, law=scenario.law)
    return scenario


def failing(error):
    """The scenario with an error on downstream tasks as its target."""
    scenario = read()
    target = scenario.spec.target.model_copy(update={"match": None, "error": error})
    spec = scenario.spec.model_copy(update={"target": target})
    return replace(scenario, spec=spec)


def worth(amount, unique, star):
    """What an amount is worth of which `unique` is new; Muennighoff et al., eq. 5."""
    more = np.maximum(amount / unique - 1, 0)
    return np.where(
        amount <= unique, amount, unique + unique * star * -np.expm1(-more / star)
    )


# Repeated data

REPEATED = f"data.unique_tokens={UNIQUE!r}"


def test_the_constants_come_from_the_same_resample_as_the_law():
    plan = varied(read(REPEATED), (), 500, 0)
    names = [number.name for number in plan.numbers]
    assert names[-2:] == ["law.extras.R_D_star", "law.extras.R_N_star"]
    values = dict(zip(names, plan.columns(0, 500).T, strict=True))
    told = values["law.A"] / 406.4 * 15.39
    np.testing.assert_allclose(values["law.extras.R_D_star"], told, rtol=1e-12)
    assert len(np.unique(values["law.extras.R_N_star"])) > COUNT / 2
    one = member(plan, 7)
    assert one.law.extras["R_D_star"] == values["law.extras.R_D_star"][7]
    assert one.law.coefficients["A"] == values["law.A"][7]


def test_the_constants_are_drawn_only_where_data_repeat():
    fresh, repeated = (varied(read(*sets), (), 50, 0) for sets in ((), (REPEATED,)))
    assert [n.name for n in fresh.numbers] == [n.name for n in repeated.numbers[:-2]]
    np.testing.assert_array_equal(fresh.columns(0, 50), repeated.columns(0, 50)[:, :-2])


def test_a_draw_is_the_plan_under_its_own_constants():
    scenario = read(REPEATED)
    plan = varied(scenario, (), 4, 1)
    found = rows(plan, 0, 4)
    for values, results in zip(found.inputs.tolist(), found.results, strict=True):
        drawn_ = dict(zip((n.name for n in plan.numbers), values, strict=True))
        stars = {s: drawn_[f"law.extras.{s}"] for s in STARS}
        own = {s: drawn_[f"law.{s}"] for s in ("E", "A", "B", "alpha", "beta")}
        law = replace(scenario.law, coefficients=own, extras=stars)
        answer = solve(replace(scenario, law=law))
        row = dict(zip(RESULTS, results, strict=True))
        assert row["parameters"] == pytest.approx(answer.plan.parameters, rel=1e-6)
        assert row["cost_total"] == pytest.approx(answer.cost.total, rel=1e-9)
        plain = solve(replace(scenario, law=replace(law, extras=STARS)))
        assert abs(row["tokens"] / plain.plan.tokens - 1) > 1e-3


@pytest.mark.parametrize("probability", [0.5, 0.9])
def test_the_robust_plan_honours_the_constants_of_every_draw(probability):
    """Brute force over (N, D): none of 3,600 models is as sure and cheaper."""
    scenario = read(REPEATED)
    plan = varied(scenario, (), 200, 0)
    values = dict(
        zip((n.name for n in plan.numbers), plan.columns(0, 200).T, strict=True)
    )
    A, B, alpha, beta = (values[f"law.{s}"] for s in ("A", "B", "alpha", "beta"))
    # The reference is trained on fresh data at its training-optimal tokens.
    most = (alpha * A / (beta * B) * 13e9**-alpha) ** (-1 / beta)
    s = A * 13e9**-alpha + B * most**-beta

    def reaching(N, D):
        read_ = np.minimum(D, UNIQUE)
        supported = (alpha * A / (beta * B) * read_**beta) ** (1 / alpha)
        N = worth(N, supported, values["law.extras.R_N_star"])
        D = worth(D, UNIQUE, values["law.extras.R_D_star"])
        return (A * N**-alpha + B * D**-beta <= s * (1 + 1e-12)).mean()

    law, question = drawn(plan), formulate(scenario)
    found = robust_plan(scenario, law, probability)
    assert reaching(found.parameters, found.tokens) >= probability
    assert found.reached == reaching(found.parameters, found.tokens)
    assert reaching(found.parameters, found.tokens * 0.999) < probability
    best = math.inf
    steps = np.exp(np.linspace(-0.6, 0.6, 60))
    for N in found.parameters * steps:
        for D in found.tokens * steps:
            cost = cost_of(question, {"N": N, "D": D, "U": 1.0})
            if cost < best and reaching(N, D) >= probability:
                best = cost
    assert found.cost_total <= best < 1.03 * found.cost_total
    # With the constants of the law as published the plan is another.
    known = replace(law, R_D=np.full(200, 15.39), R_N=np.full(200, 5.31))
    other = robust_plan(scenario, known, probability)
    assert abs(math.log(other.cost_total / found.cost_total)) > 1e-3


def test_constants_without_draws_are_told_to_be_exact():
    found = uncertainty(read(REPEATED, stars=False), draws=2)
    assert not any("R_D" in name for name in found.varied)
    note = "How repeated data count is not drawn: the law has no draws of it."
    assert note in found.notes
    assert note not in uncertainty(read(stars=False), draws=2).notes
    assert note not in uncertainty(read(REPEATED), draws=2).notes


# Downstream error


def test_the_map_from_loss_to_error_is_drawn_with_the_law():
    """Each draw's target is the loss of the error under its own map; Gadre eq. 5."""
    plan = varied(failing(0.35), (), 300, 0)
    values = dict(
        zip((n.name for n in plan.numbers), plan.columns(0, 300).T, strict=True)
    )
    epsilon, k, gamma = (values[f"law.error.{s}"] for s in OWN)
    np.testing.assert_allclose(gamma, values["law.B"] / 410.7 * 0.7, rtol=1e-12)
    loss = np.log(k / (epsilon - 0.35)) / gamma
    law = drawn(plan)
    np.testing.assert_allclose(law.s, loss - values["law.E"], rtol=1e-9)
    # At or below E no model reaches it, and such draws are counted, not left out.
    found = uncertainty(failing(0.35), draws=300)
    assert found.unreachable == (loss <= values["law.E"] * (1 + 1e-7)).mean()
    assert 0.05 < found.unreachable < 0.6
    assert found.left_out == 0


def test_an_error_below_any_loss_is_out_of_reach():
    """ε − k is the error of no loss at all; then it is no question of the law."""
    scenario = failing(0.3)
    same = {"epsilon": (0.857,) * COUNT, "k": (0.5,) * COUNT, "gamma": (0.7,) * COUNT}
    law = replace(scenario.law, error=ErrorLaw(0.857, 2.2, 0.7, draws=same))
    found = rows(varied(replace(scenario, law=law), (), 50, 0), 0, 50)
    assert (found.status == STATUSES.index("infeasible")).all()


def test_a_map_without_draws_is_told_to_be_exact():
    scenario = failing(0.45)
    exact = replace(scenario.law, error=ErrorLaw(**OWN))
    found = uncertainty(replace(scenario, law=exact), draws=10)
    note = "The map from loss to error is not drawn: the law has no draws of it."
    assert note in found.notes
    assert note not in uncertainty(scenario, draws=10).notes
