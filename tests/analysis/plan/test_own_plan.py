"""A plan of one's own beside the optimum of its loss, against a grid."""

from pathlib import Path

import numpy as np
import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.audit import audit
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.commands.condition import read_conditions
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.law_draws import drawn
from optimizer.question.load import read_scenario
from optimizer.question.portfolio_file import read_portfolio
from optimizer.question.vary import plan
from optimizer.reading.document import load_text
from optimizer.report.formats.data import plan as as_plan
from optimizer.world.laws import load_law

LAW = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}


def read(text, *sets):
    return read_scenario(text, "s.yaml", sets)


def loss(c, N, D):
    return c["A"] * N ** -c["alpha"] + c["B"] * D ** -c["beta"]


@pytest.mark.parametrize("seed", range(30))
def test_random_plans_against_a_grid(seed):
    """What is extra is that over the least of a zoomed grid along the same loss."""
    random = np.random.default_rng(seed)
    c = LAW | {
        "alpha": random.uniform(0.25, 0.5),
        "beta": random.uniform(0.25, 0.5),
        "A": random.uniform(100, 1000),
        "B": random.uniform(100, 1000),
    }
    N, D = 10 ** random.uniform(8.5, 10.5), 10 ** random.uniform(10.5, 13)
    T = 10 ** random.uniform(10, 14)
    words = ", ".join(f"{k}: {v!r}" for k, v in c.items())
    found = solve(
        read(
            f"law: {{{words}}}\nplan: {{parameters: {N!r}, tokens: {D!r}}}\n"
            f"demand: {{tokens: {T!r}}}"
        )
    )
    s = loss(c, N, D)
    sizes = np.geomspace(N / 1e3, N * 1e3, 20_001)
    for _ in range(3):
        rest = s - c["A"] * sizes ** -c["alpha"]
        with np.errstate(all="ignore"):
            tokens = np.where(rest > 0, (c["B"] / rest) ** (1 / c["beta"]), np.inf)
        cost = 6 * sizes * tokens + 2 * sizes * T
        best = int(np.argmin(cost))
        sizes = np.geomspace(sizes[max(best - 2, 0)], sizes[best + 2], 20_001)
    mine = 6 * N * D + 2 * N * T
    assert found.own.cost.total == pytest.approx(mine, rel=1e-12)
    assert found.own.fraction == pytest.approx(mine / cost.min() - 1, abs=1e-8)
    assert found.plan.loss == pytest.approx(c["E"] + s, rel=1e-12)
    assert passes(found.certificate)
    implied = 3 * D * (c["alpha"] * c["A"] * N ** -c["alpha"])
    implied = implied / (c["beta"] * c["B"] * D ** -c["beta"]) - 3 * D
    if found.own.implied_demand is not None:
        assert found.own.implied_demand == pytest.approx(implied, rel=1e-5)


TEXT = """\
law: besiroglu-2024-refit
plan: {parameters: 8B, tokens: 15T}
demand: {tokens: 2T}
"""


def test_the_optimum_is_that_of_a_model_as_trained():
    """The same numbers through another door: target.match with tokens."""
    found = solve(read(TEXT))
    same = solve(
        read(TEXT.replace("plan: {", "target: {match: {").replace("T}\nd", "T}}\nd"))
    )
    assert found.plan == same.plan
    assert found.cost == same.cost
    one = audit("x", 8e9, 15e12, load_law("besiroglu-2024-refit"))
    assert found.own.plan.loss == pytest.approx(one.loss, rel=1e-14)
    assert found.own.overtraining == pytest.approx(one.overtraining, rel=1e-12)


def test_a_plan_that_is_the_optimum_costs_nothing_more():
    best = solve(read(TEXT)).plan
    again = solve(
        read(
            TEXT,
            f"plan.parameters={best.parameters!r}",
            f"plan.tokens={best.tokens!r}",
        )
    )
    assert again.own.fraction == pytest.approx(0, abs=1e-12)
    assert again.own.implied_demand == pytest.approx(2e12, rel=1e-6)


def test_a_limit_that_it_breaks_is_told_and_hides_nothing():
    found = solve(read(TEXT, "limits.tokens=1T"))
    (broken,) = found.own.breaks
    assert (broken.name, broken.bound, broken.value) == ("limits.tokens", 1e12, 15e12)
    assert found.status is Status.OPTIMAL
    assert found.plan.tokens == pytest.approx(1e12)
    none = solve(read(TEXT, "limits.training_compute=1e23"))
    assert none.status is Status.INFEASIBLE
    assert none.own.cost.total == pytest.approx(6 * 8e9 * 15e12 + 2 * 8e9 * 2e12)
    assert none.own.extra is None


