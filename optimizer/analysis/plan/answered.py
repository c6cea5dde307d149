"""What is told of a plan: proof, price, ranges, and how far to trust them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from optimizer.algebra.program import GeometricProgram, Solution, Status
from optimizer.analysis.plan.against import against
from optimizer.analysis.plan.alternatives import alternatives
from optimizer.analysis.plan.answer import (
    Answer,
    Critical,
    Fixed,
    LawUsed,
    NearOptimal,
    Overtraining,
    Savings,
    TrainingOptimal,
)
from optimizer.analysis.plan.bills import (
    amounts,
    parties,
    post_training,
    training_run,
    unit_cost,
)
from optimizer.analysis.plan.bindings import limits_used
from optimizer.analysis.plan.chance import chance
from optimizer.analysis.plan.doubts import erred
from optimizer.analysis.plan.extremes import (
    critical,
    smallest,
    training_overhead,
)
from optimizer.analysis.plan.implied import implied_demand
from optimizer.analysis.plan.lifetime import same_loss
from optimizer.analysis.plan.mixture import mixture
from optimizer.analysis.plan.near_ends import unranged
from optimizer.analysis.plan.near_whole import near_whole
from optimizer.analysis.plan.over_samples import drawings
from optimizer.analysis.plan.overtrained import factor, left_out
from optimizer.analysis.plan.ranges import beyond
from optimizer.analysis.plan.referred import referred
from optimizer.analysis.plan.rooflines import serving_use, taken
from optimizer.analysis.plan.saturation import last_thousandth
from optimizer.analysis.plan.search import best_with, pair_of
from optimizer.analysis.plan.sensitivity import looser, of_loss, sensitivities
from optimizer.analysis.plan.settle import settled
from optimizer.analysis.plan.tokens import demand_total
from optimizer.analysis.plan.warn import warnings, worn
from optimizer.analysis.plan.whole import WholePlan
from optimizer.errors import Defect
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.losses import repetition_of
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace


@dataclass(frozen=True)
class Told:
    """What an answer says beside the plan and its costs; see `solve`."""

    whole: bool
    near: bool


def bare(
    scenario: Scenario, question: Question, status: Status, **rest: object
) -> Answer:
    """An answer with what the question says, and the rest as it is given."""
    law, surface = scenario.law, question.surface
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
            delta=surface.delta,
            counts=law.counts,
            loss_unit=law.loss_unit,
            coefficients=dict(law.coefficients),
            source=law.source,
            form=law.form,
            pair=law.pair,
            extrapolation=law.extrapolation,
            repetition=repetition_of(scenario),
            quantization=_quantized(question),
        ),
        target_loss=question.target,
        reference=referred(scenario, question),
        demand=demand_total(question),
        **rest,  # type: ignore[arg-type]
    )


def answered(
    scenario: Scenario,
    relaxed: Question,
    made: WholePlan,
    told: Told,
    asked: Scenario | None = None,
    others: Sequence[WholePlan] = (),
) -> Answer:
    """The answer of one combination of a scenario's lists.

    Plan and costs are those of whole machines; limits and sensitivities those of
    batches in fractions, on the replicas that stand.

    Args:
        scenario: without lists.
        relaxed: the same as mathematics, with its machines in fractions.
        made: its plan.
        told: what to say.
        asked: the scenario with all of its lists.
        others: the plans of the other combinations, whose sizes are counted alike.
    """
    if (number := made.plan.scenario.samples) is not None:
        scenario = replace(scenario, samples=number)
        asked = None if asked is None else asked.every(partial(replace, samples=number))
    whole = told.whole
    question, solution = made.plan.question, made.plan.solution
    middle = made.standing
    beside = against(scenario, relaxed, made)
    point, plan, s, best = beside.point, beside.plan, beside.s, beside.best
    cost, base, equal = beside.cost, beside.base.total, beside.equal
    N, D, N0, D0 = point["N"], point["D"], best["N"], best["D"]
    its = factor(question, N0, D0)
    optimal = TrainingOptimal(
        parameters=N0,
        tokens=D0,
        tokens_per_parameter=D0 / N0,
        loss=question.surface.loss_of(s),
        feasible=beside.fits,
        cost=beside.base,
        breaks=beside.breaks,
        samples=question.samples,
    )
    # With something fixed the sizes to choose from are those of the question without.
    free = _free(asked or scenario) if question.fixed else None
    near: tuple[NearOptimal, ...] = ()
    if told.near:
        near = near_whole(made, others) if free is None else near_whole(free)
    unique = scenario.spec.data.unique_tokens
    moves = sensitivities(middle.scenario, middle.solution, _program) if whole else ()
    moves = of_loss(middle.scenario, middle.question, middle.solution.value, moves)
    fixed = None
    if free is not None:
        fixed = _fixed(free, question, solution)
        if whole:
            ways = (asked or scenario).singles
            suits = implied_demand(ways, {"N": N, "D": D}, s)
            fixed = replace(
                fixed,
                implied_demand=suits.tokens,
                implied_within=suits.within,
                implied_reason=suits.reason or None,
                implied_replicas=suits.filled,
            )
    at, uses = point, None
    if made.relaxed is not None or middle.question.between is not None:
        at = middle.question.complete(middle.size)
        uses = taken(made.plan.scenario, question, point)
    answer = bare(
        scenario,
        question,
        Status.OPTIMAL,
        plan=plan,
        mixture=mixture(scenario, plan.parameters),
        training_optimal=optimal,
        overtraining=Overtraining(
            factor=factor(question, N, D),
            parameters_ratio=N / N0,
            tokens_ratio=D / D0,
            cost_ratio=cost.total / base,
            attention=question.attention > 0,
            optimal_factor=None if math.isinf(its) else its,
            left_out=left_out(question, D),
        ),
        critical=Critical(
            floor=smallest(question, s),
            size=critical(question, s, best),
            training_overhead=training_overhead(question, point, best),
        ),
        cost=cost,
        amounts=amounts(question, point),
        unit_cost=unit_cost(question, point),
        training_run=training_run(scenario, question, point),
        post_training=post_training(scenario, question, point),
        savings=Savings(beside.saved, beside.saved / base),
        near_optimal=near,
        fixed=fixed,
        others=alternatives(asked or scenario, question) if whole else (),
        serving=serving_use(made.plan.scenario, question, point),
        relaxed=made.relaxed,
        samples=drawings(asked or scenario, made) if whole else None,
        epochs=None if unique is None else D / unique,
        parties=parties(question, point),
        same_loss=same_loss(scenario, relaxed, s, cost.total) if whole else None,
        limits=limits_used(
            middle.question.limits,
            middle.solution,
            at,
            scenario.place,
            looser(moves),
            uses,
            middle.question.measured,
        ),
        sensitivities=moves,
        certificate=(equal or solution).certificate,
        engine=(equal or solution).engine,
    )
    last = last_thousandth(question, solution)
    answer = replace(
        answer,
        warnings=(
            *worn(answer, equal is not None, last),
            *warnings(answer, scenario, question),
            *(unranged(near) if told.near else ()),
        ),
        extrapolation=beyond(scenario.law, plan.parameters, plan.tokens),
        erred=erred(scenario.law, plan.tokens_per_parameter),
        reached=chance(scenario, plan, answer.reference) if whole else None,
    )
    return settled(answer, question)


def _quantized(question: Question) -> dict[str, float] | None:
    """What stored weights add to the loss, as numbers."""
    for term in (*question.loss, *question.outside):
        if term.label == "quantization":
            powers = {"tokens": term.exponents["D"], "parameters": term.exponents["N"]}
            return {"coefficient": term.coefficient, **powers}
    return None


def _program(scenario: Scenario) -> GeometricProgram:
    return formulate(scenario).program


def _free(asked: Scenario) -> WholePlan:
    """The best plan of a scenario with nothing fixed, of all that its lists allow.

    Raises:
        InputError: it leads to what is no model.
    """
    found = best_with(asked, fix=None)
    if found is None:
        raise Defect("what is decided has a plan, and without it there is none")
    return found


def _fixed(free: WholePlan, question: Question, solution: Solution) -> Fixed:
    """What the decision already taken costs, against the best plan without it."""
    best, here = free.plan.solution.value, solution.value
    extra = here - best
    if question.reducible is None:
        extra = question.surface.loss_of(here) - free.plan.total
    optimum = pair_of(free.plan.question, free.plan.size)
    fraction = (here / best) ** question.measured - 1
    law = free.plan.scenario.law
    far = beyond(law, optimum.parameters, optimum.tokens)
    return Fixed(optimum, extra, fraction, None, extrapolation=far)
