"""What a student reaches that learns from a teacher's logits.

    L_S = L_T + L_T^-c0 · (1 + (L_T/(L̃·d1))^(1/f1))^(−c1·f1) · (A'·N^-α' + B'·D^-β')^γ'

with L_T the loss of the teacher and L̃ the loss that the student would have if it were
trained without one. It falls in N and in D, so that each size has one least D for a
loss; it is no posynomial. *Source*: Busbridge et al. 2025 (arXiv 2502.08606), table 6,
fitted to 697 runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.records import dataclass
from optimizer.world.surface import Surface

FARTHEST = 1e30  # tokens and parameters beyond which nothing more is to be had
NARROW = 1e-12  # in ln D, how close the least tokens are
STEPS = 200  # of which some twelve are usual


@dataclass(frozen=True)
class Student:
    """The loss of the students of one teacher; each number may be an array, or complex.

    Attributes:
        supervised: the surface of models without a teacher.
        teacher: the loss of the teacher.
        constants: of the law, see `distillation.CONSTANTS`.
    """

    supervised: Surface
    teacher: float
    constants: Mapping[str, float]

    def loss(self, N: Any, D: Any) -> Any:
        """The loss of a student of N parameters on D tokens of its teacher's."""
        return self.teacher + np.exp(self._above(N, D))

    def _above(self, N: Any, D: Any) -> Any:
        """Ln of what the loss of a student is above its teacher's."""
        c = self.constants
        ratio = self.teacher / (self.supervised.loss(N, D) * c["d1"])
        grown = _one_more(np.log(ratio) / c["f1"])
        rest = c["student_A"] * N ** -c["student_alpha"]
        rest = rest + c["student_B"] * D ** -c["student_beta"]
        log = c["student_gamma"] * np.log(rest) - c["c1"] * c["f1"] * grown
        return log - c["c0"] * np.log(self.teacher)

    @property
    def lowest(self) -> float:
        """The loss that no student of this teacher goes below."""
        return float(self.loss(FARTHEST, FARTHEST))

    def tokens(
        self,
        N: Array,
        loss: float,
        within: tuple[Array, Array] | None = None,
    ) -> Array:
        """The least tokens for a loss: it is reached there, and not at 1e-12 fewer.

        Infinite where no number of tokens reaches it.

        Args:
            N: sizes, `(sizes,)`.
            loss: to be reached.
            within: tokens of which the first do not do and the second do, or may;
                `(sizes,)` each.
        """
        low: Array = np.zeros(N.shape)
        high: Array = np.full(N.shape, np.log(FARTHEST))
        if within is not None:
            low = np.maximum(np.log(within[0]) - NARROW, low)
            high = np.minimum(np.log(within[1]) + NARROW, high)

        goal = np.log(max(loss - self.teacher, 0.0))

        def over(at: Array) -> Array:
            # Nearly linear in ln D, so that a line finds its root soon.
            return cast("Array", self._above(N, np.exp(at)) - goal)

        least, most, side = over(low), over(high), low * 0.0
        for step in range(STEPS):
            width = high - low
            going = (width >= NARROW) & (least > 0) & (most <= 0)
            if not going.any():
                break
            middle = (low + high) / 2
            if step % 8 < 7:  # else a half, so that it always ends
                slope = np.where(least > most, least - most, 1.0)
                edge = np.minimum(width / 2, NARROW / 2)
                at = low + width * (least / slope)
                middle = np.clip(at, low + edge, high - edge)
            found = over(middle)
            up, down = going & (found > 0), going & (found <= 0)
            # An end that stays weighs half, so that the other one moves (Illinois).
            least, most = (
                np.where(side < 0, least / 2, least),
                np.where(side > 0, most / 2, most),
            )
            low, least = np.where(up, middle, low), np.where(up, found, least)
            high, most = np.where(down, middle, high), np.where(down, found, most)
            side = up * 1.0 - down * 1.0
        high = high + NARROW / 2 * (
            self.loss(N, np.exp(high)) > loss
        )  # by a last digit
        answer = np.where(least <= 0, low, np.where(most > 0, np.inf, high))
        return np.exp(answer)


def _one_more(log: Any) -> Any:
    """Ln(1 + r) from ln r, where r may be beyond any number."""
    if not np.iscomplexobj(log):
        return np.logaddexp(0.0, log)
    most = np.maximum(log.real, 0.0)
    return most + np.log(np.exp(-most) + np.exp(log - most))