def test_a_target_beside_it_is_missed_or_reached():
    assert solve(read(TEXT, "target.loss=2.0")).own.misses
    assert not solve(read(TEXT, "target.loss=2.1")).own.misses


def test_repeated_data_count_in_its_loss():
    """D' = U + U·R*·(1 − exp(−(D/U − 1)/R*)) of Muennighoff et al. 2023, N' = N below
    N_opt(U)."""
    unique = 2e12
    found = solve(read(TEXT, f"data.unique_tokens={unique}", "plan.parameters=1B"))
    law = load_law("besiroglu-2024-refit").coefficients
    star = load_law("muennighoff-2023").extras["R_D_star"]
    worth = unique * (1 + star * (1 - np.exp(-(15e12 / unique - 1) / star)))
    assert found.own.plan.loss == pytest.approx(law["E"] + loss(law, 1e9, worth))
    assert found.target_loss == pytest.approx(found.own.plan.loss, rel=1e-12)


@pytest.mark.parametrize("unique", ["", "data: {unique_tokens: 4T}\n"])
def test_a_sweep_moves_the_plan_with_its_loss(unique):
    text = TEXT + unique
    swept = plan(read(text), ["plan.tokens=1T:20T:log:5"])
    found = rows(swept, 0, 5)
    names = list(RESULTS)
    for values, results in zip(found.inputs, found.results, strict=True):
        one = solve(read(text, f"plan.tokens={float(values[0])!r}"), whole=False)
        assert results[names.index("parameters")] == pytest.approx(
            one.plan.parameters, rel=1e-6
        )
        assert results[names.index("loss")] == pytest.approx(one.plan.loss, rel=1e-9)


def test_its_numbers_are_sensitivities():
    """By a difference of two solves."""
    found = solve(read(TEXT))
    step = 1e-5
    for word, at in (("parameters", 8e9), ("tokens", 15e12)):
        low, high = (
            solve(
                read(TEXT, f"plan.{word}={float(at * np.exp(h))!r}"), whole=False
            ).cost.total
            for h in (-step, step)
        )
        (move,) = (m for m in found.sensitivities if m.input == f"plan.{word}")
        assert move.elasticity == pytest.approx(np.log(high / low) / step / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("budget: {compute: 1e24}", "plan: cannot stand beside budget"),
        ("fix: {tokens: 1T}", "plan: cannot stand beside fix"),
    ],
)
def test_what_cannot_stand_beside_it(line, said):
    with pytest.raises(InputError, match=said):
        read(TEXT + line + "\n")


@pytest.mark.parametrize("unique", ["", "data: {unique_tokens: 2T}\n"])
def test_its_loss_is_drawn_with_the_law(unique):
    """Its loss moves with the law, so that it reaches itself in every draw."""
    found = drawn(plan(read(TEXT + unique), [], sample=300))
    assert found.reached(8e9, 15e12) == 1.0
    assert found.reached(8e9, 14.9e12) == 0.0


def test_what_it_fails_is_a_warning_and_a_gate():
    found = solve(read(TEXT, "limits.tokens=1T"))
    (told,) = (w for w in found.warnings if w.code == "own-plan")
    assert told.message == "your plan takes 15T where limits.tokens allows 1T"
    (gate,) = read_conditions(("own.fraction > 0.5",))
    assert gate.holds(as_plan(found))


@pytest.mark.parametrize(
    ("law", "change", "between", "reaching"),
    [
        ("ludziejewski-2025", "experts=[1, 8]", 1.96, "8"),
        ("besiroglu-2024-refit", "training.precision=[mxfp4, bf16]", 2.03, "bf16"),
    ],
)
def test_choices_that_give_it_another_loss_are_refused(law, change, between, reaching):
    """Each would be compared at a loss of its own, and the worst would win."""
    with pytest.raises(InputError, match="plan: has another loss with each choice"):
        read(TEXT, f"law={law}", change)
    found = solve(read(TEXT, f"law={law}", change, f"target.loss={between}"))
    assert list(found.own.choice.values()) == [reaching]
    assert not found.own.misses


def test_a_portfolio_prices_it_beside_the_joint_plan():
    text = (
        "law: besiroglu-2024-refit\nmodels:\n"
        "  - {name: a, plan: {parameters: 8B, tokens: 1T}, demand: {tokens: 2T}}\n"
        "  - {name: b, target: {match: {parameters: 3B}}, demand: {tokens: 2T}}\n"
        "shared: {training_compute: 3e23}\n"
    )
    joint = solve_portfolio(read_portfolio(load_text(text, "p.yaml"), Path()))
    assert joint.status is Status.OPTIMAL
    assert joint.members[0].own.plan.tokens == 1e12
    assert joint.members[1].own is None
