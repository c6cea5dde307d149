"""Newton steps from a good guess to full precision, on the active constraints.

An interior-point solver stops where its tolerances do, which leaves N off by up to
1e-3. The optimality conditions are smooth once it is known which constraints bind,
so a few Newton steps on

    ∇F(z) + Σ λ_i ∇G_i(z) = 0,   G_i(z) = 0 for the binding i

end at the limit of double precision. *Source*: Boyd & Vandenberghe, Convex
Optimization (2004), section 10.2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from optimizer.engine.certify import certify, passes
from optimizer.posynomial import Array
from optimizer.program import GeometricProgram

Mask = npt.NDArray[np.bool_]
STEPS = 60
LONGEST = 1.0  # in ln x: beyond a factor e the quadratic model is no guide
FEASIBLE = 1e-11
HUGE = 1e8  # a Newton step beyond this comes from a singular system
APART = 1e-9
SMALL = 1e-9
STALE = 8  # steps without progress: this set of constraints has no such point
NOISE = 1e-13  # a multiplier below this is rounding


def polish(
    program: GeometricProgram, z: Array, multipliers: Array, tries: int | None = None
) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` refined; certify them before use.

    Args:
        program: a program of one member.
        z: ln of the guess, shape `(variables,)`.
        multipliers: guess of λ, shape `(constraints,)`. A constraint counts as
            binding where λ exceeds its slack; where that guess does not lead to a
            certificate, where λ is more than noise, and then by the largest λ.
        tries: how many of those guesses to follow; all by default.
    """
    slack = np.abs(_values(program, z))
    order = np.argsort(-multipliers)
    guesses = [multipliers > slack, multipliers > SMALL]
    guesses += [
        np.isin(np.arange(len(order)), order[:count])
        for count in range(min(len(z), len(order)), 0, -1)
    ]
    best: tuple[float, Array, Array] = (np.inf, z, multipliers)
    for active in guesses[:tries]:
        point, found = _settle(program, z, multipliers, active)
        certificate = certify(program, point, found)
        if passes(certificate):
            return point, found
        if certificate.gap < best[0]:
            best = (certificate.gap, point, found)
    return best[1], best[2]


def _settle(
    program: GeometricProgram, z: Array, multipliers: Array, active: Mask
) -> tuple[Array, Array]:
    """Newton on a set of binding constraints, corrected by what Newton finds."""
    lead = multipliers - np.abs(_values(program, z))
    for _ in range(2 * min(len(program.constraints), 2 * len(z)) + 2):
        z, multipliers = _newton(program, z, multipliers, active)
        values = _values(program, z)
        violated = ~active & (values > FEASIBLE)
        negative = np.where(active, multipliers, 0.0)
        apart = active & (np.abs(values) > APART)
        active = active.copy()
        if apart.any():
            # They cannot all bind at once: the least convincing one does not.
            active[np.argmin(np.where(active, lead, np.inf))] = False
        elif violated.any():
            broken = np.argmax(np.where(violated, values, -np.inf))
            active[broken] = True
            lead[broken] = np.inf  # found to bind: another gives way before it
        elif negative.size and negative.min() < -FEASIBLE:
            active[np.argmin(negative)] = False
        else:
            break
    return z, np.where(multipliers > NOISE, multipliers, 0.0)


def _values(program: GeometricProgram, z: Array) -> Array:
    return np.array([c.posynomial.log_value(z[None])[0] for c in program.constraints])


def _newton(
    program: GeometricProgram, z: Array, multipliers: Array, active: Mask
) -> tuple[Array, Array]:
    """Solves the optimality conditions for a given set of binding constraints."""
    n = len(z)
    indices = np.flatnonzero(active)
    binding = [program.constraints[i].posynomial for i in indices]
    lam = multipliers[indices]
    best = np.inf
    stale = 0
    result = z, lam
    for _ in range(STEPS):
        point = z[None]
        jacobian = np.array([g.gradient(point)[0] for g in binding]).reshape(-1, n)
        residual = np.concatenate(
            [
                program.objective.gradient(point)[0] + lam @ jacobian,
                [g.log_value(point)[0] for g in binding],
            ]
        )
        size = float(np.abs(residual).max())
        if not np.isfinite(size):
            break
        if size < best:
            result = z, lam
        # Rounding noise neither shrinks nor grows: stop where Newton has.
        if size == 0.0 or (size < 1e-12 and size >= best):
            break
        stale = 0 if size < 0.9 * best else stale + 1
        if stale == STALE:
            break
        best = min(best, size)
        hessian = program.objective.hessian(point)[0]
        for weight, g in zip(lam, binding, strict=True):
            hessian = hessian + max(weight, 0.0) * g.hessian(point)[0]
        corner = np.zeros((len(lam), len(lam)))
        system = np.block([[hessian, jacobian.T], [jacobian, corner]])
        step = _step(system, -residual)
        z = z + step[:n] * min(
            1.0, LONGEST / max(float(np.abs(step[:n]).max()), 1e-300)
        )
        lam = lam + step[n:]
    full = np.zeros(len(program.constraints))
    full[indices] = result[1]
    return result[0], full


def _step(system: Array, right: Array) -> Array:
    """Solves a Newton system; by least squares where multipliers are not unique."""
    try:
        step = np.linalg.solve(system, right)
        if np.isfinite(step).all() and np.abs(step).max(initial=0.0) < HUGE:
            return np.asarray(step)
    except np.linalg.LinAlgError:
        pass  # singular: bounds coincide, or a variable does not matter
    return np.asarray(np.linalg.lstsq(system, right, rcond=1e-13)[0])
