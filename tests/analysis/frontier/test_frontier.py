"""Frontiers against single solves, against random models, and at their ends."""

import itertools

import numpy as np
import pytest

from optimizer.analysis.comparison.regret import cost_of, missing
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.wording import more
from optimizer.engine.certify import passes
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from optimizer.report.formats.text import render
from optimizer.report.pages.frontier import frontier_blocks, frontier_headline
from optimizer.world.laws import load_law

PLAIN = """
law: besiroglu-2024-refit
target: {loss: 2.0}
demand: {tokens: 1e13}
"""
DOLLARS = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving:
  {model: roofline, hardware: h100-sxm, mfu: 40 %, mbu: 70 %, price: $2/h}
data: {price: $1 per million tokens}
costs: {fixed: $100k}
"""
REPEATED = PLAIN + "data: {unique_tokens: 2T}\n"
TEXTS = {"plain": PLAIN, "dollars": DOLLARS, "repeated": REPEATED}


@pytest.fixture(scope="module", params=TEXTS)
def case(request):
    text = TEXTS[request.param]
    return text, frontier(read_scenario(text), points=9, span=1.5)


def test_the_scenarios_own_point_is_its_plan(case, ask):
    text, found = case
    answer = ask(text)
    assert found.own == 4
    assert found.plan.cost_total == pytest.approx(answer.cost.total, rel=1e-9)
    assert found.plan.parameters == pytest.approx(answer.plan.parameters, rel=1e-6)
    inference = pytest.approx(answer.cost.inference, rel=1e-6)
    assert found.plan.cost_inference == inference


def test_each_point_is_what_solve_finds_for_its_loss(case, ask):
    text, found = case
    for point in (found.points[0], found.points[-1]):
        answer = ask(text, f"target.loss={point.loss!r}")
        assert point.cost_total == pytest.approx(answer.cost.total, rel=1e-8)
        assert point.parameters == pytest.approx(answer.plan.parameters, rel=1e-6)
        assert point.tokens == pytest.approx(answer.plan.tokens, rel=1e-6)


def test_every_point_is_certified_and_none_is_better_than_another(case):
    _, found = case
    for point in (*found.points, *found.tradeoff):
        assert passes(point.certificate)
    for one, other in itertools.pairwise(found.points):
        assert other.loss < one.loss
        assert other.cost_total > one.cost_total
    for one, other in itertools.pairwise(found.tradeoff):
        assert other.cost_inference < one.cost_inference
        rest = [p.cost_total - p.cost_inference for p in (one, other)]
        assert rest[1] > rest[0]


def test_the_elasticity_lies_between_the_chords(case):
    """Ln of the least cost is convex in ln s: slopes lie between those of chords."""
    text, found = case
    E = read_scenario(text).law.coefficients["E"]
    logs = np.log([(p.loss - E, p.cost_total) for p in found.points])
    steps = np.diff(logs, axis=0)
    chords = steps[:, 1] / steps[:, 0]
    slopes = [p.elasticity for p in found.points]
    for right, slope, left in zip(chords, slopes[1:], chords[1:], strict=False):
        assert left < slope < right
        assert right - left < 1


def test_no_random_model_is_better_than_the_frontier():
    """Any model is no cheaper than the frontier is at the model's own loss."""
    found = frontier(read_scenario(PLAIN), points=41)
    question = formulate(read_scenario(PLAIN))
    s = np.array([p.loss for p in found.points])[::-1] - question.surface.E
    cost = np.array([p.cost_total for p in found.points])[::-1]
    rng = np.random.default_rng(5)
    near = 0
    for n, d in rng.uniform((21, 27.5), (27, 30.5), (3000, 2)):
        size = {"N": np.exp(n), "D": np.exp(d)}
        own = question.reducible_at(size)
        if s[0] < own < s[-1]:
            # Linear interpolation of a convex function errs upwards, by 1e-4 here.
            least = np.exp(np.interp(np.log(own), np.log(s), np.log(cost)))
            assert cost_of(question, size) > least * (1 - 1e-3)
            near += cost_of(question, size) < least * 1.01
    assert near > 5


def test_a_weight_is_a_multiple_of_the_demand(ask):
    found = frontier(read_scenario(PLAIN), points=5)
    assert [p.weight for p in found.tradeoff] == [0.01, 0.1, 1, 10, 100]
    for weight, point in zip(("1e12", "1e14"), found.tradeoff[1::2], strict=True):
        plan = ask(PLAIN, f"demand.tokens={weight}").plan
        assert point.parameters == pytest.approx(plan.parameters, rel=1e-6)
        assert point.tokens == pytest.approx(plan.tokens, rel=1e-6)
        assert point.loss == pytest.approx(2, abs=1e-12)


