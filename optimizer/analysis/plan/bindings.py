"""The limits at a plan: what it uses of each, and what more of one would gain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from optimizer.algebra.program import Constraint, GeometricProgram, Solution, Status
from optimizer.analysis.plan.answer import LimitUsed
from optimizer.engine.solve import attempt_each
from optimizer.errors import Mark
from optimizer.question.asked import Question
from optimizer.records import replace
from optimizer.world.costs import value
from optimizer.world.limits import Limit

BINDING = 1e-9  # ln(bound/used) below which a limit counts as met
MORE = 1.01  # times a bound


def limits_used(
    limits: Sequence[Limit],
    solution: Solution,
    point: Mapping[str, float],
    place: Callable[[str], Mark],
    looser: Mapping[str, float],
    taken: Mapping[str, float] | None = None,
    measured: float = 1.0,
) -> tuple[LimitUsed, ...]:
    """Describes each limit at an optimum.

    Args:
        limits: those of the user.
        solution: of the program that they constrain, by their names.
        point: the plan, every variable by its name.
        place: from a limit's name to its place in the file.
        looser: elasticities towards larger bounds, where the two sides differ.
        taken: of each by the plan in whole machines; what the point takes if None.
        measured: the power of the solution's value that elasticities and prices are
            of, as `Question.measured`.
    """
    worth = solution.value**measured
    _, multipliers = solution.optimum
    names = [constraint.name for constraint in solution.program.constraints]
    found = []
    for limit in limits:
        used = sum(value(t, point) for t in limit.terms)
        binding = met = used > 0 and math.log(limit.bound / used) < BINDING
        price = -measured * float(multipliers[names.index(limit.name)])
        elasticity = min(looser.get(limit.name, price), 0.0) if binding else 0.0
        if taken is not None:
            used = taken.get(limit.name, used)
            met = used > 0 and math.log(limit.bound / used) < BINDING
            # Machines in whole numbers may leave room that no fraction would.
            binding = met or (binding and elasticity < 0)
        found.append(
            LimitUsed(
                name=limit.name,
                bound=limit.bound,
                value=limit.bound if met else used,
                unit=limit.unit,
                binding=binding,
                one_percent=0.0,
                elasticity=elasticity,
                shadow_price=elasticity * worth / limit.bound,
                line=place(limit.name).line or None,
                source=str(place(limit.name)),
            )
        )
    steep = [wall.name for wall in found if wall.elasticity < 0]
    gains = dict(zip(steep, _gains(solution, steep, measured), strict=True))
    return tuple(replace(wall, one_percent=gains.get(wall.name, 0.0)) for wall in found)


def _gains(
    solution: Solution, names: Sequence[str], measured: float
) -> list[float | None]:
    """The relative change of an optimum with 1 % more of one bound, of each named."""
    program, (z, prices) = solution.program, solution.optimum

    def eased(name: str) -> GeometricProgram:
        walls = (
            Constraint(c.name, c.posynomial.scaled(1 / MORE)) if c.name == name else c
            for c in program.constraints
        )
        return GeometricProgram(program.objective, tuple(walls))

    asked = [eased(name) for name in names]
    count = len(asked)
    ends = attempt_each(asked, [z] * count, guesses=[prices] * count, same=True)
    return [
        None
        if end is None or end.status is not Status.OPTIMAL
        else min(math.expm1(measured * math.log(end.value / solution.value)), 0.0)
        for end in ends
    ]


def passed(
    limits: Iterable[Limit], point: Mapping[str, float]
) -> tuple[tuple[Limit, float], ...]:
    """The limits that a point does not keep, each with what it takes, in its unit."""
    used = ((limit, sum(value(t, point) for t in limit.terms)) for limit in limits)
    return tuple(
        (limit, taken) for limit, taken in used if taken > limit.bound * (1 + BINDING)
    )


def as_fixed(question: Question, point: Mapping[str, float]) -> bool:
    """Whether a point has the values that the scenario fixes."""
    return all(
        math.isclose(point[name], fixed, rel_tol=BINDING)
        for name, fixed in question.fixed.items()
    )
