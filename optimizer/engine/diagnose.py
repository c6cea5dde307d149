"""Why no plan exists: which bounds conflict, and the least relaxation of each.

Relaxing is a geometric program of its own, min u subject to g_i ≤ u for the bounds
that may give and g_j ≤ 1 for the rest, so each statement here carries the same
certificate as a plan. *Source*: Boyd, Kim, Vandenberghe & Hassibi 2007, section
3.1 (feasibility); Chinneck, Feasibility and Infeasibility in Optimization (2008),
chapter 6 (irreducible infeasible sets).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from optimizer.algebra.composite import Composite, compose
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.program import (
    Certificate,
    Constraint,
    Function,
    GeometricProgram,
    Status,
)
from optimizer.engine.certify import GAP, VIOLATION, UncertifiedError
from optimizer.engine.cone import balanced
from optimizer.engine.enclose import enclose
from optimizer.engine.solve import solve
from optimizer.errors import Defect
from optimizer.records import dataclass

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
ROOM = 1e-6  # a relaxation leaves this much, so that the relaxed program has a plan
FAR = 1e-3  # and this much where its least has a variable at 0 or ∞
SLIVER = 1e-7  # closer to infeasible than this, no multiplier is a number
NOWHERE = np.zeros((1, 0))  # the only point of a program without variables
FACTOR = "relaxation"
OBJECTIVE = "objective"
ENDLESS = 1e80  # where a variable goes to ∞ and what saturates has saturated
LEAST = " [at least]"  # the lower side of an equality; no name has such brackets


@dataclass(frozen=True)
class Infimum:
    """The greatest lower bound of a program, reached or not.

    Attributes:
        value: of the objective.
        attained: False where it is only approached as a variable goes to 0 or ∞.
        certificate: of the program without the terms that vanish.
    """

    value: float
    attained: bool
    certificate: Certificate | None


@dataclass(frozen=True)
class Conflict:
    """A proof that no plan exists, and ways out.

    Attributes:
        names: an irreducible set of bounds that exclude each other: without any
            one of them the rest can be met.
        factors: for each bound of the program, the factor by which it alone must
            grow for a plan to exist; None where no factor does.
        uniform: the factor by which all bounds together must grow.
        certificate: of the program that proves `uniform`.
    """

    names: tuple[str, ...]
    factors: dict[str, float | None]
    uniform: float
    certificate: Certificate


def diagnose(
    program: GeometricProgram,
    equalities: Collection[str] = (),
    given: Collection[str] = (),
    together: Mapping[str, str] = MappingProxyType({}),
) -> Conflict:
    """Explains an infeasible program.

    Args:
        program: the program.
        equalities: names of constraints that come in pairs, `x` and `x [at least]`,
            and hold a variable at a value. They have no room by nature: both sides
            stand or fall together, and only one side is relaxed at a time.
        given: names of constraints that nobody can move, such as physics; they hold
            throughout and are no part of a conflict.
        together: constraint → the bound that it belongs to, where one bound makes
            several constraints; they are relaxed by one factor.

    Raises:
        Defect: the program is feasible with room to spare, so that there is nothing
            to explain.
    """
    parts: dict[str, list[str]] = {}
    for constraint in program.constraints:
        name = constraint.name.removesuffix(LEAST)
        parts.setdefault(together.get(name, name), []).append(constraint.name)
    names = [name for name in parts if name not in given]
    bounds = [name for name in names if name not in equalities]

    def relaxed(members: Sequence[str]) -> Infimum:
        kept = [part for name in (*members, *given) for part in parts.get(name, ())]
        give = [part for name in members if name in bounds for part in parts[name]]
        return least_relaxation(_keeping(program, kept), give)

    def excluded(members: Sequence[str]) -> bool:
        some = any(name in bounds for name in members)
        return some and relaxed(members).value > 1 - SLIVER

    whole = relaxed(names)
    if whole.value < 1 - SLIVER or whole.certificate is None:
        raise Defect("the solver found no plan although the bounds leave room")
    conflict = _irreducible(excluded, [], names, fresh=False)
    factors: dict[str, float | None] = {}
    for name in names:
        sides = [parts[name]]
        if name in equalities:
            sides = [[part] for part in parts[name]]
        # Without a bound that is not in it, the conflict is still there.
        stuck = name not in conflict or excluded([n for n in names if n != name])
        for side in sides:
            factor = math.inf
            if not stuck:
                factor = _least_factor(program, side)
            label = side[0] if name in equalities else name
            factors[label] = factor if math.isfinite(factor) else None
    return Conflict(tuple(conflict), factors, whole.value, whole.certificate)


def _least_factor(program: GeometricProgram, side: Sequence[str]) -> float:
    """The factor by which some constraints must give way; ∞ where none is certified."""
    try:
        least = least_relaxation(program, side, gap=ROOM / 10)
    except UncertifiedError:
        return math.inf
    return max(least.value, 1.0) * (1 + (ROOM if least.attained else FAR))


def _irreducible(
    excluded: Callable[[Sequence[str]], bool],
    kept: Sequence[str],
    names: Sequence[str],
    *,
    fresh: bool,
) -> list[str]:
    """Those of some bounds that are needed, beside others, for all to be excluded.

    By halves, so that few of many bounds are found in few solves; the later ones of
    the list are preferred. *Source*: Junker, QuickXplain (AAAI 2004), section 4.

    Args:
        excluded: whether bounds exclude each other.
        kept: bounds that stay.
        names: bounds of which some are needed; with `kept` they exclude each other.
        fresh: whether `kept` has grown since it was last asked about.
    """
    if fresh and excluded(kept):
        return []
    if len(names) == 1:
        return list(names)
    half = len(names) // 2
    early, late = names[:half], names[half:]
    before = _irreducible(excluded, [*kept, *late], early, fresh=True)
    after = _irreducible(excluded, [*kept, *before], late, fresh=bool(before))
    return [*before, *after]


def least_relaxation(
    program: GeometricProgram, relaxed: Collection[str], gap: float = GAP
) -> Infimum:
    """The least factor by which some bounds must grow for all to be met.

    Args:
        program: its objective does not matter.
        relaxed: the names of the constraints that may give, by a common factor.
        gap: that the certificate may leave, for a factor that is told with more room.
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
    met = all(c.name in relaxed for c in constraints)
    return infimum(GeometricProgram(objective, constraints), met=met, gap=gap)


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
    return Infimum(solution.value, attained, solution.certificate)


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


def _keeping(program: GeometricProgram, names: Collection[str]) -> GeometricProgram:
    kept = tuple(c for c in program.constraints if c.name in names)
    return GeometricProgram(program.objective, kept)


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
