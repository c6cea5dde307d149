"""The answer to a scenario: plan, proof, price, and how far to trust them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from optimizer.analysis.alternatives import alternatives
from optimizer.analysis.answer import (
    Answer,
    Choice,
    Critical,
    DemandTotal,
    Fixed,
    Infeasibility,
    LawUsed,
    LimitUsed,
    Overtraining,
    Pair,
    Savings,
    StreamTokens,
    TrainingOptimal,
)
from optimizer.analysis.bills import amounts, bill, parties, training_run, unit_cost
from optimizer.analysis.explain import explain
from optimizer.analysis.extremes import critical, smallest, training_optimal
from optimizer.analysis.near import near_optimal
from optimizer.analysis.reach import unreachable
from optimizer.analysis.rooflines import serving_use
from optimizer.analysis.sensitivity import Sensitivity, sensitivities
from optimizer.analysis.warn import warnings
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.formulate import formulate
from optimizer.program import Solution, Status
from optimizer.question import Question
from optimizer.scenario import Scenario, Variant
from optimizer.world.costs import value
from optimizer.world.surface import Surface

SHIFT = 1e-5  # of ln N, for a derivative: exact to ten digits
BINDING = 1e-9  # ln(value/bound) above which a limit counts as met


def solve(scenario: Scenario) -> Answer:
    """Finds the lifetime-optimal plan of a scenario, with its certificate.

    Args:
        scenario: from `load_scenario`.

    Returns:
        The answer; its status says whether there is a plan, and if there is none,
        `infeasibility` says why and what would make one.

    Raises:
        Defect: the solver's point failed its certificate; no answer is given.
    """
    if scenario.variants:
        return _best(scenario)
    question, found = _searched(scenario)
    if isinstance(found, Infeasibility):
        return _bare(scenario, question, Status.INFEASIBLE, infeasibility=found)
    return _answer(scenario, question, found)


def _searched(scenario: Scenario) -> tuple[Question, Solution | Infeasibility]:
    """The certified optimum of a scenario, or why there is none."""
    question = formulate(scenario)
    if (reason := unreachable(scenario, question)) is not None:
        return question, reason
    try:
        solution = solve_program(question.program, question.start(question.program))
    except UncertifiedError:
        # Bounds that leave next to no room have no multipliers to certify with.
        solution = Solution(question.program, Status.INFEASIBLE)
    if solution.status is Status.INFEASIBLE:
        return question, explain(scenario, question)
    return question, solution


def _best(scenario: Scenario) -> Answer:
    """Solves every combination of the scenario's lists and answers the best."""
    rows = [_row(variant) for variant in scenario.variants]
    totals = [row.total for row in rows if row.total is not None]
    if not totals:
        # None has a plan: the first that fits together says why.
        first = next(v.scenario for v in scenario.variants if v.scenario is not None)
        return replace(solve(first), alternatives=tuple(rows))
    best = next(i for i, row in enumerate(rows) if row.total == min(totals))
    rows[best] = replace(rows[best], status="best")
    variant = scenario.variants[best]
    if variant.scenario is None:
        raise Defect("the best choice has no scenario")
    answer = solve(variant.scenario)
    return replace(answer, choice=variant.choice, alternatives=tuple(rows))


def _row(variant: Variant) -> Choice:
    """A combination by its lifetime cost, or by its loss under a budget."""
    if variant.scenario is None:
        return Choice(variant.choice, None, "refused", variant.reason)
    question, found = _searched(variant.scenario)
    if isinstance(found, Infeasibility):
        return Choice(variant.choice, None, Status.INFEASIBLE.value, found.reason)
    optimum = math.exp(found.program.objective.log_value(found.optimum[0][None])[0])
    if question.reducible is None:
        optimum = question.surface.loss_of(optimum)
    return Choice(variant.choice, optimum, Status.OPTIMAL.value, "")


def _bare(
    scenario: Scenario, question: Question, status: Status, **rest: object
) -> Answer:
    law, surface = scenario.law, question.surface
    reference = question.reference
    return Answer(
        scenario=scenario.name,
        file=scenario.file,
        status=status,
        objective=scenario.spec.objective,
        question="target" if question.reducible is not None else "budget",
        law=LawUsed(
            name=law.name,
            E=surface.E,
            A=surface.A,
            B=surface.B,
            alpha=surface.alpha,
            beta=surface.beta,
            outer=surface.outer,
            counts=law.counts,
            loss_unit=law.loss_unit,
            coefficients=dict(law.coefficients),
            source=law.source,
        ),
        target_loss=question.target,
        reference=None if reference is None else pair(surface, *reference),
        demand=_demand(question),
        **rest,  # type: ignore[arg-type]
    )