def test_a_budget_has_its_frontier_around_the_loss_that_it_buys(ask):
    budget = PLAIN.replace("target: {loss: 2.0}", "budget: {compute: 1e24}")
    found = frontier(read_scenario(budget), points=5, span=1.3)
    plan = ask(budget).plan
    assert found.plan.loss == pytest.approx(plan.loss, rel=1e-9)
    assert found.plan.cost_total == pytest.approx(1e24, rel=1e-7)
    assert found.points[-1].cost_total > 2e24  # the budget itself is no limit here


def test_limits_hold_and_end_the_frontier_where_it_ends():
    """A·15e9^-α of the law is 0.1386, so that no loss below E + that is reached."""
    scenario = read_scenario(PLAIN + "limits: {parameters: 15B}\n")
    found = frontier(scenario, points=41)
    question = formulate(scenario)
    law = scenario.law.coefficients
    wall = law["E"] + law["A"] * 15e9 ** -law["alpha"]
    missed = scenario.law.coefficients["E"] + question.reducible / 2 ** (
        len(found.points[21:]) / 20 + 1 / 20
    )
    assert missed < wall
    assert found.reason == (
        f"no plan within the limits reaches {missed:.4f} nats, the next point"
    )
    assert wall < found.points[-1].loss < wall + 0.01
    assert len(found.points) < 41
    for point in found.points:
        assert point.parameters <= 15e9 * (1 + 1e-9)
        size = question.complete({"N": point.parameters, "D": point.tokens})
        assert "breaks" not in missing(question, size)


def test_few_points_do_not_tell_that_no_lower_loss_is_within_reach():
    """Of three points the last is missing, and the losses before it are not."""
    scenario = read_scenario(PLAIN + "limits: {parameters: 15B}\n")
    found = frontier(scenario, points=3)
    assert len(found.points) == 2
    between = frontier(scenario, points=41).points[-1].loss
    assert between < found.points[-1].loss - 0.01
    missed = float(found.reason.split()[6])
    assert missed < between
    assert found.reason.endswith("nats, the next point")


def test_points_beyond_the_runs_of_the_law_are_told(root):
    scenario = load_scenario(root / "scenarios" / "on-device.yaml")
    found = frontier(scenario, points=5)
    codes = [warning.code for warning in found.warnings]
    assert codes == [
        *("outside-range", "beyond-36T", "community-unpaid", "quantization-free"),
    ]
    most = max(p.tokens_per_parameter for p in found.points)
    past = most / scenario.law.range.tokens_per_parameter[1]
    assert f"is {float(f'{past:.2g}'):g} × the most, 341" in found.warnings[0].message
    page = render(frontier_blocks(found), 80)
    assert page.index("Warnings") < page.index("Loss against")
    assert "Of what is served nothing counts, so training and serving" in page
    assert "Nothing is served" not in page


def test_a_scenario_without_a_plan_still_has_the_frontier_above_it():
    text = PLAIN + "limits: {tokens: 1T, parameters: 15B}\n"
    found = frontier(read_scenario(text), points=41)
    assert found.own is None
    assert found.plan is None
    assert not found.tradeoff
    assert found.reason.startswith("no model meets the target of 2.0000 nats")
    assert min(p.loss for p in found.points) > 2.041  # the lowest, as `solve` says


def test_a_target_below_the_irreducible_loss_has_no_frontier():
    found = frontier(read_scenario(PLAIN.replace("2.0", "1.8")))
    assert found.points == found.tradeoff == ()
    assert "at or below the irreducible loss" in found.reason


def test_without_demand_there_is_no_tradeoff():
    found = frontier(read_scenario(PLAIN.replace("1e13", "0")), points=3)
    assert not found.tradeoff
    c = read_scenario(PLAIN).law.coefficients
    gamma = c["alpha"] * c["beta"] / (c["alpha"] + c["beta"])
    for point in found.points:
        assert point.elasticity == pytest.approx(-1 / gamma, rel=1e-9)


def test_a_decided_size_stays():
    found = frontier(read_scenario(PLAIN + "fix: {parameters: 30B}\n"), points=5)
    assert {round(p.parameters) for p in found.points} == {30_000_000_000}


