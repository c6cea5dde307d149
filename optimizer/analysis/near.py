"""The near-optimal range: the optimum is flat in N, and this says how flat.

The smallest and the largest N whose best plan costs at most (1 + ε) times the
optimum are geometric programs too: minimise N or 1/N under cost ≤ (1 + ε)·optimum.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.analysis.answer import NearOptimal
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import refine, solve
from optimizer.posynomial import Array, Term, build
from optimizer.program import Constraint, GeometricProgram, Solution, Status
from optimizer.question import SIZE

WITHIN = (0.01, 0.05)
DIGITS = 1e-5  # an end of the range is told to five digits
BINDING = 1e-9  # |ln g| below which a constraint counts as met with equality


def near_optimal(solution: Solution) -> tuple[NearOptimal, ...]:
    """Finds the range of sizes within 1 % and 5 % of a program's optimum.

    A range whose ends cannot be certified, as where bounds leave next to no room, is
    left out rather than guessed.
    """
    found = []
    for within in WITHIN:
        try:
            found.append(_range(solution, within))
        except UncertifiedError:
            continue
    return tuple(found)


def _range(solution: Solution, within: float) -> NearOptimal:
    ends = [_end(solution, within, power) for power in (1.0, -1.0)]
    sizes = ends[0]["N"], ends[1]["N"]
    tokens = ends[0]["D"], ends[1]["D"]
    ratios = tokens[0] / sizes[0], tokens[1] / sizes[1]
    return NearOptimal(within, sizes, tokens, ratios)


def _end(solution: Solution, within: float, power: float) -> dict[str, float]:
    program = solution.program
    z, multipliers = solution.optimum
    best = math.exp(program.objective.log_value(z[None])[0])
    slack = Constraint("cost", program.objective.scaled(1 / (best * (1 + within))))
    size = build(program.variables, [Term("N", 1.0, {"N": power})])
    if _pinned(program, z):
        return dict(solution.point)
    question = GeometricProgram(size, (*program.constraints, slack))
    step, price = _quadratic(solution, within, power)
    guess = np.append(multipliers * price, price)
    found = refine(question, z + step, guess, start=z, gap=DIGITS)
    end = dict(found.point)
    if found.optimum[1][-1] > 0:
        return end
    if _settled(found):
        return end
    # A limit ends the range before the cost does, so that D is still to choose.
    rest = program.fixing({"N": end["N"]})
    rest_start = np.delete(found.optimum[0], program.variables.index("N"))
    inner = solve(rest, rest_start, gap=DIGITS)
    return end if inner.status is not Status.OPTIMAL else {**end, **inner.point}


def _settled(found: Solution) -> bool:
    """Whether what ends the range leaves one D: its Lagrangian is curved there."""
    z, multipliers = found.optimum
    if "D" not in found.program.variables:
        return True
    D = found.program.variables.index("D")
    bend = sum(
        weight * float(c.posynomial.hessian(z[None])[0, D, D])
        for c, weight in zip(found.program.constraints, multipliers, strict=True)
        if weight > 0
    )
    return bool(bend > BINDING)


def _read(program: GeometricProgram, z: Array) -> Array:
    """A guess in which no more unique tokens are read than tokens."""
    names = program.variables
    if not {"U", "D"} <= set(names):
        return z
    U, D = names.index("U"), names.index("D")
    return np.where(np.arange(len(z)) == U, np.minimum(z[U], z[D]), z)


def _pinned(program: GeometricProgram, z: Array) -> bool:
    """Whether the constraints leave a single size, which has no multipliers.

    The tangent cone {d: ∇G_i·d ≤ 0 for the binding i} of a convex set is {0} just
    where the set is a point; what serving chooses may still be open.
    """
    values = [c.posynomial.log_value(z[None])[0] for c in program.constraints]
    binding = np.flatnonzero(np.abs(values) < BINDING)
    size = [name for name in program.variables if name in SIZE]
    if len(binding) <= len(size):
        return False
    from scipy.optimize import linprog  # noqa: PLC0415 - rarely needed

    rows = [program.constraints[i].posynomial.gradient(z[None])[0] for i in binding]
    box = [(-1.0, 1.0)] * len(z)
    ends = [
        linprog(sign * axis, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=box)
        for name, axis in zip(program.variables, np.eye(len(z)), strict=True)
        if name in SIZE
        for sign in (1.0, -1.0)
    ]
    return all(abs(end.fun) < BINDING for end in ends)


def _quadratic(solution: Solution, within: float, power: float) -> tuple[Array, float]:
    """Where a quadratic model of the cost along the binding constraints ends.

    Returns:
        The step in ln x, and the multiplier of the cost there.
    """
    program = solution.program
    z, multipliers = solution.optimum
    point = z[None]
    binding = multipliers > 1e-12
    hessian = program.objective.hessian(point)[0]
    rows = []
    for constraint, weight, bound in zip(
        program.constraints, multipliers, binding, strict=True
    ):
        hessian = hessian + weight * constraint.posynomial.hessian(point)[0]
        if bound:
            rows.append(constraint.posynomial.gradient(point)[0])
    index = program.variables.index("N")
    _, sizes, right = np.linalg.svd(np.array(rows).reshape(len(rows), len(z)))
    free = right[int((sizes > 1e-12).sum()) :]
    pull = -power * free[:, index]
    curvature = free @ hessian @ free.T
    if not free.size or not pull.any():
        return np.zeros_like(z), 1.0
    direction = np.linalg.solve(curvature + 1e-12 * np.eye(len(free)), pull)
    energy = float(direction @ curvature @ direction)
    reach = math.sqrt(2 * math.log1p(within) / max(energy, 1e-300))
    return np.asarray(reach * direction @ free), 1 / reach
