"""How many tasks one of k samples solves, from the loss: a beta-binomial of it.

    μ = θ2/(1 + e^(θ1·(L − θ0))),   ν = e^(θ3 + θ4·L)
    pass@k = 1 − B(μν, (1 − μ)ν + k)/B(μν, (1 − μ)ν)

Each task is solved by a sample with a chance of its own, and these chances are of a
beta distribution with mean μ. *Source*: arXiv 2604.01411.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass
from typing import Any, cast

STEPS = 2000  # of the losses that are looked through
STEP = 1e-30


@dataclass(frozen=True)
class PassRate:
    """The map from loss to pass@k, in the symbols of its source."""

    theta0: float
    theta1: float
    theta2: float
    theta3: float
    theta4: float

    def rate(self, loss: float, k: float) -> float:
        """pass@k [fraction] of a loss; analytic in all its numbers."""
        from scipy.special import loggamma  # noqa: PLC0415 - only where it is asked

        exp: Any = cmath.exp
        mean = self.theta2 / (1 + exp(self.theta1 * (loss - self.theta0)))
        size = exp(self.theta3 + self.theta4 * loss)
        failing = (1 - mean) * size
        miss = loggamma(failing + k) - loggamma(failing)
        miss += loggamma(size) - loggamma(size + k)
        found = 1 - exp(miss)
        plain = not any(isinstance(x, complex) for x in (loss, k))
        return cast("float", found.real if plain else found)

    def loss(self, rate: float, k: float) -> float:
        """The greatest loss up to which k samples solve so many tasks.

        Args:
            rate: above 0 and below 1; complex in a complex step, as k.
            k: samples a task.

        Raises:
            ValueError: no loss does.
            TypeError: of a number for each of many scenarios.
        """
        from scipy.optimize import brentq  # noqa: PLC0415 - only where it is asked

        if not isinstance(rate, int | float | complex):
            raise TypeError("one rate at a time")
        wanted, count = rate.real, float(k.real)
        top = self.theta0 + 40 / self.theta1
        grid = [top * (i + 1) / STEPS for i in range(STEPS)]
        passing = [self.rate(loss, count) >= wanted for loss in grid]
        if not passing[0]:
            most = max(self.rate(loss, count) for loss in grid)
            raise ValueError(
                f"must be at most {most:.3g}, what no loss exceeds with {count:g} "
                f"samples by this law's map, got {wanted:g}"
            )
        last = passing.index(False) if False in passing else STEPS
        if last == STEPS:
            return top
        real: float = brentq(
            lambda loss: self.rate(loss, count) - wanted,
            grid[last - 1],
            grid[last],
            xtol=1e-15,
            rtol=1e-15,
        )
        if not isinstance(rate, complex) and not isinstance(k, complex):
            return real
        # The root moves with its numbers as one step of Newton says.
        slope = self.rate(cast("float", real + STEP * 1j), count).imag / STEP
        off = self.rate(cast("float", complex(real)), k) - rate
        return cast("float", real - 1j * (off.imag / slope))
