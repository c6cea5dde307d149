"""The answer to a scenario: plan, proof, price, and how far to trust them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from optimizer.algebra.program import GeometricProgram, Solution, Status
from optimizer.analysis.plan.alternatives import alternatives
from optimizer.analysis.plan.answer import (
    Answer,
    Choice,
    Critical,
    Fixed,
    Infeasibility,
    LawUsed,
    Overtraining,
    Savings,
    TrainingOptimal,
)
from optimizer.analysis.plan.bills import (
    amounts,
    bill,
    parties,
    post_training,
    training_run,
    unit_cost,
)
from optimizer.analysis.plan.bindings import as_fixed, limits_used, passed
from optimizer.analysis.plan.chance import chance
from optimizer.analysis.plan.cures import cured
from optimizer.analysis.plan.doubts import erred
from optimizer.analysis.plan.extremes import (
    critical,
    smallest,
    training_optimal,
    training_overhead,
)
from optimizer.analysis.plan.implied import implied_demand
from optimizer.analysis.plan.lifetime import at_target, curve, no_loss, same_loss
from optimizer.analysis.plan.near_optimal import near_to
from optimizer.analysis.plan.other_form import other_form
from optimizer.analysis.plan.over_samples import drawings
from optimizer.analysis.plan.own_plan import own_plan, own_warnings
from optimizer.analysis.plan.own_unit import in_own_unit
from optimizer.analysis.plan.ranges import beyond
from optimizer.analysis.plan.referred import referred
from optimizer.analysis.plan.rooflines import serving_use, taken
from optimizer.analysis.plan.saturation import cheapest, last_thousandth
from optimizer.analysis.plan.search import (
    pair_of,
    search,
    search_whole,
    unless_refused,
    without_limits,
)
from optimizer.analysis.plan.sensitivity import looser, sensitivities
from optimizer.analysis.plan.settle import placed, settled
from optimizer.analysis.plan.together import together
from optimizer.analysis.plan.tokens import demand_total
from optimizer.analysis.plan.warn import warnings, worn
from optimizer.analysis.plan.whole import WholePlan, whole_at
from optimizer.errors import Defect, InputError, Problem
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario, Variant
from optimizer.records import dataclass


@dataclass(frozen=True)
class _Told:
    """What an answer says beside the plan and its costs; see `solve`."""

    whole: bool
    near: bool


def solve(scenario: Scenario, whole: bool = True, near: bool | None = None) -> Answer:
    """Finds the lifetime-optimal plan of a scenario, with its certificate.

    Args:
        scenario: from `load_scenario`.
        whole: whether to say what moves the plan and what its alternatives are, which
            takes longer than all the rest.
        near: whether to say which sizes cost nearly as little; as `whole` if None.

    Returns:
        The answer; its status says whether there is a plan, and if there is none,
        `infeasibility` says why and what would make one.

    Raises:
        Defect: the solver's point failed its certificate; no answer is given.
    """
    answer = _found(scenario, _Told(whole, whole if near is None else near))
    if (mine := scenario.spec.plan) is not None:
        best = None if answer.cost is None else answer.cost.total
        own = own_plan(scenario, mine, best)
        told = (*own_warnings(own), *answer.warnings)
        answer = replace(answer, own=own, warnings=told)
    answer = in_own_unit(answer)
    if not whole:
        return answer
    if scenario.spec.distillation is not None:
        from optimizer.analysis.plan.distill import distil  # noqa: PLC0415 - rare

        total = None if answer.cost is None else answer.cost.total
        if answer.relaxed is not None:
            total = answer.relaxed.total  # in fractions, as the students'
        students = distil(scenario.chosen(answer.choice), total)
        answer = replace(answer, distillation=students)
    return replace(answer, other_form=other_form(scenario, partial(solve, whole=False)))


def _found(scenario: Scenario, told: _Told) -> Answer:
    if for_lifetime(scenario):
        return _for_lifetime(scenario, told)
    if scenario.variants:
        return _best(scenario, told)
    whole = told.whole
    question, found = search_whole(scenario)
    if isinstance(found, Infeasibility):
        if whole:
            found = cured(scenario, question, found, partial(solve, whole=False))
        others = alternatives(scenario, question, crossings=False) if whole else ()
        return _bare(
            scenario, question, Status.INFEASIBLE, infeasibility=found, others=others
        )
    return _answer(scenario, question, found, told)


def for_lifetime(scenario: Scenario) -> bool:
    """Whether a budget for training is to be best for the life."""
    budget = scenario.spec.budget
    return budget is not None and budget.best_for == "lifetime"


def with_its_loss(scenario: Scenario) -> Scenario:
    """A scenario whose budget is best for the life, with the loss that it chooses.

    Any other, and one without a plan, as it is.
    """
    if not for_lifetime(scenario):
        return scenario
    question, lowest = search(scenario)
    if isinstance(lowest, Infeasibility):
        return scenario
    return at_target(scenario, question, lowest)


def _for_lifetime(scenario: Scenario, told: _Told) -> Answer:
    if scenario.variants:
        message = (
            "takes one value of each word; a list of choices cannot stand beside it"
        )
        place = scenario.place("budget.best_for")
        raise InputError([Problem(place, "budget.best_for", message)])
    question, lowest = search(scenario)
    if isinstance(lowest, Infeasibility):
        return _bare(scenario, question, Status.INFEASIBLE, infeasibility=lowest)
    chosen = at_target(scenario, question, lowest)
    answer = solve(chosen, told.whole, told.near)
    if answer.plan is None:
        raise no_loss(scenario, "reaches a loss so near its law's irreducible one")
    s = formulate(chosen).reducible
    if s is None:
        raise Defect("the loss that a budget chooses is no target")
    return replace(
        answer,
        question="lifetime",
        capped=curve(scenario, question, lowest, s) if told.whole else None,
    )


def _best(scenario: Scenario, told: _Told) -> Answer:
    """Solves every combination of the scenario's lists and answers the best."""
    rows = []
    solved: dict[int, tuple[Scenario, Question, WholePlan]] = {}
    fitting = [v.scenario for v in scenario.variants if v.scenario is not None]
    tried = iter(together([unless_refused(one) for one in fitting]))
    for index, variant in enumerate(scenario.variants):
        if variant.scenario is None:
            rows.append(Choice(variant.choice, None, "refused", variant.reason))
            continue
        end = next(tried)
        if isinstance(end, InputError):
            why = end.problems[0].message
            rows.append(Choice(variant.choice, None, "refused", why))
            continue
        question, found = end
        rows.append(_row(variant, question, found))
        if isinstance(found, WholePlan):
            solved[index] = variant.scenario, question, found
    totals = [row.total for row in rows if row.total is not None]
    if not totals:
        # None has a plan: the first that fits together says why.
        answer = solve(first := fitting[0], told.whole, told.near)
        if answer.others:
            # Each takes the best of all lists for itself.
            others = alternatives(scenario, formulate(first), crossings=False)
            answer = replace(answer, others=others)
        return replace(answer, alternatives=tuple(rows))
    best = next(i for i, row in enumerate(rows) if row.total == min(totals))
    rows[best] = replace(rows[best], status="best")
    answer = _answer(*solved[best], told, scenario)
    choice = scenario.variants[best].choice
    return replace(answer, choice=choice, alternatives=tuple(rows))


