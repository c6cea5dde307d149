"""A decode step whose parts add up, where a roofline takes the longest of them.

Of a mixture's experts a step of b sequences reads the share 1 − (1 − k/E)^b, for tokens
that choose k of E independently. Its logarithm is concave in ln b, so that a monomial
that touches it at one batch lies above it at all others, and a program with the
monomial has a plan that the engine can serve at that cost or less.
"""

from __future__ import annotations

import math
from typing import Any

from optimizer.algebra.batch_value import falling, largest
from optimizer.records import dataclass
from optimizer.world.surface import ln

Pairs = tuple[tuple[float, float], ...]  # coefficients and powers of N
ROUNDS = 60  # of Newton's method, which takes ten where experts are few
SETTLED = 1e-5  # relative change of a round after which one more is exact


@dataclass(frozen=True)
class Routed:
    """The routed experts of all layers together.

    Attributes:
        size: of all of them [bytes], for each parameter of N.
        missed: the share of them that one token leaves out, 1 − k/E.
        at: the batch at which a monomial touches what is read; infinite reads all, 0
            those of one sequence however many there are, which is less than any reads.
    """

    size: float
    missed: float
    at: float = math.inf

    def share(self, batch: Any) -> Any:
        """The share of them that a batch reads; of arrays too."""
        return 1.0 - falling(self.fades * batch)

    @property
    def fades(self) -> float:
        """How fast the share that is left out falls with the batch."""
        return -ln(self.missed)

    def monomial(self) -> tuple[float, float]:
        """Coefficient and power of b of the share, from above; of 0 from below."""
        if self.at == math.inf:
            return 1.0, 0.0
        if self.at == 0.0:
            return 1.0 - self.missed, 0.0
        far = self.fades * self.at
        left: float = falling(far)
        power = far * left / (1.0 - left)
        return (1.0 - left) * falling(power * ln(self.at)), power

    def excess(self, batch: float) -> float:
        """Ln of the monomial over the share at a batch; at least 0 but for rounding."""
        factor, power = self.monomial()
        return ln(factor) + power * ln(batch) - ln(self.share(batch))


@dataclass(frozen=True)
class Sum:
    """How the parts of a step add up.

    Attributes:
        floor: of a step, whatever it decodes [s].
        each: of a step, for each sequence [s], beside arithmetic and traffic.
        token: of a token of a prompt [s]: arithmetic, then what 2·N FLOP do not tell.
        read: weights that a step reads beside the routed experts [bytes], for each
            parameter of N.
        share: tokens of prompts that fall between two tokens of a sequence, for each
            sequence in flight.
        mean: mean over longest context.
        routed: the experts, of which a step reads some; None reads all weights.
    """

    floor: Pairs
    each: Pairs
    token: Pairs
    read: float
    share: float
    mean: float
    routed: Routed | None = None


def within(longest: Any, floor: Any, each: Any, moved: Any, routed: Any) -> Any:
    """The batch whose step takes some time: floor + moved·share(b) + each·b = longest.

    The left side is concave and rises, so that Newton's method comes from below. For
    numbers and arrays alike.
    """
    if routed is None:
        return (longest - floor) / each
    left = longest - floor
    left = left + (abs(left.real) - left.real) / 2.0  # none below the floor
    least = (left - moved) / each  # reads all of them, and so is no more
    b = (least + abs(least)) / 2.0
    fades = routed.fades
    share, one = moved * fades / each, 1.0 / fades
    still = False
    for _ in range(ROUNDS):
        slope, before = share * falling(fades * b), b
        b = (least + slope * (b + one)) / (1.0 + slope)
        if still:  # and for the parts of a complex step
            break
        still = largest((b - before) / (1.0 + b)) <= SETTLED
    return b