def _answer(scenario: Scenario, question: Question, solution: Solution) -> Answer:
    surface = question.surface
    found = {**question.fixed, **solution.point}
    point = question.complete({"N": found["N"], "D": found["D"]})
    N, D = point["N"], point["D"]
    plan = _pair(question, point)
    # Of the target through s, which keeps the digits that L − E loses.
    s = question.reducible or question.reducible_at(point)
    best = training_optimal(question, s, point)
    N0, D0 = best["N"], best["D"]
    cost = bill(question, point)
    optimal = TrainingOptimal(
        parameters=N0,
        tokens=D0,
        tokens_per_parameter=D0 / N0,
        loss=surface.loss_of(s),
        feasible=_within(question, best),
        cost=bill(question, best),
    )
    free = solution
    if question.fixed:
        free = solve_program(question.free, question.start(question.free))
    ranges = near_optimal(free)
    saved = optimal.cost.total - cost.total
    unique = scenario.spec.data.unique_tokens
    moves = sensitivities(scenario, solution)
    base = optimal.cost.total
    answer = _bare(
        scenario,
        question,
        Status.OPTIMAL,
        plan=plan,
        training_optimal=optimal,
        overtraining=Overtraining(
            factor=D / surface.optimal_tokens(N),
            parameters_ratio=N / N0,
            tokens_ratio=D / D0,
            cost_ratio=cost.total / base,
        ),
        critical=Critical(
            floor=smallest(question, s),
            size=critical(question, s, best),
            training_overhead=N * D / (N0 * D0) - 1,
        ),
        cost=cost,
        amounts=amounts(question, point),
        unit_cost=unit_cost(question, point),
        training_run=training_run(scenario, question, point),
        savings=Savings(saved, saved / base),
        near_optimal=ranges,
        fixed=_fixed(question, solution, free, point) if question.fixed else None,
        others=alternatives(scenario, question),
        serving=serving_use(scenario, question, point),
        epochs=None if unique is None else D / unique,
        parties=parties(question, point),
        limits=_limits(scenario, question, solution, moves, point),
        sensitivities=moves,
        certificate=solution.certificate,
    )
    return replace(answer, warnings=warnings(answer, scenario, question))


def pair(surface: Surface, N: float, D: float) -> Pair:
    """The record of a model under a law."""
    return Pair(N, D, D / N, surface.loss(N, D))


def _pair(question: Question, size: Mapping[str, float]) -> Pair:
    """The record of a model, with all effects on its loss."""
    N, D = size["N"], size["D"]
    return Pair(N, D, D / N, question.loss_at(size))


def _within(question: Question, point: Mapping[str, float]) -> bool:
    """Whether a point keeps every limit and fixed value."""
    kept = all(
        sum(value(t, point) for t in limit.terms) <= limit.bound * (1 + BINDING)
        for limit in (*question.limits, *question.physics)
    )
    return kept and all(
        math.isclose(point[name], fixed, rel_tol=BINDING)
        for name, fixed in question.fixed.items()
    )


def _demand(question: Question) -> DemandTotal:
    lines = [line for line in question.bill if line.served is not None]
    streams = tuple(
        StreamTokens(
            name=line.name,
            tokens=line.served.tokens,
            input_tokens=line.served.input_tokens,
            output_tokens=line.served.output_tokens,
            cost_share=line.share,
        )
        for line in lines
        if line.served is not None
    )
    return DemandTotal(
        tokens=sum(stream.tokens for stream in streams),
        counted_tokens=sum(stream.tokens * stream.cost_share for stream in streams),
        effective_tokens=_effective(question),
        streams=streams,
    )


