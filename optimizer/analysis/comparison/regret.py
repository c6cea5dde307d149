"""One plan for several futures: regret, minimax regret, expected cost and CVaR.

Each plan here meets the target and the limits of every scenario. With r, t extra
variables all three are geometric programs in (N, D):

    minimax:   min r    s.t. cost_j(N, D) ≤ r · optimum_j
    expected:  min Σ_j p_j · cost_j(N, D)
    CVaR:      min t    s.t. Σ_j v_j · cost_j(N, D) ≤ t for each vertex v

where the vertices v of {0 ≤ v_j ≤ p_j/tail, Σ v = 1} are added as they are found to be
worse than t. *Source*: Rockafellar & Uryasev, "Optimization of conditional
value-at-risk", Journal of Risk 2 (2000), in its dual form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.algebra.posynomial import Term, build, merge
from optimizer.algebra.program import (
    Certificate,
    Constraint,
    GeometricProgram,
    Solution,
    Status,
)
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.whole import whole_at
from optimizer.analysis.plan.wording import amount, either, nats
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.question.asked import SIZE, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.world.costs import value

TAIL = 0.2  # CVaR is the mean over this worst part of the futures
TOUCHING = 1e-9
EXACT = 1e-10
Point = Mapping[str, float]


@dataclass(frozen=True)
class Regret:
    """The plan made for one scenario, run in another.

    Attributes:
        scenarios: their names, in the order of rows and columns.
        table: row: the plan; column: where it runs; its cost over the optimum there.
        reasons: in place of an entry that is None, why there is none.
    """

    scenarios: tuple[str, ...]
    table: tuple[tuple[float | None, ...], ...]
    reasons: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class RobustPlan:
    """One plan for all scenarios.

    Attributes:
        parameters: N.
        tokens: D.
        value: what was minimised: the greatest regret, the expected cost, or the
            CVaR; costs in `unit`.
        unit: of `value`; a ratio for the regret.
        certificate: of its program.
    """

    parameters: float
    tokens: float
    value: float
    unit: str
    certificate: Certificate


@dataclass(frozen=True)
class Robust:
    """The plans to choose when it is not known which scenario will come.

    Attributes:
        minimax: least greatest regret; None where no plan suits all, see `reason`.
        expected: least expected cost; None without probabilities.
        cvar: least mean cost over the worst `tail` of the futures, likewise.
        tail: that part.
        reason: why a plan is missing, or empty.
    """

    minimax: RobustPlan | None
    expected: RobustPlan | None
    cvar: RobustPlan | None
    tail: float
    reason: str


def regret(scenarios: Sequence[Scenario], answers: Sequence[Answer]) -> Regret:
    """Runs every plan in every scenario."""
    worlds = [[(one, formulate(one)) for one in each.singles] for each in scenarios]
    table, reasons = [], []
    for row in answers:
        cells = [
            _cell(row, world, column)
            for world, column in zip(worlds, answers, strict=True)
        ]
        table.append(tuple(entry for entry, _ in cells))
        reasons.append(tuple(reason for _, reason in cells))
    names = tuple(answer.scenario for answer in answers)
    return Regret(names, tuple(table), tuple(reasons))


def _cell(
    row: Answer, world: Sequence[tuple[Scenario, Question]], column: Answer
) -> tuple[float | None, str | None]:
    """One entry, or why there is none; the best of the column's choices serves."""
    if row.plan is None:
        return None, f"{row.scenario} has no plan"
    if column.plan is None or column.cost is None:
        return None, f"{column.scenario} has no optimum to compare with"
    if world[0][1].reducible is None:
        return None, f"{column.scenario} asks for the lowest loss, not the lowest cost"
    size = {"N": row.plan.parameters, "D": row.plan.tokens}
    costs, missed = [], []
    for scenario, question in world:
        if reason := missing(question, question.complete(size)):
            missed.append(reason)
        else:
            _, whole = whole_at(scenario, question, size)
            costs.append(cost_of(whole, whole.complete(size)))
    return (min(costs) / column.cost.total, None) if costs else (None, missed[0])


