"""Repeated data: what tokens beyond the unique ones, and parameters beyond what
unique data support, are still worth.

    D' = U + U·R_D*·(1 − exp(−R/R_D*)),   R = D/U − 1 for D > U, else D' = D
    N' = U_N + U_N·R_N*·(1 − exp(−R/R_N*)), R = N/U_N − 1 for N > U_N, else N' = N
    U_N = N_opt(min(D, U))

Both are concave in logarithms: ln D' = ln U + H(ln D − ln U), and ln N' = u + H(n − u)
with u = min of two affine functions of ln D. *Source*: Muennighoff et al. 2023
(arXiv 2305.16264), eq. 5, 6, 16 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.composite import Concave, Powers
from optimizer.posynomial import Array
from optimizer.world.surface import Surface

COVERED = 500.0  # epochs that the law's runs went through
TANGENTS = 14
FARTHEST = 60.0  # in units of R*: where nothing more is to be had


@dataclass(frozen=True)
class Repetition:
    """How data repeat.

    Attributes:
        unique: U [tokens].
        R_D: repetitions after which a token is worth 1/e.
        R_N: likewise for parameters beyond U_N; infinite leaves N' = N.
    """

    unique: float
    R_D: float
    R_N: float

    def epochs(self, tokens: float) -> float:
        """How often the unique tokens are read."""
        return tokens / self.unique

    def tokens(self) -> Concave:
        """D' as a concave quantity of D."""
        U = self.unique

        def evaluate(z: Array) -> tuple[Array, Array, Array]:
            value, slope, bend = saturation(z[:, 0] - np.log(U), self.R_D)
            return np.log(U) + value, slope[:, None], bend[:, None, None]

        tangents: list[Powers] = []
        for c, power in _tangents(self.R_D):
            tangents.append((c * U ** (1 - power), {"D": power}))
        return Concave("D'", ("D",), evaluate, tuple(tangents))

    def parameters(self, surface: Surface) -> Concave:
        """N' as a concave quantity of N and D."""
        ratio = surface.beta / surface.alpha
        # ln N_opt(D) = base + ratio·ln D along the training-optimal line.
        base = np.log(surface.optimal_parameters(1.0))
        cap = base + ratio * np.log(self.unique)

        def evaluate(z: Array) -> tuple[Array, Array, Array]:
            rising = base + ratio * z[:, 1]
            below = rising < cap
            u = np.where(below, rising, cap)
            du = np.where(below, ratio, 0.0)
            h, slope, bend = saturation(z[:, 0] - u, self.R_N)
            gradient = np.stack([slope, du * (1 - slope)], axis=1)
            direction = np.stack([np.ones_like(du), -du], axis=1)
            hessian = bend[:, None, None] * (
                direction[:, :, None] * direction[:, None, :]
            )
            return u + h, gradient, hessian

        tangents: list[Powers] = []
        for c, power in _tangents(self.R_N):
            tangents.append((c * np.exp(cap * (1 - power)), {"N": power}))
            if power < 1:
                grown = {"N": power, "D": ratio * (1 - power)}
                tangents.append((c * np.exp(base * (1 - power)), grown))
        return Concave("N'", ("N", "D"), evaluate, tuple(tangents))


def saturation(x: Array, R: float) -> tuple[Array, Array, Array]:
    """H(x) = ln(1 + R·(1 − exp(−(e^x − 1)/R))) for x > 0, else x; and H', H''."""
    beyond = np.maximum(x, 0.0)
    ratio = np.exp(np.minimum(beyond, 300.0))
    left = np.exp(-np.minimum((ratio - 1) / R, 700.0))
    value = 1 + R * (1 - left)
    slope = ratio * left / value
    bend = slope * (1 - ratio / R - slope)
    inside = x <= 0
    return (
        np.where(inside, x, np.log(value)),
        np.where(inside, 1.0, slope),
        np.where(inside, 0.0, bend),
    )


def _tangents(R: float) -> list[tuple[float, float]]:
    """Tangents of H at ratios from 1 to where it is flat: (c, a) of c·ratio^a."""
    farthest = np.log1p(R * min(FARTHEST, 12.0))
    places = np.linspace(0.0, farthest, TANGENTS)
    value, slope, _ = saturation(places, R)
    lines = [(1.0, 1.0)]
    lines += [
        (float(np.exp(v - a * x)), float(a))
        for x, v, a in zip(places, value, slope, strict=True)
        if a > 1e-9
    ]
    lines.append((1 + R, 0.0))
    return lines
