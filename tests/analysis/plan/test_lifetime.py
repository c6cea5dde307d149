"""A training budget with a demand: what it ignores, and the loss worth its days."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.snap import snap
from optimizer.analysis.plan.wording import amount
from optimizer.analysis.story.case import Case, with_chances
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan as vary
from optimizer.report.charts.catalogue import chart_of, draw
from optimizer.report.formats.text import render
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.world.laws import load_law

LAW = load_law("besiroglu-2024-refit").coefficients
E, A, B, ALPHA, BETA = (LAW[x] for x in ("E", "A", "B", "alpha", "beta"))
COMPUTE, DEMAND = 1e23, 4e12
TEXT = """
law: besiroglu-2024-refit
budget: {training_compute: 1e23%s}
demand: {tokens: 4T}
"""
LOSS, LIFETIME = TEXT % "", TEXT % ", best_for: lifetime"


def loss(N, D):
    return E + A * N**-ALPHA + B * D**-BETA


def cheapest(target, size=None):
    """The least 6·N·D + 2·N·T at a loss by a fine grid, and N and D there."""
    N = np.geomspace(1e9, 3e11, 600_001) if size is None else np.array([size])
    rest = target - E - A * N**-ALPHA
    D = (B / np.where(rest > 0, rest, np.nan)) ** (1 / BETA)
    cost = 6 * N * D + 2 * N * DEMAND
    at = np.nanargmin(cost)
    return cost[at], N[at], D[at]


def still_free():
    """Where the budget's line 6·N·D = C has w = 1 + T/(3·D), by bisection in N."""

    def over(n):
        N = math.exp(n)
        D = COMPUTE / 6 / N
        w = ALPHA * A * N**-ALPHA / (BETA * B * D**-BETA)
        return w - 1 - DEMAND / (3 * D)

    N = math.exp(brentq(over, math.log(1e9), math.log(1e12), xtol=1e-14))
    return N, COMPUTE / 6 / N


@pytest.fixture(scope="module")
def chosen():
    return solve(read_scenario(LIFETIME, "s.yaml", ()))


def test_the_first_sentence_says_what_the_budget_ignores():
    found = solve(read_scenario(LOSS, "s.yaml", ()))
    assert headline(found).startswith(
        "Ignoring what it serves, the training compute budget of 1e23 FLOP buys a "
        "lowest loss of"
    )
    best = found.same_loss
    cost, N, D = cheapest(found.plan.loss)
    assert best.total == pytest.approx(cost, rel=1e-7)
    assert best.parameters == pytest.approx(N, rel=1e-3)
    assert best.saved == pytest.approx(1 - cost / found.cost.total, rel=1e-5)
    assert best.saved > 0.1
    assert best.needs == pytest.approx(6 * N * D, rel=1e-3)
    assert best.needs > COMPUTE
    assert loss(best.parameters, best.tokens) == pytest.approx(
        found.plan.loss, rel=1e-9
    )
    assert "The same loss is cheapest over the life with" in headline(found)


@pytest.mark.parametrize(
    "text",
    [
        LOSS.replace("4T", "0"),
        LOSS.replace("training_compute", "compute"),
        LOSS.replace("{tokens: 4T}", "{tokens: 4T, cost_share: 0 %}"),
    ],
    ids=["nothing served", "of the whole life", "at others' cost"],
)
def test_a_budget_that_ignores_nothing_does_not_say_so(text):
    found = solve(read_scenario(text, "s.yaml", ()))
    assert found.same_loss is None
    assert "Ignoring what it serves" not in headline(found)


def test_the_lowest_loss_at_which_the_plan_is_still_lifetime_optimal(chosen):
    """The point of the budget's line that is lifetime-optimal for its own loss."""
    N, D = still_free()
    assert chosen.plan.parameters == pytest.approx(N, rel=1e-6)
    assert chosen.plan.tokens == pytest.approx(D, rel=1e-6)
    assert chosen.plan.loss == pytest.approx(loss(N, D), rel=1e-9)
    assert passes(chosen.certificate)
    cost, _, _ = cheapest(chosen.plan.loss)
    assert chosen.cost.total == pytest.approx(cost, rel=1e-8)
    (limit,) = chosen.limits
    assert limit.name == "budget.training_compute"
    assert limit.value == pytest.approx(COMPUTE, rel=1e-7)
    assert limit.elasticity == pytest.approx(0, abs=1e-6)


def test_the_curve_has_the_choice_where_the_price_of_the_budget_begins(chosen):
    steps, at = chosen.capped.steps, chosen.capped.chosen
    assert 0 < at < len(steps) - 1
    assert [step.loss for step in steps] == sorted(step.loss for step in steps)
    assert [step.total for step in steps] == sorted(
        (step.total for step in steps), reverse=True
    )
    for place, step in enumerate(steps):
        assert passes(step.certificate)
        assert loss(step.parameters, step.tokens) == pytest.approx(step.loss, rel=1e-9)
        free, _, _ = cheapest(step.loss)
        assert step.total == pytest.approx(free * (1 + step.extra), rel=1e-6)
        if place < at:
            assert step.extra > 1e-4
            assert step.used == pytest.approx(1, rel=1e-9)
        else:
            assert step.extra < 1e-9
            assert step.used < 1 + 1e-9
    # Its low end is what the budget buys without regard to the life.
    lowest = solve(read_scenario(LOSS, "s.yaml", ()))
    assert steps[0].loss == pytest.approx(lowest.plan.loss, rel=1e-12)
    assert steps[0].total == pytest.approx(lowest.cost.total, rel=1e-9)
    # A little lower than the choice, and the life does not choose this any more.
    held = solve(
        read_scenario(
            LOSS.replace("budget: {training_compute: 1e23}", "target: {loss: 2}"),
            "s.yaml",
            (f"target.loss={chosen.plan.loss - 1e-4!r}",),
        )
    )
    assert held.amounts["FLOP"] is not None
    assert 6 * held.plan.parameters * held.plan.tokens > COMPUTE


