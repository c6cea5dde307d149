"""The judge: is this point the global optimum? Blind to who found it.

In z = ln x, F = ln f0 and G_i = ln g_i are convex. For multipliers λ ≥ 0 and
r = ∇F + Σ λ_i ∇G_i, every feasible y obeys

    F(y) ≥ F(z) + Σ λ_i G_i(z) + r·(y − z),

so within ‖y − z‖∞ ≤ R no cost is lower than the found one by more than
Σ λ_i·|G_i(z)| + R·‖r‖₁ in logarithms. *Source*: Boyd & Vandenberghe, Convex
Optimization (2004), sections 5.5.1 and 5.5.3.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optimizer.algebra.composite import Composite
from optimizer.algebra.elementary import dot, singly
from optimizer.algebra.posynomial import Array, tangents
from optimizer.algebra.program import Certificate, GeometricProgram
from optimizer.engine.enclose import floats, opened, quantities
from optimizer.errors import Defect

Mask = npt.NDArray[np.bool_]

STATIONARITY = 1e-9
VIOLATION = 1e-10
GAP = 1e-8
RADIUS = math.log(1e12)
FARTHEST = math.log(1e60)  # no plan is larger or smaller than this in any variable
SEVERAL = 64  # members, up to which all functions go in one array
TERMS = 12  # of all members, up to which each goes alone, in floats
CURVED = 36  # the same where some saturate
EXCLUDED = 1e-10  # at the least, in ln g, of a violation that no point avoids


def residuals(
    program: GeometricProgram, z: Array, multipliers: Array
) -> tuple[Array, Array, Array]:
    """Returns stationarity, violation and gap, each of shape `(batch,)`.

    Args:
        program: the program; its arrays broadcast over the batch.
        z: ln of the point, shape `(batch, variables)`.
        multipliers: λ, shape `(batch, constraints)`; a negative one is a failure
            and makes every residual infinite.
    """
    if (found := _one_by_one(program, z, multipliers)) is not None:
        return found
    few = 0 < len(z) <= SEVERAL
    r, violation, gap = (_of_few if few else _of_many)(program, z, multipliers)
    # Column by column: a reduction along a short axis takes ten times as long.
    stationarity = np.zeros(len(z))
    for part in np.abs(r).T:
        stationarity = np.maximum(stationarity, part)
        gap = gap + RADIUS * part
    bad = ~np.isfinite(gap + violation) | (multipliers < 0).any(axis=1)
    if bad.any():
        stationarity[bad] = violation[bad] = gap[bad] = np.inf
    return stationarity, violation, gap


def _of_many(
    program: GeometricProgram, z: Array, multipliers: Array
) -> tuple[Array, Array, Array]:
    """r, the violation and Σ λ_i·|G_i|: one function after the other."""
    z = np.asfortranarray(z)  # a variable in one piece, as `tangent` takes them
    _, r = program.objective.tangent(z)
    violation, gap = np.zeros(len(z)), np.zeros(len(z))
    for i, constraint in enumerate(program.constraints):
        weight = multipliers[:, i]
        value, slope = constraint.posynomial.tangent(z)
        r = r + weight[:, None] * slope
        violation = np.maximum(violation, value)
        gap = gap + weight * np.abs(value)
    return r, violation, gap


def _one_by_one(
    program: GeometricProgram, z: Array, multipliers: Array
) -> tuple[Array, Array, Array] | None:
    """As `residuals`, member by member in floats; None where that takes longer."""
    functions = program.functions
    curved = any(isinstance(f, Composite) for f in functions)
    terms = len(z) * sum(len(f.labels) for f in functions)
    if terms > (CURVED if curved else TERMS):
        return None
    points, prices = z.tolist(), multipliers.tolist()
    tangents_of = floats(program)

    def one(place: int) -> tuple[float, float, float]:
        (_, *sides), slopes = tangents_of(points[place], place)
        own = [1.0, *prices[place]]
        r = [abs(dot(own, column)) for column in zip(*slopes, strict=True)]
        gap = dot(own[1:], map(abs, sides)) + RADIUS * sum(r)
        violation = max(0.0, *sides) if sides else 0.0
        if not math.isfinite(gap + violation) or min(own) < 0:
            return math.inf, math.inf, math.inf
        return max(r), violation, gap

    found = singly(len(z), one)
    return None if found is None else (found[0], found[1], found[2])


def _of_few(
    program: GeometricProgram, z: Array, multipliers: Array
) -> tuple[Array, Array, Array]:
    """The same of all functions at once."""
    n, curves = len(program.variables), quantities(program).values()
    levels, turns = [z], []
    for curve in curves:
        places = [program.variables.index(name) for name in curve.variables]
        level, slopes = curve.tangent(z[:, places])
        levels.append(np.broadcast_to(level, len(z))[:, None])
        turns.append((places, slopes))
    values, gradients = tangents(opened(program), np.concatenate(levels, axis=1))
    slope = gradients[:, :, :n]
    for k, (places, slopes) in enumerate(turns):
        for place, each in zip(places, slopes, strict=True):
            slope[:, :, place] += gradients[:, :, n + k] * each[:, None]
    sides = values[:, 1:]
    r = slope[:, 0] + (multipliers[:, None, :] @ slope[:, 1:])[:, 0]
    violation = np.maximum(sides.max(axis=1, initial=0.0), 0.0)
    return r, violation, (multipliers * np.abs(sides)).sum(axis=1)


def acceptable(
    program: GeometricProgram, z: Array, multipliers: Array, gap: float = GAP
) -> Mask:
    """Says which members' certificates are good enough; shapes as for `residuals`."""
    stationarity, violation, most = residuals(program, z, multipliers)
    return allowed(stationarity, violation, most, gap)


