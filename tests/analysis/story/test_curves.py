"""The numbers behind the charts, held to single solves and to the law itself."""

import math

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.case import case
from optimizer.analysis.story.curves import over_demand
from optimizer.analysis.story.timeline import cashflow
from optimizer.question.load import load_scenario, read_scenario

PLAIN = """\
name: Plain
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
DOLLARS = """\
name: Dollars
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2.50/h, accelerators: 512}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2.50/h}
demand:
  requests: {low: 2M/day, expected: 5M/day, high: 9M/day}
  input_tokens: 800
  output_tokens: 300
  lifetime: 2 years
  growth: 2 %/month
  start: 45 days
money: {discount_rate: 8 %, price_decline: 20 %}
costs: {fixed: $50k}
"""
REPEATED = PLAIN + "data: {unique_tokens: 300B}\n"
BUDGET = """\
law: besiroglu-2024-refit
budget: {compute: 1e23}
demand: {tokens: 2T}
"""


@pytest.fixture(scope="module")
def worked():
    """Returns a function from a text to its case, worked out once."""
    known = {}

    def work(text):
        if text not in known:
            scenario = read_scenario(text, "scenario.yaml")
            known[text] = case(scenario, solve(scenario), ())
        return known[text]

    return work


@pytest.mark.parametrize("text", [PLAIN, DOLLARS, REPEATED])
def test_plans_over_demand_are_those_of_solve(text, worked, ask):
    curve = worked(text).demand
    for index in (0, len(curve.served) // 2 + 3, -1):
        factor = curve.served[index] / curve.now
        if "requests" in text:
            override = f"demand.requests={5e6 * factor!r}/day"
        else:
            override = f"demand.tokens={2e12 * factor!r}"
        answer = ask(text, override)
        assert curve.best[index] == pytest.approx(answer.cost.total, rel=1e-7)
        assert curve.parameters[index] == pytest.approx(
            answer.plan.parameters, rel=1e-4
        )


@pytest.mark.parametrize("text", [PLAIN, DOLLARS, REPEATED])
def test_no_model_is_cheaper_than_the_best_plan(text, worked):
    curve = worked(text).demand
    for running in curve.running:
        for cost, best in zip(running.costs, curve.best, strict=True):
            assert cost >= best * (1 - 1e-6), running.model


def test_models_cost_the_same_where_their_lines_cross(worked, ask):
    curve = worked(PLAIN).demand
    plan, *others = (running.model for running in curve.running)
    assert len(curve.crossings) == len(others)
    for crossing in curve.crossings:
        other = next(dot for dot in others if dot.name == crossing.other)
        T = crossing.tokens
        costs = [
            6 * m.parameters * m.tokens + 2 * m.parameters * T for m in (plan, other)
        ]
        assert costs == pytest.approx([crossing.cost] * 2, rel=1e-9)


def test_no_lines_cross_where_replicas_are_whole(root):
    """At 254B served tokens it had $143k for both; whole replicas cost $188k, $211k."""
    sets = "serving.weights=int4", "serving.accelerators=1"
    file = root / "scenarios/latency-bound-assistant.yaml"
    scenario = load_scenario(file, sets)
    assert over_demand(scenario, solve(scenario, False)).crossings == ()


def test_contour_has_the_losses_it_says(worked, ask):
    law = ask(PLAIN).law
    found = worked(PLAIN).contour
    inside = 0
    for loss, line in found.levels:
        for N, D in line:
            inside += 1
            assert found.box[0] <= N <= found.box[1]
            assert found.box[2] <= D <= found.box[3]
            assert law.E + law.A * N**-law.alpha + law.B * D**-law.beta == (
                pytest.approx(loss, rel=1e-9)
            )
        # It ends where it leaves the box, not before.
        (N0, D0), (N1, D1) = line[0], line[-1]
        assert pytest.approx(found.box[3]) == D0 or pytest.approx(found.box[0]) == N0
        assert pytest.approx(found.box[2]) == D1 or pytest.approx(found.box[1]) == N1
    assert inside > 50
    for compute, line in found.flops:
        assert [6 * N * D for N, D in line] == pytest.approx([compute] * 2)


def test_contour_of_repeated_data_needs_more_tokens(worked):
    """Muennighoff et al. 2023: a repeated token is worth less than a new one."""
    lines = dict(worked(REPEATED).contour.levels)
    case_ = worked(REPEATED)
    at = case_.answer.plan
    near = min(lines, key=lambda loss: abs(loss - at.loss))
    assert near == pytest.approx(at.loss, rel=1e-9)
    sizes, tokens = zip(*lines[near], strict=True)
    logs = [math.log(D) for D in tokens]
    # The line of the plan's own loss passes through the plan.
    place = next(i for i, N in enumerate(sizes) if at.parameters < N)
    between = sorted(logs[place - 1 : place + 1])
    assert between[0] <= math.log(at.tokens) <= between[1]


def test_overhead_is_whole_at_the_critical_size(worked):
    """De Vries 2023: at the critical size training takes twice the least."""
    found = worked(PLAIN).overhead
    pairs = list(zip(found.sizes, found.training, strict=True))
    below = [over for N, over in pairs if found.critical > N]
    above = [
        over for N, over in pairs if found.critical < N <= found.dots[1].parameters
    ]
    assert min(below) >= 1 >= max(above)
    assert min(found.training) == pytest.approx(0, abs=1e-12)
    assert min(found.lifetime) == pytest.approx(0, abs=1e-9)


LIMITED = PLAIN + "limits: {parameters: 3B}\n"


def test_overhead_is_measured_from_the_optimum_not_from_a_sample(worked, ask):
    """Of all sizes, limits aside: the plan of the scenario without them."""
    best = ask(PLAIN)
    held = worked(LIMITED)
    place = held.overhead.sizes.index(held.answer.plan.parameters)
    above = held.answer.cost.total / best.cost.total - 1
    assert held.overhead.lifetime[place] == pytest.approx(above, rel=1e-9)
    least = min(held.overhead.lifetime)
    assert least == pytest.approx(0, abs=1e-9)
    nearest = held.overhead.sizes[held.overhead.lifetime.index(least)]
    assert nearest == pytest.approx(best.plan.parameters, rel=1e-6)


def test_tornado_solves_anew(worked, ask):
    found = worked(DOLLARS).tornado
    swings = {swing.input: swing for swing in found.swings}
    assert swings["demand.requests"].stated
    for path, low, high in (
        ("training.mfu", "32 %", "48 %"),
        ("target.match.parameters", "10.4B", "15.6B"),
    ):
        totals = [ask(DOLLARS, f"{path}={value}").cost.total for value in (low, high)]
        assert swings[path].results == pytest.approx(totals, rel=1e-7)
    stated = DOLLARS.replace("{low: 2M/day, expected: 5M/day, high: 9M/day}", "9M/day")
    assert swings["demand.requests"].results[1] == pytest.approx(
        ask(stated).cost.total, rel=1e-7
    )


def test_what_moves_a_budget_that_counts_the_demand_is_its_cost(worked, ask):
    """The loss is settled, and no number but itself moves it."""
    text = BUDGET.replace("compute: 1e23", "training_compute: 1e23, best_for: lifetime")
    settled = solve(read_scenario(text, "scenario.yaml"))
    found = worked(text).tornado
    assert (found.unit, found.base) == ("FLOP", pytest.approx(settled.cost.total))
    swings = {swing.input: swing for swing in found.swings}
    same = f"law: besiroglu-2024-refit\ntarget: {{loss: {settled.plan.loss}}}\n"
    same += "limits: {training_compute: 1e23}\n"
    totals = [
        ask(f"{same}demand: {{tokens: {tokens}}}\n").cost.total
        for tokens in ("1.6T", "2.4T")
    ]
    assert swings["demand.tokens"].results == pytest.approx(totals, rel=1e-6)


def test_months_sum_to_the_bill(worked):
    case_ = worked(DOLLARS)
    flow = case_.cashflow
    for line in case_.answer.cost.lines:
        parts = [entry.amount for entry in flow.months if entry.line == line.name]
        assert sum(parts) == pytest.approx(line.amount, rel=1e-9)
    (name, totals), (_, optimal) = flow.totals
    assert name == "plan"
    assert totals[-1] == pytest.approx(case_.answer.cost.total, rel=1e-9)
    assert optimal[-1] == pytest.approx(case_.answer.training_optimal.cost.total)
    first = min(e.month for e in flow.months if e.line == "demand")
    assert first == 2  # 45 days after training, paid at the end of the month
    at = flow.paid_back - flow.first
    assert totals[at] < optimal[at]
    assert totals[at - 1] >= optimal[at - 1]


@pytest.mark.parametrize("name", ["reasoning-model", "latency-bound-assistant"])
def test_months_of_whole_machines_sum_to_their_bill(name, root):
    """In fractions the training-optimal model cost 2 % less than in its table."""
    scenario = load_scenario(root / f"scenarios/{name}.yaml")
    answer = solve(scenario)
    flow = cashflow(scenario.chosen(answer.choice), answer)
    (_, plan), (_, optimal) = flow.totals
    assert plan[-1] == pytest.approx(answer.cost.total, rel=1e-9)
    assert optimal[-1] == pytest.approx(answer.training_optimal.cost.total, rel=1e-9)


@pytest.mark.parametrize("text", [PLAIN, DOLLARS, BUDGET])
def test_every_stop_is_certified(text, worked):
    explorer = worked(text).explorer
    target, demand = explorer.here
    here = explorer.points[target][demand]
    assert here.parameters == pytest.approx(
        worked(text).answer.plan.parameters, rel=1e-6
    )
    for row in explorer.points:
        for point in row:
            assert point.status == "optimal"
            assert point.stationarity <= 1e-9
            assert point.violation <= 1e-10
            assert point.gap <= 1e-8
