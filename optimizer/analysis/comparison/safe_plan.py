"""One plan for several futures: minimax regret, expected cost and CVaR.

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

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Term, build, merge
from optimizer.algebra.program import (
    Certificate,
    Constraint,
    GeometricProgram,
    Solution,
    Status,
)
from optimizer.analysis.comparison.regret import TOUCHING, cost_of, missing
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.touching import ROUNDS, asked, machines
from optimizer.analysis.plan.wording import either
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.question.asked import SIZE, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass

TAIL = 0.2  # CVaR is the mean over this worst part of the futures
EXACT = 1e-10
Solved: TypeAlias = "Callable[[Sequence[Question]], RobustPlan | None]"
TOGETHER = 8  # scenarios that are taken into a plan at a time


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
    # The joint programs have machines in fractions, and so have their least costs.
    costs = [
        a.cost.total if a.relaxed is None else a.relaxed.total
        for a in answers
        if a.cost is not None
    ]
    sizes = [a.plan.parameters for a in answers if a.plan is not None]
    minimax = _told_there(questions, sizes, partial(_minimax, optima=costs))
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
            near = [minimax.parameters]
            mean = partial(_weighted, vertices=[probabilities])
            worst = partial(_cvar, probabilities=probabilities, tail=tail)
            expected = _told_there(questions, near, mean)
            cvar = _told_there(questions, near, worst)
    return Robust(minimax, expected, cvar, tail, reason)


def _told_there(
    questions: Sequence[Question], sizes: Sequence[float], solved: Solved
) -> RobustPlan | None:
    """A plan with the experts of mixtures told where it reads them.

    Args:
        questions: of all scenarios.
        sizes: N at whose batches they are told first, until there is a plan.
        solved: finds the plan of questions.
    """
    if not any(map(machines, questions)):
        return solved(questions)
    best: RobustPlan | None = None
    for N in sizes:
        best = solved(_told_at(questions, N))
        if best is not None:
            break
    for _ in range(ROUNDS):
        if best is None:
            break
        try:
            again = solved(_told_at(questions, best.parameters))
        except Defect:  # next to no room beside the plan
            break
        if again is None or again.value >= best.value * (1 - EXACT):
            break
        best = again
    return best


def _told_at(questions: Sequence[Question], N: float) -> list[Question]:
    """Questions whose experts are told at the best batches of a size."""
    found = []
    for question in questions:
        point = {v: z for r in question.replicas for v, z in r.point(N).items()}
        at = {name: point[f"batch{name}"] for name in machines(question)}
        found.append(asked(question, at) if at else question)
    return found


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
    questions: Sequence[Question],
    variables: Sequence[str],
    some: Sequence[int],
) -> list[Constraint]:
    """Targets and limits of some scenarios, on a longer list of variables."""
    return [
        Constraint(
            f"{index}: {c.name}",
            c.posynomial.renamed(_names(index, question)).over(variables),
        )
        for index, question in enumerate(questions)
        if index in set(some)
        for c in question.free.constraints
    ]


def _held(questions: Sequence[Question]) -> dict[str, float]:
    return {name: at for question in questions for name, at in question.fixed.items()}


def _solve(
    questions: Sequence[Question],
    objective: Term,
    covers: Sequence[list[Term]],
    some: Sequence[int] | None = None,
) -> Solution:
    """Minimises one extra variable that covers several costs.

    Args:
        questions: whose costs are covered.
        objective: the extra variable.
        covers: the costs.
        some: the questions whose targets and limits are kept; all if None.
    """
    (extra,) = objective.exponents
    own = [
        _names(index, question).get(name, name)
        for index, question in enumerate(questions)
        for name in question.variables[len(SIZE) :]
    ]
    variables = (*SIZE, *own, extra)
    kept = range(len(questions)) if some is None else some
    constraints = _constraints(questions, variables, kept)
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
    """The least greatest regret, from the few scenarios that decide it.

    At most a handful bind. A plan for some of them costs no more than one for all, so
    where it suits the others as well it is optimal for all, by the same certificate.
    """

    def least(some: Sequence[int]) -> RobustPlan | None:
        asked = [questions[index] for index in some]
        covers = [
            [
                Term(t.label, t.coefficient / optima[index], t.exponents)
                for t in _renamed(question.cost, _names(place, question))
            ]
            for place, (index, question) in enumerate(zip(some, asked, strict=True))
        ]
        solution = _solve(asked, Term("regret", 1.0, {"r": 1.0}), covers)
        if solution.status is not Status.OPTIMAL:
            return None
        return _plan(solution, asked, "r", "ratio")

    def excess(plan: RobustPlan, index: int) -> float:
        question = questions[index]
        point = question.complete({"N": plan.parameters, "D": plan.tokens})
        if missing(question, point):
            return math.inf
        return cost_of(question, point) / optima[index] / plan.value - 1

    return _enough(least, excess, len(questions))


def _enough(
    solve_some: Callable[[Sequence[int]], RobustPlan | None],
    excess: Callable[[RobustPlan, int], float],
    count: int,
    always: Sequence[int] = (),
) -> RobustPlan | None:
    """Takes scenarios in until the plan for those taken suits all of them.

    Args:
        solve_some: the plan for some scenarios; None where there is none.
        excess: by how much a plan misses what a scenario allows; 0 or below if not.
        count: of the scenarios.
        always: those that are in from the start.
    """
    taken = sorted({*always, *range(min(TOGETHER, count))})
    while True:
        plan = solve_some(taken)
        if plan is None:
            return None
        rest = set(range(count)) - set(taken)
        over = {index: excess(plan, index) for index in rest}
        worst = sorted(rest, key=lambda index: over[index], reverse=True)
        late = [index for index in worst[:TOGETHER] if over[index] > TOUCHING]
        if not late:
            return plan
        taken = sorted({*taken, *late})


def _weighted(
    questions: Sequence[Question], vertices: Sequence[Sequence[float]]
) -> RobustPlan:
    """Minimises the greatest of several weighted sums of the costs.

    Every cost is in it; of targets and limits only those that decide.
    """
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

    def cheapest(some: Sequence[int]) -> RobustPlan:
        solution = _solve(questions, Term("cost", 1.0, {"t": 1.0}), covers, some)
        return _plan(solution, questions, "t", questions[0].unit)

    def excess(plan: RobustPlan, index: int) -> float:
        size = {"N": plan.parameters, "D": plan.tokens}
        question = questions[index]
        return math.inf if missing(question, question.complete(size)) else 0.0

    choosing = [i for i, q in enumerate(questions) if len(q.variables) > len(SIZE)]
    plan = _enough(cheapest, excess, len(questions), choosing)
    if plan is None:
        raise Defect("a plan for several scenarios vanished")
    return plan


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
