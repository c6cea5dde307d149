"""The answer to a portfolio: each model's plan, and the price of what they share."""

from __future__ import annotations

from optimizer.algebra.program import (
    Certificate,
    GeometricProgram,
    Solution,
    Status,
)
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.alternatives import alternatives
from optimizer.analysis.plan.answer import Answer, LimitUsed
from optimizer.analysis.plan.bindings import as_fixed, limits_used
from optimizer.analysis.plan.chance import chance
from optimizer.analysis.plan.explain import of_nearest
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.optimum import solve as solve_alone
from optimizer.analysis.plan.own_unit import told_in
from optimizer.analysis.plan.sensitivity import looser, sensitivities
from optimizer.analysis.plan.settle import moved_onto, onto
from optimizer.analysis.portfolio.cures import WHOLE, cured
from optimizer.analysis.portfolio.deadlock import explain_portfolio
from optimizer.analysis.portfolio.drawn import decided
from optimizer.analysis.portfolio.taught import taught
from optimizer.analysis.portfolio.whole_joint import in_whole_numbers, jointly
from optimizer.engine.certify import UncertifiedError
from optimizer.errors import Defect, InputError
from optimizer.question.portfolio import (
    JointQuestion,
    Portfolio,
    formulate_portfolio,
    own,
    variable,
)
from optimizer.question.scenario import Fix, Scenario
from optimizer.reading.loss_words import common
from optimizer.records import dataclass, replace
from optimizer.world.costs import value


@dataclass(frozen=True)
class JointPlan:
    """The joint answer to a portfolio.

    Attributes:
        name: of the portfolio.
        file: where it was read.
        status: whether there is a joint plan.
        members: each model's answer, held to the size that the joint plan gives it;
            its `fixed` says what sharing costs it against a plan of its own.
        total: the joint lifetime cost; None without a plan.
        unit: of the total.
        shared: the shared bounds, with their shadow prices.
        certificate: of the joint program.
        relaxed: the joint cost with machines in fractions, a lower bound; None where
            none had to be made whole.
        conflict: where there is no plan, names of bounds that exclude each other, or
            of models that have none alone.
        infeasibility: why there is none, and what would make one.
    """

    name: str
    file: str
    status: Status
    members: tuple[Answer, ...]
    total: float | None
    unit: str
    shared: tuple[LimitUsed, ...]
    certificate: Certificate | None
    conflict: tuple[str, ...] = ()
    infeasibility: Infeasibility | None = None
    relaxed: float | None = None

    @property
    def loss_unit(self) -> str:
        """Of the losses of all models."""
        return common(answer.law.loss_unit for answer in self.members)


Family = JointPlan  # its public name since 0.1.0