def allowed(stationarity: Array, violation: Array, most: Array, gap: float) -> Mask:
    """Says which residuals are small enough."""
    return np.asarray(
        (stationarity <= STATIONARITY) & (violation <= VIOLATION) & (most <= gap)
    )


def excluded(program: GeometricProgram, z: Array, multipliers: Array) -> Mask:
    """Says of which members the multipliers prove that no point meets all bounds.

    For μ = λ/Σλ and r = Σ μ_i ∇G_i every y has max_i G_i(y) ≥ Σ μ_i G_i(z) +
    r·(y − z), which is bounded below on |y| ≤ ln 1e60. Shapes as for `residuals`.
    """
    with np.errstate(all="ignore"):
        weights = multipliers / multipliers.sum(axis=1, keepdims=True)
        r = np.zeros_like(z)
        bound = np.zeros(len(z))
        for i, constraint in enumerate(program.constraints):
            value, slope = constraint.posynomial.tangent(z)
            bound += weights[:, i] * value
            r += weights[:, i, None] * slope
        bound -= (r * z + FARTHEST * np.abs(r)).sum(axis=1)
        return np.asarray((bound > EXCLUDED) & (multipliers >= 0).all(axis=1))


def certify(program: GeometricProgram, z: Array, multipliers: Array) -> Certificate:
    """Returns the certificate of one point `(variables,)`, passing or not."""
    parts = residuals(program, z[None], multipliers[None])
    stationarity, violation, gap = (float(part[0]) for part in parts)
    return Certificate(stationarity, violation, gap, math.exp(RADIUS))


def passes(certificate: Certificate, gap: float = GAP) -> bool:
    """Says whether a certificate is good enough to give an answer.

    Args:
        certificate: of the answer.
        gap: that is allowed, for answers that need fewer digits.
    """
    return (
        certificate.stationarity <= STATIONARITY
        and certificate.violation <= VIOLATION
        and certificate.gap <= gap
    )


class UncertifiedError(Defect):
    """A point was found but its optimality could not be proven."""


def uncertified(certificate: Certificate, gap: float = GAP) -> UncertifiedError:
    """The error that refuses the answer which a certificate belongs to."""
    return UncertifiedError(
        "the solver's answer failed its certificate (stationarity "
        f"{certificate.stationarity:.1e} of {STATIONARITY:.0e} allowed, violation "
        f"{certificate.violation:.1e} of {VIOLATION:.0e}, gap "
        f"{certificate.gap:.1e} of {gap:.0e}); no answer is given. Please report "
        "the scenario as a defect"
    )


def roomless() -> UncertifiedError:
    """The error that refuses an answer where bounds leave but a point."""
    return UncertifiedError(
        "the bounds leave a single point, too little room for a certificate; no "
        "answer is given. Please report the scenario as a defect"
    )
