"""Standard errors from the curvature at the minimum, where there is enough of it."""

from __future__ import annotations

import math

import numpy as np

from optimizer.fitting.forms import SYMBOLS, Choice
from optimizer.fitting.objective import Array, Problem
from optimizer.fitting.refuse import jacobian
from optimizer.fitting.search import Found

ENOUGH = 5  # residuals inside δ for each coefficient


def standard_errors(
    asked: Problem, found: Found, delta: float, choice: Choice
) -> dict[str, float] | None:
    """Standard errors of the exponents and of E, or None where there are none."""
    best = found.best
    slope = jacobian(asked, found.z)
    residual = asked.predict(found.z[None])[0] - asked.target
    pull = np.clip(residual, -delta, delta)
    if found.minimum.held[best].any():
        return None
    matrix = sandwich(
        slope,
        pull,
        asked.weight,
        found.minimum.hessian[best],
        float(found.minimum.inside[best]),
    )
    if matrix is None:
        return None
    return {
        symbol: float(math.sqrt(matrix[i, i]))
        for i, symbol in enumerate(choice.free)
        if SYMBOLS[choice.shape][symbol] in ("alpha", "beta", "gamma", "E", "link")
    }


def withheld(inside: int, choice: Choice) -> str:
    """Why there are no standard errors."""
    need = ENOUGH * len(choice.free)
    if inside >= need:
        return "a coefficient rests at its bound, or the curvature is not positive"
    return f"{inside} residuals lie inside delta; {need} are needed"


def sandwich(
    jacobian: Array, pull: Array, weight: Array, hessian: Array, inside: float
) -> Array | None:
    """H⁻¹ (Σ ω²ψ² J Jᵀ) H⁻¹, or None where too few residuals lie inside δ.

    The curvature of Huber's loss comes from the residuals inside δ alone; with few
    of them it is an accident.

    Args:
        jacobian: ∂f/∂z, (runs, free).
        pull: ψ, the clipped residuals, (runs,).
        weight: ω, (runs,).
        hessian: at the minimum, (free, free).
        inside: the residuals inside δ.

    *Source*: Huber 1967; White 1982.
    """
    free = jacobian.shape[1]
    if inside < ENOUGH * free:
        return None
    scaled = jacobian * (weight * pull)[:, None]
    try:
        bread = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:
        return None
    found = bread @ (scaled.T @ scaled) @ bread
    return found if (np.diag(found) > 0).all() else None