def cost_of(question: Question, point: Point) -> float:
    """The counted lifetime cost of a model in a scenario, in its unit."""
    return sum(value(term, point) for term in question.cost)


def missing(question: Question, point: Point) -> str:
    """What a model misses in a scenario, in words; empty where it misses nothing."""
    if question.reducible is not None and question.target is not None:
        s = question.reducible_at(point)
        if s > question.reducible * (1 + TOUCHING):
            loss = question.surface.loss_of(s)
            return f"misses the target: {nats(loss)} against {nats(question.target)}"
    for limit in (*question.limits, *question.physics):
        used = sum(value(term, point) for term in limit.terms)
        if used > limit.bound * (1 + TOUCHING):
            if not limit.unit:
                return f"breaks {limit.name}"
            return (
                f"breaks {limit.name}: {amount(used, limit.unit)} against "
                f"{amount(limit.bound, limit.unit)}"
            )
    for name, fixed in question.fixed.items():
        if abs(point[name] / fixed - 1) > TOUCHING:
            return f"differs from the fixed {name} = {fixed:.4g}"
    return ""


def robust(
    scenarios: Sequence[Scenario],
    answers: Sequence[Answer],
    probabilities: Sequence[float] | None = None,
    tail: float = TAIL,
) -> Robust:
    """Finds the plans for not knowing which scenario will come.

    Args:
        scenarios: at least one, each with a target.
        answers: their own optima.
        probabilities: one a scenario, summing to 1; None leaves out the expected
            cost and the CVaR.
        tail: the worst part of the futures that the CVaR looks at.
    """
    # Of lists to choose from, each scenario keeps the choice of its own plan.
    questions = [
        formulate(scenario.chosen(answer.choice))
        for scenario, answer in zip(scenarios, answers, strict=True)
    ]
    reason = _unsuited(questions, answers)
    if reason:
        return Robust(None, None, None, tail, reason)
    costs = [a.cost.total for a in answers if a.cost is not None]
    # The joint programs have machines in fractions, and so have their least costs.
    costs = [
        cost if a.relaxed is None else a.relaxed.total
        for a, cost in zip(answers, costs, strict=False)
    ]
    minimax = _minimax(questions, costs)
    if minimax is None:
        reason = (
            "no plan meets all targets and limits together; leave out the scenario "
            "whose limits exclude the others' targets"
        )
        return Robust(None, None, None, tail, reason)
    expected = cvar = None
    if probabilities is not None:
        units = {question.unit for question in questions}
        if len(units) > 1:
            reason = (
                f"costs in {either(sorted(units), 'and')} have no common mean; give "
                "all scenarios one objective"
            )
        else:
            expected = _weighted(questions, [probabilities])
            cvar = _cvar(questions, probabilities, tail)
    return Robust(minimax, expected, cvar, tail, reason)


def _unsuited(questions: Sequence[Question], answers: Sequence[Answer]) -> str:
    for question, answer in zip(questions, answers, strict=True):
        if answer.plan is None:
            return f"{answer.scenario} has no plan of its own"
        if question.reducible is None:
            return f"{answer.scenario} has a budget; regret compares costs"
    fixed = [question.fixed for question in questions if question.fixed]
    for name in SIZE:
        if len({held[name] for held in fixed if name in held}) > 1:
            return f"the scenarios fix {name} at different values"
    return ""


def _names(index: int, question: Question) -> dict[str, str]:
    """Own names for what each scenario chooses or derives for itself."""
    own = (*question.variables[len(SIZE) :], *(q.name for q in question.quantities))
    return {name: f"{name}#{index}" for name in own}


def _renamed(terms: Sequence[Term], names: Mapping[str, str]) -> list[Term]:
    return [
        Term(
            t.label,
            t.coefficient,
            {names.get(name, name): power for name, power in t.exponents.items()},
        )
        for t in terms
    ]


