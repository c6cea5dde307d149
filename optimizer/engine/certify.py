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

from optimizer.errors import Defect
from optimizer.posynomial import Array
from optimizer.program import Certificate, GeometricProgram

STATIONARITY = 1e-9
VIOLATION = 1e-10
GAP = 1e-8
RADIUS = math.log(1e12)


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
    r = program.objective.gradient(z)
    values = np.zeros_like(multipliers)
    for i, constraint in enumerate(program.constraints):
        values[:, i] = constraint.posynomial.log_value(z)
        r = r + multipliers[:, i, None] * constraint.posynomial.gradient(z)
    stationarity = np.abs(r).max(axis=1, initial=0.0)
    violation = np.maximum(values, 0.0).max(axis=1, initial=0.0)
    gap = (multipliers * np.abs(values)).sum(axis=1) + RADIUS * np.abs(r).sum(axis=1)
    bad = (multipliers < 0).any(axis=1) | ~np.isfinite(gap + violation)
    return tuple(np.where(bad, np.inf, part) for part in (stationarity, violation, gap))  # type: ignore[return-value]


def certify(program: GeometricProgram, z: Array, multipliers: Array) -> Certificate:
    """Returns the certificate of one point `(variables,)`, passing or not."""
    parts = residuals(program, z[None], multipliers[None])
    stationarity, violation, gap = (float(part[0]) for part in parts)
    return Certificate(stationarity, violation, gap, math.exp(RADIUS))


def passes(certificate: Certificate) -> bool:
    """Says whether a certificate is good enough to give an answer."""
    return (
        certificate.stationarity <= STATIONARITY
        and certificate.violation <= VIOLATION
        and certificate.gap <= GAP
    )


class UncertifiedError(Defect):
    """A point was found but its optimality could not be proven."""


def require(certificate: Certificate) -> Certificate:
    """Returns the certificate, or refuses the answer that it belongs to.

    Raises:
        UncertifiedError: a residual is above its threshold.
    """
    if not passes(certificate):
        raise UncertifiedError(
            "the solver's answer failed its certificate (stationarity "
            f"{certificate.stationarity:.1e} of {STATIONARITY:.0e} allowed, violation "
            f"{certificate.violation:.1e} of {VIOLATION:.0e}, gap "
            f"{certificate.gap:.1e} of {GAP:.0e}); no answer is given. Please report "
            "the scenario as a defect"
        )
    return certificate
