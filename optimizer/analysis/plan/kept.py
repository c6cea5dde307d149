"""A model that exists, served: its own batch and step, certified, or why it cannot be.

Its training is paid, so that only what serving costs is left to minimise,

    minimise    Σ_streams serving(N, batch, step)    at the N and whole batch that stand
    subject to  what the serving machines allow, and the limits on what is served,

with the model's own architecture and all its stored weights. Limits of training are no
limits here, and those of the whole life count serving alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from optimizer.algebra.posynomial import Term, build, merge
from optimizer.algebra.program import Certificate, Constraint, GeometricProgram
from optimizer.analysis.plan.bindings import passed
from optimizer.analysis.plan.overtaking import Stairs
from optimizer.analysis.plan.practice import ServingUse
from optimizer.analysis.plan.rooflines import serving_use
from optimizer.analysis.plan.rounded import needs, next_up, whole_at
from optimizer.analysis.plan.wording import amount, either, picked
from optimizer.engine.solve import solve
from optimizer.question.asked import Question
from optimizer.question.at_size import held_at
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.question.sizes import unfit
from optimizer.records import dataclass, replace
from optimizer.world.costs import value
from optimizer.world.limits import Limit, counted
from optimizer.world.models import Exists, size_in

WHOLE = {"limits.total_cost", "limits.energy"}  # of the life, training included


@dataclass(frozen=True)
class Kept:
    """What serving a model costs that exists.

    Attributes:
        total: counted lifetime cost of serving, in the objective's unit; None where
            it cannot be served.
        choice: of the scenario's lists, that it is served by.
        serving: its machines, with the batch and step of its own.
        certificate: that no other batch or step is cheaper; None where there is
            nothing to choose.
        reason: why it cannot be served by what comes nearest; None where it can.
        short: the factor by which it breaks the worst limit; 0 where it breaks none.
    """

    total: float | None
    choice: Mapping[str, str]
    serving: tuple[ServingUse, ...] = ()
    certificate: Certificate | None = None
    reason: str | None = None
    short: float = 0.0


def kept(scenario: Scenario, what: Exists) -> Kept:
    """Serves a model at the least cost, by the best of the scenario's lists."""
    if message := unfit(what, scenario):
        return Kept(None, {}, reason=message)
    N = size_in(what, scenario.law.counts)
    ways = [(v.choice, v.scenario) for v in scenario.variants if v.scenario is not None]
    found = [
        _served(held, N, choice)
        for choice, one in ways or [({}, scenario)]
        for held in held_at(one, what, fix=None)
    ]
    able = [one for one in found if one.total is not None]
    if able:
        return min(able, key=lambda one: one.total or 0.0)
    return min(found, key=lambda one: one.short)


def alone(question: Question) -> tuple[tuple[Term, ...], tuple[Limit, ...]]:
    """What serving costs that is counted, and the limits on a model that exists."""
    return _cost(question), tuple(_limits(question, life=True))


def stairs(scenario: Scenario, what: Exists) -> tuple[Stairs, ...]:
    """What serving a model costs by the factor of the demand, for each of the lists.

    Args:
        scenario: in which it can be served.
        what: the model.
    """
    N = size_in(what, scenario.law.counts)
    held = held_at(scenario, what, fix=None)
    # A limit on the whole bill is one on the demand that is asked about.
    found = [(one, _served(one, N, {}, life=False).total) for one in held]
    return tuple(_stairs(one, N, total) for one, total in found if total is not None)


def _stairs(scenario: Scenario, N: float, total: float) -> Stairs:
    """Each machine's replicas by what one more of them costs."""
    size = {"N": N, "D": N}
    scenario, question = whole_at(scenario, formulate(scenario), size)
    point = question.complete(size)
    here = sum(value(term, point) for term in _cost(question))
    replicas = []
    for suffix, need in needs(scenario, question, point).items():
        its = scenario.whole[suffix]
        more = replace(its, replicas=(its.replicas or 0.0) + 1)
        raised = formulate(replace(scenario, whole={**scenario.whole, suffix: more}))
        price = sum(value(term, point) for term in _cost(raised)) - here
        replicas.append((price, need))
    stand = sum(price * next_up(need) for price, need in replicas)
    return Stairs(max(total - stand, 0.0), tuple(replicas))


def _cost(question: Question) -> tuple[Term, ...]:
    """What serving costs that is counted."""
    return tuple(
        merge(
            term
            for line in question.bill
            if line.group == "inference" and line.share
            for term in _times(line.terms[question.unit], line.share)
        )
    )


def _served(
    scenario: Scenario, N: float, choice: Mapping[str, str], life: bool = True
) -> Kept:
    size = {"N": N, "D": N}
    scenario, question = whole_at(scenario, formulate(scenario), size)
    point = question.complete(size)
    limits = tuple(_limits(question, life))
    if breaks := passed(limits, point):
        why = f"cannot keep {either(told(breaks), 'and')}"
        if choice:
            why += f", even with {picked(choice)}"
        short = max(used / limit.bound for limit, used in breaks)
        return Kept(None, choice, reason=why, short=short)
    cost = _cost(question)
    names = [name for r in question.replicas for name in r.variables]
    served = serving_use(scenario, question, point)
    if not (names and any(set(t.exponents) & set(names) for t in cost)):
        return Kept(sum(value(t, point) for t in cost), choice, served)
    walls = tuple(
        Constraint(
            limit.name,
            build(("N", *names), _times(limit.terms, 1 / limit.bound)),
        )
        for limit in (*limits, *question.physics)
        if any(set(t.exponents) & set(names) for t in limit.terms)
    )
    program = GeometricProgram(build(("N", *names), cost), walls).fixing({"N": N})
    solution = solve(program, question.start(program))
    return Kept(
        solution.value,
        choice,
        served,
        solution.certificate,
    )


def _limits(question: Question, life: bool) -> Iterator[Limit]:
    """The limits on a model that is only served; those of its life where asked."""
    serving = [line for line in question.bill if line.group == "inference"]
    for limit in question.limits:
        if limit.name in WHOLE and not life:
            continue
        if limit.name in WHOLE:
            terms = counted(serving, limit.unit)
            yield Limit(limit.name, limit.bound, limit.unit, terms)
        elif not any({"D", "U"} & set(t.exponents) for t in limit.terms):
            yield limit


def _times(terms: Iterable[Term], factor: float) -> list[Term]:
    return [Term(t.label, t.coefficient * factor, t.exponents) for t in terms]


def told(breaks: Iterable[tuple[Limit, float]]) -> list[str]:
    """Limits that are not kept, each with what is taken of it, in words."""
    return [
        f"{limit.name} of {amount(limit.bound, limit.unit)} "
        f"(it takes {amount(used, limit.unit)})"
        for limit, used in breaks
    ]
