"""Whether bounds on what saturates leave any room, told before all is tried.

At the lowest loss that repeated data give, curves are flat and no multiplier is a
number: every way of solving ends without a certificate, after seconds. The geometric
program around says so in a millisecond. The least t with g_i ≤ t for all its bounds is
of a program that has room, so it is certified; where it is 1, no point lies inside.
What is narrow where curves still rise has its certificate and is not meant.
*Source*: Boyd, Kim, Vandenberghe & Hassibi 2007, section 3.1 (feasibility).
"""

from __future__ import annotations

from collections.abc import Collection

from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.engine.enclose import enclose, quantities

FACTOR = "relaxation"
SLIVER = 1e-7  # closer to infeasible than this, no multiplier is a number
ENOUGH = 0.5  # factor by which no bound need give less


def relaxation(program: GeometricProgram, relaxed: Collection[str]) -> GeometricProgram:
    """The program of the least factor by which some bounds must grow for all to be met.

    Args:
        program: its objective does not matter; of a batch too.
        relaxed: the names of the constraints that may give, by a common factor, which
            is the last variable.
    """
    factor = FACTOR
    while factor in program.variables:
        factor += "'"  # the program is a relaxation itself
    variables = (*program.variables, factor)
    constraints = tuple(
        Constraint(
            c.name,
            c.posynomial.over(variables).times({factor: -1.0})
            if c.name in relaxed
            else c.posynomial.over(variables),
        )
        for c in program.constraints
    )
    objective = build(variables, [Term(FACTOR, 1.0, {factor: 1.0})])
    return GeometricProgram(objective, constraints)


def room(program: GeometricProgram) -> tuple[GeometricProgram, list[int]]:
    """The program of what its bounds leave, where it has quantities that saturate.

    Args:
        program: of one member.

    Returns:
        The least factor t that all bounds of its enclosure take, no less than `ENOUGH`,
        and which of those bounds are limits of quantities: where one of them has a
        multiplier, t is about how near a curve comes to where it is flat. The program
        itself and none, where nothing saturates.
    """
    curves = quantities(program).items()
    if not curves:
        return program, []
    outer = enclose(program)
    every = relaxation(outer, [c.name for c in outer.constraints])
    floor = build(every.variables, [Term(FACTOR, ENOUGH, {every.variables[-1]: -1.0})])
    bounds = (*every.constraints, Constraint("enough", floor))
    limits = {f"{name} tangent {len(q.tangents()) - 1}" for name, q in curves}
    ends = [i for i, bound in enumerate(bounds) if bound.name in limits]
    return GeometricProgram(every.objective, bounds), ends
