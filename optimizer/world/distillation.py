"""Distillation: what a student reaches that learns from a teacher's logits.

    L_S = L_T + L_T^-c0 · (1 + (L_T/(L̃·d1))^(1/f1))^(−c1·f1) · (A'·N^-α' + B'·D^-β')^γ'

with L_T the loss of the teacher and L̃ the loss that the student would have if it were
trained without one. It falls in N and in D, so that each size has one least D for a
loss; it is no posynomial. *Source*: Busbridge et al. 2025 (arXiv 2502.08606), table 6,
fitted to 697 runs.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from optimizer.reading.fields import Model, Parameters, Tokens
from optimizer.records import dataclass
from optimizer.world.surface import Surface

# Of a law file's extras.
CONSTANTS = (
    *("student_A", "student_alpha", "student_B", "student_beta", "student_gamma"),
    *("c0", "c1", "f1", "d1"),
)
FARTHEST = 1e30  # tokens and parameters beyond which nothing more is to be had
HALVINGS = 200


class Teacher(Model):
    """A model that exists already, from which a student may learn."""

    parameters: Parameters = Field(description="its size")
    tokens: Tokens = Field(description="that it was trained on")


class Distillation(Model):
    """A student of a teacher, beside the plan that is trained without one."""

    teacher: Teacher | Annotated[tuple[Teacher, ...], Field(max_length=50)] = Field(
        description="whose logits it learns, or a list to choose from"
    )
    logits: Literal["free", "paid"] = Field(
        description="free: they exist; paid: 2N of the teacher a token of the student"
    )

    @property
    def teachers(self) -> tuple[Teacher, ...]:
        """Those to choose from."""
        return self.teacher if isinstance(self.teacher, tuple) else (self.teacher,)


@dataclass(frozen=True)
class Student:
    """The loss of the students of one teacher.

    Attributes:
        supervised: the surface of models without a teacher.
        teacher: the loss of the teacher.
        constants: of the law, see `CONSTANTS`.
    """

    supervised: Surface
    teacher: float
    constants: Mapping[str, float]

    def loss(self, N: float, D: float) -> float:
        """The loss of a student of N parameters on D tokens of its teacher's."""
        c = self.constants
        ratio = self.teacher / (self.supervised.loss(N, D) * c["d1"])
        # ln(1 + r^(1/f1)), where the power may be beyond any number.
        power = math.log(ratio) / c["f1"]
        grown = power if power > 30 else math.log1p(math.exp(power))
        rest = c["student_A"] * N ** -c["student_alpha"]
        rest += c["student_B"] * D ** -c["student_beta"]
        log = c["student_gamma"] * math.log(rest) - c["c1"] * c["f1"] * grown
        return self.teacher + math.exp(log - c["c0"] * math.log(self.teacher))

    @property
    def lowest(self) -> float:
        """The loss that no student of this teacher goes below."""
        return self.loss(FARTHEST, FARTHEST)

    def tokens(self, N: float, loss: float) -> float:
        """The least tokens for a loss: it is reached there, and not at 1e-12 fewer.

        Infinite where no number of tokens reaches it.
        """
        low, high = 0.0, math.log(FARTHEST)
        if self.loss(N, FARTHEST) > loss:
            return math.inf
        if self.loss(N, 1.0) <= loss:
            return 1.0
        for _ in range(HALVINGS):
            if high - low < 1e-12:
                break
            middle = (low + high) / 2
            if self.loss(N, math.exp(middle)) > loss:
                low = middle
            else:
                high = middle
        return math.exp(high)
