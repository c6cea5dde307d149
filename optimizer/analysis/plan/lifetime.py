"""A budget for training and a demand: which loss is worth training for?

Under a cap g(N, D) ≤ 1 on training the lowest loss is that of the training-optimal
model, whatever is served. The caps are the budget and the limits on the compute, time
and cost of training, g the greatest of them: they hold back the same run, and a limit
of 30 days beside a budget of dollars is the budget of 30 days. All other limits, as on
the size, are of the model and its life. Let P(s) be the plan of least lifetime cost for
the reducible loss s within those, the caps aside. The answer to `best_for: lifetime` is

    s* = min { s : every plan P(s') with s' ≥ s keeps the caps },

the lowest loss at which the plan still is lifetime-optimal: the multipliers of the
caps, which are what they cost, are zero from s* up and one is above zero below.
ln g(P(s)) is continuous in s, and s* is where it passes zero, found by Brent's method.
Both programs at s*, with the caps and without, are certified and cost the same. Where
the other limits leave no choice, as a size that all losses want to pass, s* is the
lowest loss there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.capped import Capped, SameLoss, Step
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.saturation import of_target
from optimizer.analysis.plan.touching import ended, machines
from optimizer.analysis.plan.whole import Solved, make_whole
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.crossing import crossing
from optimizer.engine.solve import refine, solve
from optimizer.errors import Defect, InputError, Problem
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.question.target import Target
from optimizer.records import replace
from optimizer.world.costs import value
from optimizer.world.limits import TRAINING, Budget, Limit, Limits

KEPT = 1e-10  # ln g up to which a plan keeps the cap
NEAR = 1e-9  # of the reducible loss: the answer stands this far on the free side
BELOW = (0.25, 0.5, 0.75)  # of the way from the lowest loss to the chosen one
ABOVE = (1.02, 1.05, 1.1, 1.2, 1.4)  # times the chosen reducible loss
DOUBLINGS = 60
SAVED = 1e-6  # of a lifetime cost, less than which nobody gives up a limit for


def training_budget(question: Question) -> Limit | None:
    """The budget, where it is one for training alone."""
    return next((w for w in question.limits if w.name.startswith("budget.train")), None)


def caps(question: Question) -> tuple[Limit, ...]:
    """The budget, and the limits that hold training back as it does."""
    names = {f"limits.{word}" for word in TRAINING}
    return tuple(
        w for w in question.limits if w.name.startswith("budget.") or w.name in names
    )


def same_loss(
    scenario: Scenario, question: Question, s: float, total: float
) -> SameLoss | None:
    """The cheapest plan over the life with a budget's loss; None without demand.

    The caps of training are aside.

    Args:
        scenario: with nothing made whole.
        question: the same as mathematics, under a budget for training.
        s: the reducible loss of its plan.
        total: the lifetime cost of that.
    """
    serves = sum(
        line.share * line.served.tokens for line in question.bill if line.served
    )
    if (
        training_budget(question) is None
        or question.reducible is not None
        or question.fixed
        or not serves
    ):
        return None
    return _cheapest(_uncapped(scenario), question, _freed(question, s), total)


def _cheapest(
    scenario: Scenario, question: Question, freed: Question, total: float
) -> SameLoss | None:
    """The cheapest plan of a loss without some limits, beside one with them.

    Args:
        scenario: without them, and with nothing made whole.
        question: with the caps.
        freed: for the loss, without them.
        total: the lifetime cost of the plan with them.
    """
    s = freed.reducible
    try:
        found = _least(scenario, freed, None)
    except UncertifiedError:
        return None  # data that repeat beyond use: no other plan has this loss
    if found is None or s is None:
        return None
    its, solution = _whole(s, None, found)
    point = _point(its, solution)
    cost = bill(its, point).total
    most = max(caps(question), key=lambda cap: _used([cap], point))
    return SameLoss(
        parameters=point["N"],
        tokens=point["D"],
        total=cost,
        saved=1 - cost / total,
        cap=most.name,
        needs=_used([most], point) * most.bound,
    )


def at_target(scenario: Scenario, question: Question, lowest: Solution) -> Scenario:
    """The scenario with the loss s* as its target, and the budget as a limit.

    Args:
        scenario: with `best_for: lifetime`.
        question: the same as mathematics.
        lowest: the certified lowest loss under the budget.
    """
    s = _still_free(scenario, question, lowest)
    budget = scenario.spec.budget
    if budget is None:
        raise Defect("a scenario without a budget has no lowest loss")
    return at_loss(scenario, question, s, budget)


def at_loss(
    scenario: Scenario, question: Question, s: float, budget: Budget | None
) -> Scenario:
    """The scenario with a reducible loss as its target.

    Args:
        scenario: with a target or a budget.
        question: the same as mathematics.
        s: the reducible loss.
        budget: that limits the plan, or None.
    """
    kept = None if budget is None else budget.model_copy(update={"best_for": "loss"})
    loss = question.surface.loss_of(s)
    while question.surface.reducible(loss) < s:  # E + s keeps few digits of a small s
        loss = math.nextafter(loss, math.inf)
    words = {"target": Target(loss=loss), "budget": kept}
    spec = scenario.spec.model_copy(update=words)
    return replace(scenario, spec=spec, reference=None)


def curve(
    scenario: Scenario, question: Question, lowest: Solution, chosen: float
) -> Capped:
    """Lifetime cost against the loss under the budget, the choice among it.

    Args:
        scenario: with nothing made whole.
        question: the same as mathematics, under the budget.
        lowest: the certified lowest loss.
        chosen: the reducible loss of the answer.
    """
    least = lowest.value
    between = (
        [least * (chosen / least) ** part for part in BELOW]
        if chosen > least * (1 + 1e-6)
        else []
    )
    above = [chosen, *(chosen * factor for factor in ABOVE)]
    steps = list(_steps(scenario, question, [*between, *above]))
    if between:
        first = Solved(scenario, replace(question, reducible=least), lowest)
        steps.insert(0, _step(scenario, question, least, first))
    at = question.surface.loss_of(chosen)
    place = next(i for i, step in enumerate(steps) if step.loss >= at * (1 - 1e-15))
    budget = training_budget(question)
    unlimited = None
    if not between:
        unlimited = _unlimited(scenario, question, chosen, steps[place].total)
    return Capped(
        name="" if budget is None else budget.name,
        steps=tuple(steps),
        chosen=place,
        caps=tuple(cap.name for cap in caps(question) if cap is not budget),
        unlimited=unlimited,
    )


def _unlimited(
    scenario: Scenario, question: Question, s: float, total: float
) -> SameLoss | None:
    """The cheapest plan of a loss without caps and limits, where it is another one."""
    spec = scenario.spec.model_copy(update={"limits": Limits()})
    free = at_loss(replace(scenario, spec=spec), question, s, None)
    found = _cheapest(free, question, formulate(free), total)
    return None if found is None or found.saved < SAVED else found


def _still_free(scenario: Scenario, question: Question, lowest: Solution) -> float:
    """S*: the lowest reducible loss whose lifetime-optimal plan keeps the caps.

    Raises:
        InputError: there is none, or numbers cannot tell.
    """
    held = caps(question)
    if training_budget(question) is None:
        raise Defect("only a budget for training can leave the life open")
    found: list[Solved] = []

    def over(n: float) -> float:
        """Ln g of the plan of least lifetime cost for s = e^n."""
        last = found[-1] if found else None
        try:
            least = _least(scenario, _freed(question, math.exp(n)), last)
        except UncertifiedError:
            least = None  # between the two losses is less than numbers tell apart
        if least is None:
            raise no_loss(scenario, "is asked so near the lowest loss of its data")
        found.append(least)
        return math.log(_used(held, _point(question, least.solution)))

    low = math.log(lowest.value) + NEAR
    if over(low) <= KEPT:
        return lowest.value * (1 + NEAR)  # nothing is left to choose: the two are one
    high = low
    for _ in range(DOUBLINGS):
        high += math.log(2) / 4
        if over(high) <= 0:
            break
    else:
        raise no_loss(scenario, "is so far outweighed by what is served")
    return math.exp(crossing(over, low, high, 1e-13)) * (1 + NEAR)


def no_loss(scenario: Scenario, why: str) -> InputError:
    """An error: no loss is the answer, or none that numbers can tell."""
    message = (
        f"{why}, that no loss was found whose cheapest plan over the life keeps the "
        "budget; remove best_for to have the lowest loss, or check the demand"
    )
    return InputError([Problem(scenario.place("budget"), "budget.best_for", message)])


def _uncapped(scenario: Scenario) -> Scenario:
    """A scenario without the limits that hold training back as its budget does."""
    limits = scenario.spec.limits.model_copy(update=dict.fromkeys(TRAINING))
    return replace(scenario, spec=scenario.spec.model_copy(update={"limits": limits}))


def _freed(question: Question, s: float) -> Question:
    """A question for a reducible loss, the caps aside."""
    held = caps(question)
    kept = tuple(w for w in question.limits if w not in held)
    return replace(question, reducible=s, limits=kept)


def _least(
    scenario: Scenario, question: Question, near: Solved | None
) -> Solved | None:
    if machines(question):
        made = Solved(*ended(scenario, question))
        return made if made.solution.status is Status.OPTIMAL else None
    program = question.program
    try:
        if near is None:
            found = solve(program, question.start(program))
        else:
            start = question.start(program)
            found = refine(program, *near.solution.optimum, start=start)
    except UncertifiedError:
        entered = of_target(question)
        if entered is None:
            raise
        found = entered
    solved = found.status is Status.OPTIMAL
    return Solved(scenario, question, found) if solved else None


def _whole(s: float, budget: Budget | None, found: Solved) -> tuple[Question, Solution]:
    """A plan for a loss with its machines in whole numbers, where it has machines.

    Args:
        s: the reducible loss.
        budget: that limits the plan, or None.
        found: at that loss, with machines in fractions.
    """
    if fractions(found.scenario):
        aimed = at_loss(found.scenario, found.question, s, budget)
        made = make_whole(replace(found, scenario=aimed))
    else:
        made = None
    if made is None:
        return found.question, found.solution
    return made.plan.question, made.plan.solution


def _steps(
    scenario: Scenario, question: Question, losses: list[float]
) -> Iterator[Step]:
    last: Solved | None = None
    for s in losses:
        try:
            found = _least(scenario, replace(question, reducible=s), last)
        except UncertifiedError:
            continue  # next to no room: no multiplier to certify with
        if found is not None:
            last = found
            yield _step(scenario, question, s, found)


def _step(scenario: Scenario, question: Question, s: float, capped: Solved) -> Step:
    free = _least(_uncapped(scenario), _freed(question, s), None)
    if free is None:
        raise Defect("a loss that the budget reaches has no plan without it")
    its, solution = _whole(s, scenario.spec.budget, capped)
    best, cheapest = _whole(s, None, free)
    point = _point(its, solution)
    total = bill(its, point).total
    if (certificate := solution.certificate) is None:
        raise Defect("a plan under a budget has no certificate")
    least = bill(best, _point(best, cheapest)).total
    return Step(
        loss=question.surface.loss_of(s),
        parameters=point["N"],
        tokens=point["D"],
        total=total,
        used=_used(caps(question), point),
        extra=max(total / least - 1, 0.0),
        certificate=certificate,
    )


def _point(question: Question, solution: Solution) -> dict[str, float]:
    return question.complete(question.size(solution.point))


def _used(held: Sequence[Limit], point: dict[str, float]) -> float:
    """What a plan takes of the limit of which it takes most, a fraction."""
    return max(sum(value(term, point) for term in w.terms) / w.bound for w in held)
