"""Newton steps from a good guess to full precision, on the active constraints.

An interior-point solver stops where its tolerances do, which leaves N off by up to
1e-3. The optimality conditions are smooth once it is known which constraints bind,
so a few Newton steps on

    ∇F(z) + Σ λ_i ∇G_i(z) = 0,   G_i(z) = 0 for the binding i

end at the limit of double precision. *Source*: Boyd & Vandenberghe, Convex
Optimization (2004), section 10.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt

from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Certificate, GeometricProgram
from optimizer.engine.certify import certify, passes

Mask = npt.NDArray[np.bool_]
# From z and a weight for each function, objective first, to ln f and gradient of each
# and the sum of their weighted Hessians.
Jet = Callable[[Array, Array], tuple[Array, Array, Array]]
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
) -> tuple[Array, Array, Certificate]:
    """Returns `(z, multipliers)` refined, with their certificate, passing or not.

    Args:
        program: a program of one member.
        z: ln of the guess, shape `(variables,)`.
        multipliers: guess of λ, shape `(constraints,)`. A constraint counts as
            binding where λ exceeds its slack; where that guess does not lead to a
            certificate, where λ is more than noise, and then by the largest λ.
        tries: how many of those guesses to follow; all by default.
    """
    jet = _jet(program)
    slack = np.abs(_values(jet, z, multipliers))
    best: tuple[Array, Array, Certificate] | None = None
    for active in islice(_guesses(multipliers, slack, len(z)), tries):
        point, found = _settle(jet, z, multipliers, active)
        certificate = certify(program, point, found)
        if passes(certificate):
            return point, found, certificate
        if best is None or certificate.gap < best[2].gap:
            best = point, found, certificate
    return best or (z, multipliers, certify(program, z, multipliers))


def _guesses(multipliers: Array, slack: Array, most: int) -> Iterator[Mask]:
    """Sets of constraints that may bind, the likeliest first."""
    yield multipliers > slack
    yield multipliers > SMALL
    order = np.argsort(-multipliers)
    for count in range(min(most, len(order)), 0, -1):
        yield np.isin(np.arange(len(order)), order[:count])


def _jet(program: GeometricProgram) -> Jet:
    """All functions of a program at once: so few terms are quickest as one array."""
    functions = program.functions
    plain = [f for f in functions if isinstance(f, Posynomial)]
    if len(plain) < len(functions):

        def each(z: Array, weights: Array) -> tuple[Array, Array, Array]:
            point = z[None]
            values = np.array([f.log_value(point)[0] for f in functions])
            gradients = np.array([f.gradient(point)[0] for f in functions])
            bends = np.array([f.hessian(point)[0] for f in functions])
            return values, gradients, np.einsum("f,fij->ij", weights, bends)

        return each
    logs = np.concatenate([f.logs[0] for f in plain])
    powers = np.concatenate([f.exponents[0] for f in plain])
    counts = [len(f.labels) for f in plain]
    starts = np.cumsum([0, *counts[:-1]])
    owner = np.repeat(np.arange(len(plain)), counts)

    def joint(z: Array, weights: Array) -> tuple[Array, Array, Array]:
        terms = logs + powers @ z
        top = np.maximum.reduceat(terms, starts)
        parts = np.exp(terms - top[owner])
        whole = np.add.reduceat(parts, starts)
        shares = parts / whole[owner]
        gradients = np.add.reduceat(shares[:, None] * powers, starts)
        bend = powers.T @ ((weights[owner] * shares)[:, None] * powers)
        bend -= gradients.T @ (weights[:, None] * gradients)
        return top + np.log(whole), gradients, bend

    return joint


def _values(jet: Jet, z: Array, multipliers: Array) -> Array:
    """Ln g of each constraint."""
    return jet(z, np.append(0.0, multipliers))[0][1:]


def _settle(
    jet: Jet, z: Array, multipliers: Array, active: Mask
) -> tuple[Array, Array]:
    """Newton on a set of binding constraints, corrected by what Newton finds."""
    lead = multipliers - np.abs(_values(jet, z, multipliers))
    for _ in range(2 * min(len(multipliers), 2 * len(z)) + 2):
        z, multipliers = _newton(jet, z, multipliers, active)
        values = _values(jet, z, multipliers)
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


def _newton(
    jet: Jet, z: Array, multipliers: Array, active: Mask
) -> tuple[Array, Array]:
    """Solves the optimality conditions for a given set of binding constraints."""
    n = len(z)
    indices = np.flatnonzero(active)
    size = n + len(indices)
    lam = multipliers[indices]
    weights = np.zeros(len(multipliers) + 1)
    weights[0] = 1.0
    best = np.inf
    stale = 0
    result = z, lam
    for _ in range(STEPS):
        weights[1 + indices] = np.maximum(lam, 0.0)
        values, gradients, hessian = jet(z, weights)
        jacobian = gradients[1 + indices]
        residual = np.concatenate([gradients[0] + lam @ jacobian, values[1 + indices]])
        off = float(np.abs(residual).max())
        if not np.isfinite(off):
            break
        if off < best:
            result = z, lam
        # Rounding noise neither shrinks nor grows: stop where Newton has.
        if off == 0.0 or (off < 1e-12 and off >= best):
            break
        stale = 0 if off < 0.9 * best else stale + 1
        if stale == STALE:
            break
        best = min(best, off)
        system = np.zeros((size, size))
        system[:n, :n] = hessian
        system[:n, n:] = jacobian.T
        system[n:, :n] = jacobian
        step = _step(system, -residual)
        z = z + step[:n] * min(
            1.0, LONGEST / max(float(np.abs(step[:n]).max()), 1e-300)
        )
        lam = lam + step[n:]
    full = np.zeros(len(multipliers))
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