def test_without_a_life_to_pay_for_both_questions_are_one():
    """As the demand goes to nothing the choice goes to the lowest loss."""
    scenario = LIFETIME.replace("4T", "1M")
    found = solve(read_scenario(scenario, "s.yaml", ()))
    lowest = solve(read_scenario(LOSS.replace("4T", "1M"), "s.yaml", ()))
    assert found.plan.parameters == pytest.approx(lowest.plan.parameters, rel=1e-4)
    assert found.capped.steps[0].total <= found.cost.total * (1 + 1e-6)


def test_other_limits_hold_throughout():
    found = solve(read_scenario(LIFETIME + "limits: {tokens: 1T}\n", "s.yaml", ()))
    assert found.plan.tokens <= 1e12 * (1 + 1e-9)
    walls = {limit.name: limit for limit in found.limits}
    assert walls["limits.tokens"].binding
    assert walls["budget.training_compute"].elasticity == pytest.approx(0, abs=1e-6)
    assert walls["budget.training_compute"].value == pytest.approx(COMPUTE, rel=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("training_compute", "compute"), "is for a budget of training_compute"),
        (("tokens: 4T", "tokens: 0"), "needs a demand to plan for"),
        (("demand:", "fix: {parameters: 7B}\ndemand:"), "leaves nothing to choose"),
        (("lifetime", "life"), "best_for"),
        (("training_compute: 1e23, ", ""), "needs"),
    ],
)
def test_what_cannot_be_asked_is_told(change, message):
    with pytest.raises(InputError) as caught:
        read_scenario(LIFETIME.replace(*change), "s.yaml", ())
    assert message in str(caught.value)


STANDING = """
law: besiroglu-2024-refit
objective: dollars
budget: {training_time: 30 days, best_for: lifetime}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 1024}
serving:
  {model: roofline, hardware: h100-sxm, precision: fp8, mfu: 50 %, mbu: 70 %,
   price: $2/h, context: 2000, idle_paid: true, peak_to_mean: 3}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
demand: {requests: 300k/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
"""


def test_the_curve_of_machines_that_stand_has_the_plan_on_it():
    """Its steps had fractions of replicas, and the marked one another cost."""
    found = solve(read_scenario(STANDING, "s.yaml", ()))
    assert found.relaxed is not None
    step = found.capped.steps[found.capped.chosen]
    assert step.total == pytest.approx(found.cost.total, rel=1e-9)
    assert step.parameters == pytest.approx(found.plan.parameters, rel=1e-9)
    assert all(passes(step.certificate) for step in found.capped.steps)
    extra = [step.extra for step in found.capped.steps]
    assert extra[0] > extra[1] > 0


def test_the_page_speaks_of_cost_where_cost_is_minimised(chosen):
    """Limits and ranges were said to be of the loss, in nats per byte."""
    found = solve(read_scenario(STANDING, "s.yaml", ()))
    page = render(answer_blocks(found))
    assert "nats per GB" not in page
    assert "more reducible loss" not in page
    assert "takes at most that much more lifetime cost" in page
    assert "What moves lifetime compute at this loss" in render(answer_blocks(chosen))
    memory = next(w for w in found.limits if w.name == "serving.memory")
    assert memory.binding
    price = amount(1e9 * memory.shadow_price, "USD").replace("-", "−", 1)
    assert f"{price} per GB" in page


@pytest.mark.parametrize(
    "asks",
    [
        lambda one: uncertainty(one, draws=10),
        lambda one: vary(one, ["demand.tokens=1T,2T"]),
        frontier,
        lambda one: snap(one, [("7B", 7e9)]),
    ],
    ids=["uncertainty", "sweep", "frontier", "snap"],
)
def test_python_refuses_what_the_command_line_does(asks):
    """From Python each draw or row was answered, for the budget's lowest loss."""
    with pytest.raises(InputError, match="does not choose the loss anew"):
        asks(read_scenario(LIFETIME, "s.yaml", ()))


def test_a_report_has_the_frontier_around_the_loss_that_is_chosen(chosen):
    """It was drawn around the budget's lowest loss, where the plan is not."""
    scenario = read_scenario(LIFETIME, "s.yaml", ())
    known = with_chances(Case(scenario, chosen, ()))
    assert known.uncertainty is None
    plan = known.frontier.frontier.plan
    assert plan.loss == pytest.approx(chosen.plan.loss, rel=1e-9)
    assert plan.parameters == pytest.approx(chosen.plan.parameters, rel=1e-6)


def test_the_curve_is_drawn_with_the_choice_marked(chosen):
    """It was a table alone."""
    scenario = read_scenario(LIFETIME, "s.yaml", ())
    drawn = chart_of("capped", Case(scenario, chosen, ()))
    steps, at = chosen.capped.steps, chosen.capped.chosen
    assert f"the plan's {steps[at].loss:.4f} takes" in drawn.alternative
    picture = draw(drawn)
    values, (mark,) = picture["datasets"].values()
    under = [row for row in values if row["what"] == "least cost under the budget"]
    assert [row["cost"] for row in under] == [
        pytest.approx(step.total, rel=1e-4) for step in steps
    ]
    free = [row["cost"] for row in values if row not in under]
    assert all(a <= b["cost"] for a, b in zip(free, under, strict=True))
    assert mark["loss"] == pytest.approx(chosen.plan.loss, rel=1e-4)
    assert chart_of("capped", Case(scenario, solve(read_scenario(LOSS)), ())) is None
