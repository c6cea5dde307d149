"""Coupled laws across everything: L = E + (A·N^-α + B·D^-β)^k.

To be as good as a reference is to have its sum A·N^-α + B·D^-β, whatever E and k are.
So under a coupled law and under the additive one of the same A, B and exponents with
E = 0 each plan, cost and range must be the same, to the last digits; only losses
differ. What is not about a reference is held against brute force.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from optimizer import load_law
from optimizer.analysis.audit import audit
from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.snap import snap
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.story.explorer import explore
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.question.load import read_scenario
from optimizer.question.portfolio_file import read_portfolio
from optimizer.question.vary import plan as planned
from optimizer.reading.document import load_text

SUM = "A: 27042.2567, B: 6385.78394, alpha: 0.511193165, beta: 0.372783171"
COUPLED = f"{{E: 1.07431312, {SUM}, k: 0.40062082}}"
ADDITIVE = f"{{E: 0, {SUM}}}"
BASE = "law: LAW\ntarget: {match: {parameters: 13B}}\n"
DEMAND = "demand: {tokens: 2T}\n"
SPLIT = (
    "demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, "
    "lifetime: 2 years}\n"
)
DOLLARS = (
    "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 40 %, price: $2/h, "
    "accelerators: 1024}\n"
)
SERVING = "serving: {hardware: h100-sxm, mfu: 50 %, price: $3/h, MORE}\n"
SHAPE = "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n"


def machine(more):
    return BASE + SPLIT + DOLLARS + SERVING.replace("MORE", more) + SHAPE


TEXTS = {
    "plain": BASE + DEMAND,
    "limits": BASE + DEMAND + "limits: {parameters: 6B, training_compute: 5e23}\n",
    "fixed": BASE + DEMAND + "fix: {parameters: 7B}\n",
    "streams": BASE + "demand:\n  - {name: chat, tokens: 1T, cost_share: 50 %}\n"
    "  - {name: code, tokens: 3T}\n",
    "repetition": BASE
    + DEMAND
    + "data: {unique_tokens: 200B, price: $1 per million}\n"
    + DOLLARS
    + "serving: {hardware: h100-sxm, mfu: 50 %, price: $3/h}\n",
    "roofline": machine("model: roofline, mbu: 60 %"),
    "standing": machine("model: roofline, mbu: 60 %, idle_paid: true"),
    "measured": machine("model: measured").replace("mfu: 50 %, price: $3", "price: $3"),
    "choices": machine("model: roofline, mbu: 60 %, precision: [bf16, fp8]"),
    "quantities": machine(
        "model: roofline, mbu: 60 %, max_time_per_output_token: 9 ms"
    ),
}


def both(text, *changes):
    return [
        read_scenario(text.replace("LAW", law), "scenario.yaml", changes)
        for law in (COUPLED, ADDITIVE)
    ]


def close(one, other, rel=1e-9):
    assert one == pytest.approx(other, rel=rel)


@pytest.mark.parametrize("name", TEXTS)
def test_plan_costs_and_ranges_are_those_of_the_sum(name):
    coupled, additive = map(solve, both(TEXTS[name]))
    assert (coupled.plan is None) == (additive.plan is None)
    for word in ("parameters", "tokens"):
        close(getattr(coupled.plan, word), getattr(additive.plan, word))
        optimal = coupled.training_optimal, additive.training_optimal
        close(*(getattr(one, word) for one in optimal))
    close(coupled.cost.total, additive.cost.total)
    close(coupled.savings.fraction, additive.savings.fraction)
    for word in ("floor", "size", "training_overhead"):
        close(*(getattr(one.critical, word) for one in (coupled, additive)))
    for near, same in zip(coupled.near_optimal, additive.near_optimal, strict=True):
        close(near.parameters, same.parameters, 1e-6)
    moves = {m.input: m.elasticity for m in additive.sensitivities}
    for move in coupled.sensitivities:
        if not move.input.startswith("law.") and move.elasticity is not None:
            assert move.elasticity == pytest.approx(moves[move.input], abs=1e-7)
    assert coupled.choice == additive.choice
    # The losses differ, and are those of the law.
    s = additive.plan.loss
    close(coupled.plan.loss, 1.07431312 + s**0.40062082)
    if coupled.fixed is not None:
        close(coupled.fixed.implied_demand, additive.fixed.implied_demand, 1e-7)
    for limit, same in zip(coupled.limits, additive.limits, strict=True):
        assert limit.elasticity == pytest.approx(same.elasticity, abs=1e-7)


def test_a_budget_buys_the_sum():
    text = "law: LAW\nbudget: {compute: 1e24}\n" + DEMAND
    coupled, additive = map(solve, both(text))
    close(coupled.plan.parameters, additive.plan.parameters, 1e-6)
    close(coupled.plan.loss, 1.07431312 + additive.plan.loss**0.40062082)


BOUGHT = (
    "law: LAW\nbudget: {compute: 1e24}\nlimits: {parameters: 20B}\n" + DEMAND,
    "law: kaplan-2020\nbudget: {training_compute: 3e23}\nfix: {parameters: 5B}\n"
    + DEMAND,
)


@pytest.mark.parametrize("text", BOUGHT)
def test_what_a_budget_buys_moves_as_reducible_loss_does(text):
    """Elasticities, ranges and prices in nats were those of the sum under a power."""
    text = text.replace("LAW", COUPLED)

    def loss(*changes):
        found = solve(read_scenario(text, "s.yaml", changes), whole=False)
        return found.plan.loss, found.plan.loss - found.law.E

    answer = solve(read_scenario(text, "s.yaml"))
    whole, reducible = answer.plan.loss, answer.plan.loss - answer.law.E
    assert answer.law.outer < 0.5
    for move in answer.sensitivities:
        if not move.value or move.elasticity is None:
            continue
        ends = [loss(f"{move.input}={move.value * x!r}")[1] for x in (1.0001, 0.9999)]
        slope = math.log(ends[0] / ends[1]) / math.log(1.0001 / 0.9999)
        assert move.elasticity == pytest.approx(slope, rel=1e-4, abs=1e-7), move.input
    for wall in answer.limits:
        ends = [loss(f"{wall.name}={wall.bound * x!r}")[0] for x in (1.0001, 0.9999)]
        price = (ends[0] - ends[1]) / (2e-4 * wall.bound)
        assert wall.shadow_price == pytest.approx(price, rel=1e-4), wall.name
    free = whole if answer.fixed is None else answer.fixed.optimum.loss
    for near in answer.near_optimal:
        for size in near.parameters:
            if size == pytest.approx(20e9):
                continue  # the limit ends the range
            got = loss(f"fix.parameters={size!r}")[1]
            assert got / (free - answer.law.E) == pytest.approx(1 + near.within)
    if answer.fixed is not None:
        fraction = reducible / (free - answer.law.E) - 1
        assert answer.fixed.fraction == pytest.approx(fraction, rel=1e-6)
        sizes = snap(read_scenario(text, "s.yaml"), [("5B", 5e9)]).sizes
        assert sizes[0].fraction == pytest.approx(fraction, rel=1e-6)


def test_rows_of_a_sweep():
    plans = [
        planned(s, ("demand.tokens=1e11:1e14:log:7",)) for s in both(BASE + DEMAND)
    ]
    coupled, additive = (rows(plan, 0, 7).results for plan in plans)
    for word in ("parameters", "tokens", "cost_total", "saving"):
        place = list(RESULTS).index(word)
        np.testing.assert_allclose(coupled[:, place], additive[:, place], rtol=1e-9)


def test_points_of_frontiers():
    """With spans of one sum the points are the same models."""
    k = 0.40062082
    coupled, additive = (
        frontier(s, points=5, span=1.2**power)
        for s, power in zip(both(BASE + DEMAND), (k, 1), strict=True)
    )
    assert coupled.points[0].loss - 1.07431312 == pytest.approx(
        1.2**k * (coupled.plan.loss - 1.07431312)
    )
    for one, same in zip(coupled.points, additive.points, strict=True):
        close(one.parameters, same.parameters, 1e-8)
        close(one.cost_total, same.cost_total)
        close(one.loss, 1.07431312 + same.loss**0.40062082)
        close(one.elasticity * k, same.elasticity)
    for one, same in zip(coupled.tradeoff, additive.tradeoff, strict=True):
        close(one.cost_total, same.cost_total)


def test_plans_of_a_portfolio():
    models = "".join(
        f"  - name: {name}\n    law: LAW\n"
        f"    target: {{match: {{parameters: {size}}}}}\n"
        f"    demand: {{tokens: {tokens}}}\n"
        for name, size, tokens in (("edge", "3B", "10T"), ("cloud", "30B", "1T"))
    )
    text = f"objective: compute\nmodels:\n{models}shared: {{training_compute: 1e24}}\n"
    coupled, additive = (
        solve_portfolio(
            read_portfolio(load_text(text.replace("LAW", law), "p.yaml"), Path())
        )
        for law in (COUPLED, ADDITIVE)
    )
    assert len(coupled.members) == 2
    for one, same in zip(coupled.members, additive.members, strict=True):
        close(one.plan.parameters, same.plan.parameters, 1e-8)
        close(one.cost.total, same.cost.total, 1e-8)


def test_regret_and_the_plan_for_all_futures():
    coupled, additive = (
        compare(list(pair))
        for pair in zip(
            *(both(BASE + DEMAND, f"demand.tokens={t}") for t in ("1T", "10T")),
            strict=True,
        )
    )
    for one, same in zip(coupled.regret.table, additive.regret.table, strict=True):
        assert one == pytest.approx(same, rel=1e-7)
    close(coupled.robust.minimax.value, additive.robust.minimax.value, 1e-7)


def test_draws_and_the_robust_plan():
    """Draws of A and alpha move the sum alike, from the same generator."""
    more = ", covariance: {order: [ln_A, alpha], matrix: [[.0004, 0], [0, 1e-6]]}}"
    found = []
    for law in (COUPLED, ADDITIVE):
        text = BASE.replace("LAW", law[:-1] + more)
        text += "demand: {tokens: {low: 1T, expected: 2T, high: 4T}}\n"
        found.append(uncertainty(read_scenario(text), draws=60))
    coupled, additive = found
    for word in ("parameters", "tokens", "cost_total"):
        close(coupled.intervals[word].p95, additive.intervals[word].p95, 1e-7)
    close(coupled.robust.parameters, additive.robust.parameters, 1e-5)
    close(coupled.robust.reached, additive.robust.reached)


def test_an_audit_and_the_sliders():
    one, other = both(BASE + DEMAND)
    told, same = (audit("mine", 2e9, 4e12, each.law) for each in (one, other))
    for word in ("w", "overhead", "k_N", "k_D", "overtraining"):
        close(getattr(told, word), getattr(same, word))
    close(told.critical.size, same.critical.size)
    close(told.loss, 1.07431312 + same.loss**0.40062082)
    first, second = explore(one, solve(one)), explore(other, solve(other))
    for row, same in zip(first.points, second.points, strict=True):
        for here, there in zip(row, same, strict=True):
            close(here.cost_total, there.cost_total)


def test_a_loss_that_is_given():
    """A loss, not a reference: brute force over sizes."""
    for name in ("gemstones-2025-coupled", "sardana-2024-all-coupled"):
        c = load_law(name).coefficients
        target = load_law(name).surface().loss(9e9, 1e12)
        answer = solve(
            read_scenario(f"law: {name}\ntarget: {{loss: {target!r}}}\n" + DEMAND),
            whole=False,
        )
        s = (target - c["E"]) ** (1 / c["k"])
        N = np.exp(np.linspace(math.log(2e9), math.log(9e10), 200_001))
        rest = s - c["A"] * N ** -c["alpha"]
        N, rest = N[rest > 0], rest[rest > 0]
        D = (c["B"] / rest) ** (1 / c["beta"])
        assert answer.cost.total == pytest.approx(
            (6 * N * D + 4e12 * N).min(), rel=1e-8
        )