def _row(
    variant: Variant, question: Question, found: WholePlan | Infeasibility
) -> Choice:
    """A combination by its lifetime cost, or by its loss under a budget."""
    if isinstance(found, Infeasibility):
        return Choice(variant.choice, None, Status.INFEASIBLE.value, found.reason)
    return Choice(variant.choice, found.plan.total, Status.OPTIMAL.value, "")


def _bare(
    scenario: Scenario, question: Question, status: Status, **rest: object
) -> Answer:
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
        ),
        target_loss=question.target,
        reference=referred(scenario, question),
        demand=demand_total(question),
        **rest,  # type: ignore[arg-type]
    )


def _answer(
    scenario: Scenario,
    relaxed: Question,
    made: WholePlan,
    told: _Told,
    asked: Scenario | None = None,
) -> Answer:
    """The answer of one combination of a scenario's lists; `asked` has them all.

    Plan and costs are those of whole machines; ranges, limits and sensitivities those
    of batches in fractions, on the replicas that stand.
    """
    if (number := made.plan.scenario.samples) is not None:
        scenario = replace(scenario, samples=number)
        asked = None if asked is None else asked.every(partial(replace, samples=number))
    whole = told.whole
    question, solution = made.plan.question, made.plan.solution
    middle = made.standing
    surface = question.surface
    equal = cheapest(question, solution)
    found = {**question.fixed, **(equal or solution).point}
    point = placed(question, {"N": found["N"], "D": found["D"]})
    N, D = point["N"], point["D"]
    point = question.complete(point)
    plan = pair_of(question, point)
    # Of the target through s, which keeps the digits that L − E loses.
    s = question.reducible or question.reducible_at(point)
    best = placed(relaxed, training_optimal(relaxed, s, point))
    N0, D0 = best["N"], best["D"]
    cost = bill(question, point)
    _, its = whole_at(scenario, relaxed, best)
    breaks = tuple(limit.name for limit, _ in passed(relaxed.breakable, best))
    optimal = TrainingOptimal(
        parameters=N0,
        tokens=D0,
        tokens_per_parameter=D0 / N0,
        loss=surface.loss_of(s),
        feasible=not breaks and as_fixed(question, best),
        cost=bill(its, its.complete(best)),
        breaks=breaks,
        samples=question.samples,
    )
    saved = optimal.cost.total - cost.total
    unique = scenario.spec.data.unique_tokens
    moves = sensitivities(middle.scenario, middle.solution, _program) if whole else ()
    base = optimal.cost.total
    fixed = None
    if question.fixed:
        fixed = _fixed(scenario, question, solution)
        if whole:
            ways = (asked or scenario).singles
            suits = implied_demand(ways, {"N": N, "D": D}, s)
            fixed = replace(
                fixed,
                implied_demand=suits.tokens,
                implied_within=suits.within,
                implied_reason=suits.reason or None,
            )
    at, uses = point, None
    if made.relaxed is not None or middle.question.between is not None:
        at = middle.question.complete(middle.size)
        uses = taken(made.plan.scenario, question, point)
    answer = _bare(
        scenario,
        question,
        Status.OPTIMAL,
        plan=plan,
        training_optimal=optimal,
        overtraining=Overtraining(
            factor=D / question.optimal_tokens(N),
            parameters_ratio=N / N0,
            tokens_ratio=D / D0,
            cost_ratio=cost.total / base,
            attention=question.attention > 0,
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
        savings=Savings(saved, saved / base),
        near_optimal=near_to(middle.question, middle.solution) if told.near else (),
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
        ),
        extrapolation=beyond(scenario.law, plan.parameters, plan.tokens),
        erred=erred(scenario.law, plan.tokens_per_parameter),
        reached=chance(scenario, plan) if whole else None,
        free=without_limits(scenario) if whole and answer.held_by else None,
    )
    return settled(answer, question)


def _program(scenario: Scenario) -> GeometricProgram:
    return formulate(scenario).program


def _fixed(scenario: Scenario, question: Question, solution: Solution) -> Fixed:
    """What the decision already taken costs."""
    spec = scenario.spec.model_copy(update={"fix": None})
    _, free = search_whole(replace(scenario, spec=spec, samples=None))
    if isinstance(free, Infeasibility):
        raise Defect("what is decided has a plan, and without it there is none")
    best, here = free.plan.solution.value, solution.value
    extra = here - best
    if question.reducible is None:
        extra = question.surface.loss_of(here) - free.plan.total
    optimum = pair_of(free.plan.question, free.plan.size)
    return Fixed(optimum, extra, here / best - 1, None)
