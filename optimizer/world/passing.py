"""How many tasks one of k samples solves, from the loss: a beta-binomial of it.

    μ = θ2/(1 + e^(θ1·(L − θ0))),   ν = e^(θ3 + θ4·L)
    pass@k = 1 − B(μν, (1 − μ)ν + k)/B(μν, (1 − μ)ν)

Each task is solved by a sample with a chance of its own, and these chances are of a
beta distribution with mean μ. *Source*: arXiv 2604.01411.
"""

from __future__ import annotations

import cmath
from functools import cache
from typing import Any, cast

from optimizer.records import dataclass

STEPS = 400  # of the losses that are looked through
STEP = 1e-30
FAR = 15.0  # from here on Stirling's series has all digits
BERNOULLI = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


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
        exp: Any = cmath.exp
        mean = self.theta2 / (1 + exp(self.theta1 * (loss - self.theta0)))
        size = exp(self.theta3 + self.theta4 * loss)
        failing = (1 - mean) * size
        miss = _log_gamma(failing + k) - _log_gamma(failing)
        miss += _log_gamma(size) - _log_gamma(size + k)
        found = 1 - exp(miss)
        plain = not any(isinstance(x, complex) for x in (loss, k, *self.numbers))
        return cast("float", found.real if plain else found)

    @property
    def numbers(self) -> tuple[float, ...]:
        """θ0 to θ4."""
        return self.theta0, self.theta1, self.theta2, self.theta3, self.theta4

    def loss(self, rate: float, k: float) -> float:
        """The greatest loss at which k samples solve so many tasks.

        It is the cheapest to reach. Where θ4 is above 0 the map may fall again towards
        low losses, which says nothing against it.

        Args:
            rate: above 0 and below 1; complex in a complex step, as k.
            k: samples a task.

        Raises:
            ValueError: no loss does.
            TypeError: of a number for each of many scenarios.
        """
        given = (rate, k, *self.numbers)
        if not all(isinstance(number, int | float | complex) for number in given):
            raise TypeError("one map, rate and number of samples at a time")
        plain = PassRate(*(float(number.real) for number in self.numbers))
        real = _root(plain, float(rate.real), float(k.real))
        if not any(isinstance(number, complex) for number in given):
            return real
        # The root moves with its numbers as one step of Newton says.
        slope = plain.rate(cast("float", real + STEP * 1j), k.real).imag / STEP
        off = self.rate(cast("float", complex(real)), k) - rate
        return cast("float", real - 1j * (off.imag / slope))


@cache
def _root(rated: PassRate, rate: float, k: float) -> float:
    """The loss of a rate, by bisection from the last loss that has it."""
    top = rated.theta0 + 40 / rated.theta1
    grid = [top * (i + 1) / STEPS for i in range(STEPS)]
    rates = [rated.rate(loss, k) for loss in grid]
    if (most := max(rates)) < rate:
        raise ValueError(
            f"must be at most {most:.3g}, what no loss exceeds with {k:g} samples by "
            f"this law's map, got {rate:g}"
        )
    last = max(i for i, found in enumerate(rates) if found >= rate)
    low, high = grid[last], grid[min(last + 1, STEPS - 1)]
    while low < (middle := (low + high) / 2) < high:
        reached = rated.rate(middle, k) >= rate
        low, high = (middle, high) if reached else (low, middle)
    return low


def _log_gamma(z: complex) -> complex:
    """Ln Γ of a number with a real part above 0.

    *Source*: Abramowitz & Stegun, 6.1.15 and 6.1.41.
    """
    shift: complex = 0
    while z.real < FAR:
        shift += cmath.log(z)
        z += 1
    series = sum(b / z ** (2 * i + 1) for i, b in enumerate(BERNOULLI))
    return (z - 0.5) * cmath.log(z) - z + cmath.log(2 * cmath.pi) / 2 + series - shift