def solve_portfolio(portfolio: Portfolio, whole: bool = True) -> JointPlan:
    """Finds the plans of least joint lifetime cost under the shared bounds.

    Args:
        portfolio: from `load_portfolio`.
        whole: whether to say what moves the plans, what their alternatives are, and
            what would make a plan where there is none.

    Raises:
        Defect: the joint program's point failed its certificate.
    """
    joint = formulate_portfolio(portfolio)
    units = {question.unit for question in joint.questions}
    alone = tuple(solve_alone(member, whole) for member in portfolio.members)
    bare = JointPlan(
        name=portfolio.name,
        file=portfolio.file,
        status=Status.INFEASIBLE,
        members=alone,
        total=None,
        unit=units.pop(),
        shared=(),
        certificate=None,
    )
    stuck = tuple(a.scenario for a in alone if a.status is not Status.OPTIMAL)
    found = None if stuck else jointly(portfolio)
    drawn = None if found is None else decided(found)
    made = None if drawn is None else in_whole_numbers(drawn)
    if (
        found is None
        or drawn is None
        or made is None
        or made.solution.status is not Status.OPTIMAL
    ):
        if not whole:
            return replace(bare, conflict=stuck)
        if made is not None:
            joint = made.question
        elif touching.machines(joint):
            joint = jointly(portfolio).question
        why = explain_portfolio(portfolio, joint)
        if found is not None and found.solution.status is Status.OPTIMAL:
            why = of_nearest(why, WHOLE)
        elif touching.machines(joint) and not touching.is_below(joint):
            # Told at some batches; others may need less.
            why = of_nearest(why, "batches and replicas")
        why = cured(portfolio, joint, why, _total)
        why = told_in(why, bare.loss_unit)
        return replace(bare, conflict=stuck or why.conflict, infeasibility=why)
    solution, point = found.solution, made.point
    members = []
    pairs = zip(drawn.portfolio.members, alone, strict=True)
    for index, (member, mine) in enumerate(pairs):
        # What is decided already decides the rest, to the last digit.
        size = member.spec.fix or Fix(parameters=point[variable("N", member.name)])
        spec = member.spec.model_copy(update={"fix": size})
        alone_held = solve_alone(replace(member, spec=spec), whole=False, near=whole)
        held = _beside(alone_held, mine)
        if whole:
            held = _priced(held, found.portfolio, found.question, index, solution)
            held = replace(held, distillation=taught(found, index))
        members.append(held)
    total = made.solution.value
    taken = {
        wall.name: sum(value(t, point) for t in wall.terms)
        for wall in made.question.shared
    }
    shared = limits_used(
        found.question.shared, solution, found.point, portfolio.place, {}, taken
    )
    bounds = [wall.bound for wall in shared if wall.binding]
    total = onto(bounds)(total)
    return replace(
        bare,
        status=Status.OPTIMAL,
        members=tuple(moved_onto(member, bounds) for member in members),
        total=total,
        shared=shared,
        certificate=made.solution.certificate,
        relaxed=None if made is found else solution.value,
    )


def _total(portfolio: Portfolio) -> float | None:
    try:
        return solve_portfolio(portfolio, whole=False).total
    except (InputError, Defect, UncertifiedError):
        return None


def _priced(
    held: Answer,
    portfolio: Portfolio,
    joint: JointQuestion,
    index: int,
    solution: Solution,
) -> Answer:
    """A member with what its own limits and inputs are worth to the joint cost."""
    member, question = portfolio.members[index], joint.questions[index]
    mine = joint.of_model(index, {**joint.fixed, **solution.point})

    def asked(moved: Scenario) -> GeometricProgram:
        members = list(portfolio.members)
        members[index] = moved
        return formulate_portfolio(replace(portfolio, members=tuple(members))).program

    moves = sensitivities(member, solution, asked)
    limits = tuple(
        replace(used, name=limit.name)
        for limit in question.limits
        for used in limits_used(
            [replace(limit, name=own(member.name, limit.name))],
            solution,
            mine,
            lambda _, name=limit.name: member.place(name),  # type: ignore[misc]
            {own(member.name, name): move for name, move in looser(moves).items()},
            {own(member.name, wall.name): wall.value for wall in held.limits},
        )
    )
    best = held.training_optimal
    if best is not None:
        best = replace(
            best,
            feasible=not best.breaks
            and as_fixed(question, {"N": best.parameters, "D": best.tokens}),
        )
    return replace(
        held,
        others=alternatives(member, question, crossings=False),
        limits=limits,
        sensitivities=moves,
        training_optimal=best,
        reached=None if held.plan is None else chance(member, held.plan),
    )


def _beside(held: Answer, own: Answer) -> Answer:
    """A member in the joint plan, with what that costs it against a plan of its own.

    Raises:
        Defect: the size of the joint plan does not suit the model.
    """
    if held.cost is None or held.fixed is None or own.cost is None or own.plan is None:
        raise Defect(f"the joint plan does not suit {held.scenario}")
    extra = held.cost.total - own.cost.total
    fixed = replace(
        held.fixed, optimum=own.plan, extra=extra, fraction=extra / own.cost.total
    )
    return replace(held, fixed=fixed)
