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

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Certificate, GeometricProgram
from optimizer.errors import Defect

Mask = npt.NDArray[np.bool_]

STATIONARITY = 1e-9
VIOLATION = 1e-10
GAP = 1e-8
RADIUS = math.log(1e12)
FARTHEST = math.log(1e60)  # no plan is larger or smaller than this in any variable
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
    _, r = program.objective.tangent(z)
    violation = np.zeros(len(z))
    gap = np.zeros(len(z))
    bad = np.zeros(len(z), dtype=bool)
    for i, constraint in enumerate(program.constraints):
        weight = multipliers[:, i]
        value, slope = constraint.posynomial.tangent(z)
        r = r + weight[:, None] * slope
        violation = np.maximum(violation, value)
        gap = gap + weight * np.abs(value)
        bad |= weight < 0
    # Column by column: a reduction along a short axis takes ten times as long.
    stationarity = np.zeros(len(z))
    for part in np.abs(r).T:
        stationarity = np.maximum(stationarity, part)
        gap = gap + RADIUS * part
    bad |= ~np.isfinite(gap + violation)
    if bad.any():
        stationarity[bad] = violation[bad] = gap[bad] = np.inf
    return stationarity, violation, gap


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
