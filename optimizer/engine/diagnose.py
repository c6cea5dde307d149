"""How far bounds must give way for a plan, and how low a program goes.

Relaxing is a geometric program of its own, min u subject to g_i ≤ u for the bounds
that may give and g_j ≤ 1 for the rest, so each statement here carries the same
certificate as a plan. *Source*: Boyd, Kim, Vandenberghe & Hassibi 2007, section
3.1 (feasibility).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from optimizer.algebra.composite import Composite, compose
from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import (
    Certificate,
    Constraint,
    Function,
    GeometricProgram,
    Solution,
    Status,
)
from optimizer.engine.certify import GAP, VIOLATION
from optimizer.engine.cone import balanced
from optimizer.engine.enclose import enclose
from optimizer.engine.room import SLIVER, relaxation
from optimizer.engine.solve import solve
from optimizer.errors import Defect
from optimizer.records import dataclass

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
ROOM = 1e-6  # a relaxation leaves this much, so that the relaxed program has a plan
FAR = 1e-3  # and this much where its least has a variable at 0 or ∞
NOWHERE = np.zeros((1, 0))  # the only point of a program without variables
OBJECTIVE = "objective"
ENDLESS = 1e80  # where a variable goes to ∞ and what saturates has saturated


@dataclass(frozen=True)
class Infimum:
    """The greatest lower bound of a program, reached or not.

    Attributes:
        value: of the objective.
        attained: False where it is only approached as a variable goes to 0 or ∞.
        certificate: of the program without the terms that vanish.
        solution: of the program, where none does.
    """

    value: float
    attained: bool
    certificate: Certificate | None
    solution: Solution | None = None


def least_relaxation(
    program: GeometricProgram, relaxed: Collection[str], gap: float = GAP
) -> Infimum:
    """The least factor by which some bounds must grow for all to be met.

    Args:
        program: its objective does not matter.
        relaxed: the names of the constraints that may give, by a common factor.
        gap: that the certificate may leave, for a factor that is told with more room.
    """
    met = all(c.name in relaxed for c in program.constraints)
    return infimum(relaxation(program, relaxed), met=met, gap=gap)


def infimum(
    program: GeometricProgram, *, met: bool = False, gap: float = GAP
) -> Infimum:
    """The greatest lower bound of a program that may approach it only at infinity.

    Along a direction in which no term grows, the terms that fall vanish in the
    limit. They are taken out until no such direction is left; what remains attains
    its infimum, and that is the infimum of the program. The program itself attains it
    unless the objective or a constraint that binds there has lost a term.
    A program without a feasible point has the infimum ∞.

    Where quantities saturate, the program around says which terms vanish, and the
    rest is solved on the true curves.

    Args:
        program: the program.
        met: whether it is known to have a feasible point.
        gap: as for `solve`.
    """
    thinned: set[str] = set()
    attained = True
    true = program
    program = _narrowed(enclose(program))
    kept = [np.arange(len(p.labels)) for p in program.posynomials]
    rows = {c.name: i + 1 for i, c in enumerate(program.constraints)}
    while (falling := _falling(program)) is not None:
        attained = attained and not falling[0].any()
        names = [c.name for c in program.constraints]
        thinned |= {n for n, gone in zip(names, falling[1:], strict=True) if gone.any()}
        for row, gone in zip((0, *(rows[n] for n in names)), falling, strict=True):
            kept[row] = kept[row][~gone]
        left = [
            _only(p, np.flatnonzero(~gone))
            for p, gone in zip(program.posynomials, falling, strict=True)
        ]
        constraints = tuple(
            Constraint(c.name, p)
            for c, p in zip(program.constraints, left[1:], strict=True)
            if p is not None
        )
        if left[0] is None:
            there = met or _meet(constraints)
            return Infimum(0.0 if there else math.inf, attained, None)
        program = _narrowed(GeometricProgram(left[0], constraints))
    if not program.variables:
        held = [c.posynomial.log_value(NOWHERE)[0] for c in program.constraints]
        if max(held, default=0.0) > VIOLATION:
            return Infimum(math.inf, attained, None)
        value = float(np.exp(program.objective.log_value(NOWHERE)[0]))
        return Infimum(value, attained, None)
    if any(isinstance(f, Composite) for f in true.functions):
        program, far = _on_the_curves(true, kept, program.variables)
        thinned |= far
        attained = attained and OBJECTIVE not in far
    solution = solve(program, gap=gap)
    if solution.status is not Status.OPTIMAL:
        return Infimum(math.inf, attained, None)
    _, multipliers = solution.optimum
    for constraint, weight in zip(program.constraints, multipliers, strict=True):
        attained = attained and not (constraint.name in thinned and weight > 0)
    whole = solution if program.variables == true.variables and not thinned else None
    return Infimum(solution.value, attained, solution.certificate, whole)


def _meet(constraints: tuple[Constraint, ...]) -> bool:
    """Whether some constraints have a common point, be it a single one."""
    if not constraints:
        return True
    program = GeometricProgram(constraints[0].posynomial, constraints)
    return least_relaxation(program, [c.name for c in constraints]).value < 1 + SLIVER


def _on_the_curves(
    true: GeometricProgram, kept: Sequence[Indices], names: Sequence[str]
) -> tuple[GeometricProgram, set[str]]:
    """The program whose terms are the kept ones, with quantities at their curves.

    A variable that no kept term has any more goes to ∞; quantities of it go to where
    they saturate.

    Returns:
        The program, and the names of functions that come near such a limit only.
    """
    variables = [v for v in true.variables if v in names]
    far: set[str] = set()
    found: list[Function | None] = []
    labels = [OBJECTIVE, *(c.name for c in true.constraints)]
    for name, function, terms in zip(labels, true.functions, kept, strict=False):
        inner = function.inner if isinstance(function, Composite) else function
        rest: Function | None = _only(inner, terms)
        if rest is not None and isinstance(function, Composite):
            rest, endless = _saturated(function, rest, variables)
            far |= {name} if endless else set()
        found.append(None if rest is None else rest.over(variables))
    objective = found[0]
    if objective is None:
        raise Defect("the objective has no term left")
    constraints = tuple(
        Constraint(c.name, f)
        for c, f in zip(true.constraints, found[1:], strict=True)
        if f is not None
    )
    return GeometricProgram(objective, constraints), far


def _saturated(
    function: Composite, inner: Function, variables: Sequence[str]
) -> tuple[Function, bool]:
    """A composite of some of its terms, and whether a quantity is at its limit."""
    if not isinstance(inner, Posynomial):
        raise Defect("terms of a composite are a posynomial")
    used = {
        name
        for name, powers in zip(inner.variables, inner.exponents[0].T, strict=True)
        if powers.any()
    }
    quantities = [q for q in function.quantities if q.name in used]
    if not quantities:
        return inner.over([v for v in inner.variables if v in used]), False
    own = [*function.variables, *(q.name for q in quantities)]
    result: Function = compose(inner.over(own), quantities)
    needed = {v for q in quantities for v in q.variables}
    gone = [v for v in function.variables if v in needed and v not in variables]
    for name in gone:
        result = result.fixing(name, ENDLESS)
    return result, bool(gone)


def _falling(program: GeometricProgram) -> list[Mask] | None:
    """Per posynomial, the terms that can vanish while none grows; None if none can.

    By Farkas' lemma a term can unless a sum of the exponents with weights of 0 and
    more, its own above 0, is zero.
    """
    fall = ~balanced(np.concatenate([p.exponents[0] for p in program.posynomials]))
    if not fall.any():
        return None
    sizes = np.cumsum([len(p.labels) for p in program.posynomials])[:-1]
    return np.split(fall, sizes)


def _only(p: Posynomial, terms: Indices) -> Posynomial | None:
    """The posynomial of some terms, or None where there are none."""
    if not terms.size:
        return None
    labels = tuple(p.labels[i] for i in terms)
    return Posynomial(
        p.variables, p.coefficients[:, terms], p.exponents[:, terms], labels
    )


def _narrowed(program: GeometricProgram) -> GeometricProgram:
    """The program without variables that no term uses any more."""
    exponents = np.concatenate([p.exponents[0] for p in program.posynomials])
    names = [program.variables[i] for i in np.flatnonzero(exponents.any(axis=0))]
    return GeometricProgram(
        program.objective.over(names),
        tuple(
            Constraint(c.name, c.posynomial.over(names)) for c in program.constraints
        ),
    )