def test_each_point_takes_the_best_of_the_lists(ask):
    """A chip for little and one for much demand: the choice changes along the way."""
    text = DOLLARS.replace("hardware: h100-sxm, mfu: 40 %, mbu", "HERE, mbu")
    text = text.replace("HERE", "hardware: h100-sxm, mfu: 40 %, precision: [bf16, fp8]")
    found = frontier(read_scenario(text), points=3, span=1.2)
    for point in found.points:
        costs = [
            ask(
                text, f"serving.precision={p}", f"target.loss={point.loss!r}"
            ).cost.total
            for p in ("bf16", "fp8")
        ]
        assert point.cost_total == pytest.approx(min(costs), rel=1e-8)
        assert point.choice == {"serving.precision": "fp8"}


def test_replicas_that_stand_are_whole_along_the_loss(ask):
    """The plan of a frontier cost less than that of `solve`, in fractions, silently."""
    stands = DOLLARS.replace(
        "price: $2/h}\ndata", "price: $2/h, idle_paid: true}\ndata"
    )
    stands = stands.replace("5M/day", "100k/day")
    found = frontier(read_scenario(stands), points=5, span=1.2)
    for point in found.points:
        answer = ask(stands, f"target.loss={point.loss!r}")
        assert answer.relaxed.total < 0.999 * answer.cost.total
        assert point.cost_total == pytest.approx(answer.cost.total, rel=1e-9)
        assert passes(point.certificate)
    (note,) = found.notes
    assert "fractions" in note
    assert not frontier(read_scenario(PLAIN), points=3).notes


def test_rows_on_a_bound_have_the_bound(ask):
    """They had 4999999999.999992 parameters under a limit of 5B."""
    limited = PLAIN + "limits: {parameters: 30B}\n"
    found = frontier(read_scenario(limited), points=9)
    held = [p for p in found.points if p.parameters > 0.999 * 30e9]
    assert len(held) > 1
    assert {p.parameters for p in held} == {30e9}


def test_a_budget_that_a_limit_stops_has_its_own_plan(ask):
    """`There is no plan for the scenario's own loss`, and `solve` had one."""
    text = PLAIN.replace("target: {loss: 2.0}", "budget: {compute: 1e23}")
    text += "limits: {training_compute: 3e22}\n"
    found = frontier(read_scenario(text.replace("1e13", "2e12")), points=5, span=1.3)
    plan = ask(text, "demand.tokens=2T").plan
    assert found.own == len(found.points) - 1
    assert found.plan.parameters == pytest.approx(plan.parameters, rel=1e-3)
    assert found.plan.loss == pytest.approx(plan.loss, rel=1e-8)
    assert passes(found.plan.certificate)
    assert found.further is None
    told = frontier_headline(found)
    none = "No plan within the limits has 1 % less reducible loss: "
    assert told.startswith(f"{none}{plan.loss:.4f}")


def test_the_next_per_cent_of_loss_costs_what_a_plan_of_it_does(ask):
    """By its slope it was 21 times the cost, where no plan has it at all."""
    held = PLAIN + "limits: {parameters: 10B}\n"
    found = frontier(read_scenario(held), points=3)
    E = load_law(read_scenario(held).law.name).coefficients["E"]
    lower = E + 0.99 * (found.plan.loss - E)
    assert found.further == pytest.approx(
        ask(held, f"target.loss={lower!r}").cost.total, rel=1e-9
    )
    dearer = found.further / found.plan.cost_total
    # ln of the least cost is convex in ln of the reducible loss.
    assert dearer > 0.99**found.plan.elasticity
    assert more(dearer - 1, " lifetime compute") in frontier_headline(found)


def test_other_forms_of_law_have_frontiers():
    """Kaplan's loss is a power of a sum; the span is of the loss."""
    text = "{law: kaplan-2020, target: {loss: 2.5}, demand: {tokens: 1e12}}"
    found = frontier(read_scenario(text), points=5, span=1.1)
    assert found.plan.loss == pytest.approx(2.5, rel=1e-12)
    ends = found.points[0].loss, found.points[-1].loss
    assert ends == pytest.approx((2.5 * 1.1, 2.5 / 1.1), rel=1e-12)
    again = solve(read_scenario(text, overrides=[f"target.loss={ends[1]!r}"]))
    assert found.points[-1].cost_total == pytest.approx(again.cost.total, rel=1e-8)
