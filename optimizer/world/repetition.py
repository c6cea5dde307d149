"""Repeated data: what tokens read again, and parameters beyond them, are worth.

    D' = U + U·R_D*·(1 − exp(−R/R_D*)),     R = D/U − 1
    N' = U_N + U_N·R_N*·(1 − exp(−R/R_N*)), R = N/U_N − 1 for N > U_N, else N' = N
    U_N = N_opt(U),                         U = min(D, unique tokens)

U, the unique tokens that are read, is a variable: U ≤ D and U ≤ unique. Neither D' nor
N' falls in U, so that the optimum has it as large as it may be; and all is concave in
logarithms, ln D' = ln U + H(ln D − ln U) and ln N' = u + H(n − u) with u affine in
ln U. *Source*: Muennighoff et al. 2023 (arXiv 2305.16264), eq. 5, 6, 16 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.composite import Concave, Powers
from optimizer.posynomial import Array, Term
from optimizer.world.limits import Limit
from optimizer.world.surface import Surface

COVERED = 500.0  # epochs that the law's runs went through
TANGENTS = 7
FARTHEST = 12.0  # in units of R*: where next to nothing more is to be had


@dataclass(frozen=True)
class Repetition:
    """How data repeat.

    Attributes:
        unique: the tokens that there are.
        R_D: repetitions after which a token is worth 1/e.
        R_N: likewise for parameters beyond U_N; None leaves N' = N.
    """

    unique: float
    R_D: float
    R_N: float | None

    def limit(self) -> Limit:
        """U ≤ unique, which the user can move."""
        read = Term("unique tokens", 1.0, {"U": 1.0})
        return Limit("data.unique_tokens", self.unique, "tokens", (read,))

    def physics(self) -> tuple[Limit, ...]:
        """U ≤ D, and no more epochs than the law covers."""
        read = Term("unique tokens", 1.0, {"U": 1.0, "D": -1.0})
        epochs = Term("epochs", 1.0, {"D": 1.0, "U": -1.0})
        return (
            Limit("data.read", 1.0, "", (read,)),
            Limit("data.epochs", COVERED, "", (epochs,)),
        )

    def tokens(self) -> Concave:
        """D' as a concave quantity of D and U."""

        def evaluate(z: Array) -> tuple[Array, Array, Array]:
            return _saturating(z[:, 0], z[:, 1], 1.0, self.R_D)

        tangents: list[Powers] = []
        for c, power in _tangents(self.R_D):
            tangents.append((c, {"D": power, "U": 1 - power}))
        return Concave("D'", ("D", "U"), evaluate, tuple(tangents))

    def parameters(self, surface: Surface) -> Concave | None:
        """N' as a concave quantity of N and U; None where N' = N."""
        if self.R_N is None:
            return None
        R = self.R_N
        # ln N_opt(U) = base + ratio·ln U along the training-optimal line.
        ratio = surface.beta / surface.alpha
        base = np.log(surface.optimal_parameters(1.0))

        def evaluate(z: Array) -> tuple[Array, Array, Array]:
            return _saturating(z[:, 0], base + ratio * z[:, 1], ratio, R)

        tangents: list[Powers] = []
        for c, power in _tangents(R):
            grown = {"N": power, "U": ratio * (1 - power)}
            tangents.append((c * np.exp(base * (1 - power)), grown))
        return Concave("N'", ("N", "U"), evaluate, tuple(tangents))


def _saturating(
    x: Array, u: Array, rise: float, R: float
) -> tuple[Array, Array, Array]:
    """U + H(x − u), with derivatives by x and by what u rises in."""
    h, slope, bend = saturation(x - u, R)
    gradient = np.stack([slope, rise * (1 - slope)], axis=1)
    direction = np.array([1.0, -rise])
    return u + h, gradient, bend[:, None, None] * np.outer(direction, direction)


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
    farthest = np.log1p(R * FARTHEST)
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