def _constraints(
    questions: Sequence[Question], variables: Sequence[str]
) -> list[Constraint]:
    """All targets and limits of all scenarios, on a longer list of variables."""
    return [
        Constraint(
            f"{index}: {c.name}",
            c.posynomial.renamed(_names(index, question)).over(variables),
        )
        for index, question in enumerate(questions)
        for c in question.free.constraints
    ]


def _held(questions: Sequence[Question]) -> dict[str, float]:
    return {name: at for question in questions for name, at in question.fixed.items()}


def _solve(
    questions: Sequence[Question], objective: Term, covers: Sequence[list[Term]]
) -> Solution:
    """Minimises one extra variable that covers several costs."""
    (extra,) = objective.exponents
    own = [
        _names(index, question).get(name, name)
        for index, question in enumerate(questions)
        for name in question.variables[len(SIZE) :]
    ]
    variables = (*SIZE, *own, extra)
    constraints = _constraints(questions, variables)
    for index, terms in enumerate(covers):
        under = [
            Term(t.label, t.coefficient, {**t.exponents, extra: -1.0})
            for t in merge(terms)
        ]
        constraints.append(Constraint(f"cover {index}", build(variables, under)))
    program = GeometricProgram(build(variables, [objective]), tuple(constraints))
    program = program.fixing(_held(questions))
    try:
        return solve_program(program)
    except UncertifiedError:
        # Bounds that leave next to no room have no multipliers to certify with.
        return Solution(program, Status.INFEASIBLE)


def _plan(
    solution: Solution, questions: Sequence[Question], extra: str, unit: str
) -> RobustPlan:
    point = {**_held(questions), **solution.point}
    if solution.certificate is None:
        raise Defect("a robust plan without a certificate")
    return RobustPlan(point["N"], point["D"], point[extra], unit, solution.certificate)


def _minimax(
    questions: Sequence[Question], optima: Sequence[float]
) -> RobustPlan | None:
    covers = [
        [
            Term(t.label, t.coefficient / best, t.exponents)
            for t in _renamed(question.cost, _names(index, question))
        ]
        for index, (question, best) in enumerate(zip(questions, optima, strict=True))
    ]
    solution = _solve(questions, Term("regret", 1.0, {"r": 1.0}), covers)
    if solution.status is not Status.OPTIMAL:
        return None
    return _plan(solution, questions, "r", "ratio")


def _weighted(
    questions: Sequence[Question], vertices: Sequence[Sequence[float]]
) -> RobustPlan:
    """Minimises the greatest of several weighted sums of the costs."""
    covers = [
        [
            Term(t.label, t.coefficient * weight, t.exponents)
            for index, (question, weight) in enumerate(
                zip(questions, weights, strict=True)
            )
            for t in _renamed(question.cost, _names(index, question))
        ]
        for weights in vertices
    ]
    solution = _solve(questions, Term("cost", 1.0, {"t": 1.0}), covers)
    return _plan(solution, questions, "t", questions[0].unit)


def _cvar(
    questions: Sequence[Question], probabilities: Sequence[float], tail: float
) -> RobustPlan:
    vertices: list[Sequence[float]] = [probabilities]
    while True:
        plan = _weighted(questions, vertices)
        size = {"N": plan.parameters, "D": plan.tokens}
        costs = [cost_of(question, question.complete(size)) for question in questions]
        worst = worst_weights(costs, probabilities, tail)
        if float(np.dot(worst, costs)) <= plan.value * (1 + EXACT):
            return plan
        vertices.append(worst)


def worst_weights(
    costs: Sequence[float], probabilities: Sequence[float], tail: float
) -> list[float]:
    """The vertex of the CVaR's weights that makes the given costs dearest."""
    weights = [0.0] * len(costs)
    left = 1.0
    for index in np.argsort(costs)[::-1]:
        weights[index] = min(left, probabilities[index] / tail)
        left -= weights[index]
    return weights