def _effective(question: Question) -> float | None:
    """T_eff = 3 · (what serving costs a parameter) / (what training costs N·D).

    Source: 6·N·D + 2·N·T is proportional to c_train·N·D + c_serve·N exactly for it.
    """
    unit = question.unit
    training = sum(
        t.coefficient
        for t in question.bill[0].terms.get(unit, ())
        if t.exponents == {"N": 1.0, "D": 1.0}
    )
    serving = sum(
        t.coefficient * line.share
        for line in question.bill
        if line.group == "inference"
        for t in line.terms.get(unit, ())
        if t.exponents == {"N": 1.0}
    )
    return 3 * serving / training if training else None


def _fixed(
    question: Question,
    solution: Solution,
    free: Solution,
    point: Mapping[str, float],
) -> Fixed:
    """What the decision already taken costs, and the demand that it would suit."""
    z, z0 = solution.optimum[0], free.optimum[0]
    best = math.exp(free.program.objective.log_value(z0[None])[0])
    here = math.exp(solution.program.objective.log_value(z[None])[0])
    surface = question.surface
    optimum = _pair(question, free.point)
    extra = here - best
    if question.reducible is None:
        extra = surface.loss_of(here) - surface.loss_of(best)
    return Fixed(optimum, extra, here / best - 1, implied_demand(question, point))


def implied_demand(question: Question, point: Mapping[str, float]) -> float | None:
    """The served tokens for which a point is lifetime-optimal; None if none are.

    At an optimum without limits (∂C/∂ln N)/(∂C/∂ln D) = w, and only the served
    tokens are free: T = (w·∂C/∂ln D − ∂C_rest/∂ln N) / (∂C/∂ln N of one token). In
    FLOPs that is 3·D·(w − 1).

    Returns:
        Served tokens of the scenario's mix of streams, or of a plain stream where it
        serves nothing; negative where the model is undertrained even for no demand.
    """
    w = question.weight(point)
    if w is None or not math.isfinite(w):
        return None
    training = question.bill[0].terms.get(question.unit, ())
    other = [
        t
        for line in question.bill
        if line.group == "other"
        for t in line.terms.get(question.unit, ())
    ]
    slope = {
        name: sum(
            t.exponents.get(name, 0.0) * value(t, point) for t in (*training, *other)
        )
        for name in ("N", "D")
    }
    unit, flop = (
        sum(t.coefficient for t in terms if t.exponents == {"N": 1.0, "D": 1.0})
        for terms in (training, question.bill[0].terms["FLOP"])
    )
    gain = w * slope["D"] - slope["N"]
    worth = gain / (point["N"] * unit)
    demand = _demand(question)
    if not demand.effective_tokens:
        return worth * flop / 2  # a plain stream, for which no work is done again
    if question.replicas:
        return gain * demand.tokens / _serving_slope(question, point)
    return worth * 3 * demand.tokens / demand.effective_tokens


def _serving_slope(question: Question, point: Mapping[str, float]) -> float:
    """d(serving cost)/d ln N where the machines are set anew for each size.

    A central difference: the best batch for a size is known in closed form only
    between the bounds that hold it.
    """

    def cost(step: float) -> float:
        size = {"N": point["N"] * math.exp(step), "D": point["D"]}
        return bill(question, question.complete(size)).inference

    return (cost(SHIFT) - cost(-SHIFT)) / (2 * SHIFT)


def _limits(
    scenario: Scenario,
    question: Question,
    solution: Solution,
    moves: tuple[Sensitivity, ...],
    point: Mapping[str, float],
) -> tuple[LimitUsed, ...]:
    z, multipliers = solution.optimum
    optimum = math.exp(solution.program.objective.log_value(z[None])[0])
    prices = dict(
        zip((c.name for c in solution.program.constraints), multipliers, strict=True)
    )
    found = []
    for limit in question.limits:
        used = sum(value(t, point) for t in limit.terms)
        move = next((m for m in moves if m.input == limit.name), None)
        elasticity = -float(prices[limit.name])
        if move is not None and move.elasticity is None and move.right is not None:
            elasticity = move.right  # what a looser bound gains, where sides differ
        binding = math.log(limit.bound / used) < BINDING if used > 0 else False
        found.append(
            LimitUsed(
                name=limit.name,
                bound=limit.bound,
                value=used,
                unit=limit.unit,
                binding=binding,
                elasticity=min(elasticity, 0.0) if binding else 0.0,
                shadow_price=(
                    min(elasticity, 0.0) * optimum / limit.bound if binding else 0.0
                ),
                line=scenario.place(limit.name).line or None,
            )
        )
    return tuple(found)
