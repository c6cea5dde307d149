"""How far an objective rises before chance no longer explains it.

With Huber's loss twice the rise, scaled by E ψ' / E ψ², is nearly χ². E ψ' is the
chance of a residual inside δ, read from a smooth density because few runs lie there.

*Source*: Ronchetti 1982, the τ-test; Huber & Ronchetti 2009, chapter 13.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.fitting.objective import Array

CHI2 = 3.841459  # 95 % of χ² with one degree of freedom


def rise_scale(residual: Array, delta: float) -> float:
    """E ψ' / E ψ² of the residuals.

    Args:
        residual: of ln L, (runs,).
        delta: of Huber's loss.
    """
    spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    width: float = 1.06 * max(spread, delta / 10) * residual.size**-0.2
    values: list[float] = residual.tolist()
    at = [_normal((delta - r) / width) - _normal((-delta - r) / width) for r in values]
    pull = np.clip(residual, -delta, delta)
    square = max(float(np.mean(pull**2)), 1e-300)
    return float(np.mean(at)) / square


def _normal(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2
