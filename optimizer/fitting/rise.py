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
CERTAIN = 2.326348  # standard deviations of a normal that leave out a hundredth


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


def quantile(deviations: float, degrees: int, left: int) -> float:
    """What the mean of χ² over its scale exceeds by chance, times its degrees.

    Args:
        deviations: of a normal that are exceeded by the same chance.
        degrees: of freedom.
        left: runs less coefficients, from which the scale is known.

    *Source*: Paulson 1942, the cube root of F as a ratio of normals.
    """
    own, rest = 2 / (9 * degrees), 2 / (9 * max(left, 3))
    square = deviations**2
    a = (1 - rest) ** 2 - square * rest
    b = (1 - rest) * (1 - own)
    c = (1 - own) ** 2 - square * own
    if a <= 0:
        return math.inf
    return float(degrees * ((b + math.sqrt(b * b - a * c)) / a) ** 3)


def _normal(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2
