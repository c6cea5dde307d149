"""Records: what a budget for training buys, once serving counts too."""

from __future__ import annotations

from optimizer.algebra.program import Certificate
from optimizer.records import dataclass


@dataclass(frozen=True)
class SameLoss:
    """The plan of the same loss that is cheapest over the life, the budget aside.

    Attributes:
        parameters: N.
        tokens: D.
        total: its lifetime cost, in the objective's unit.
        saved: the part of the budget's own plan's lifetime cost that it saves.
        needs: what it takes of the budget, in the budget's unit.
    """

    parameters: float
    tokens: float
    total: float
    saved: float
    needs: float


@dataclass(frozen=True)
class Step:
    """The plan of least lifetime cost for one loss, under a budget for training.

    Attributes:
        loss: the target.
        parameters: N.
        tokens: D.
        total: lifetime cost.
        used: of the budget, a fraction.
        extra: lifetime cost above that of the same loss without the budget, a fraction.
        certificate: of its program; of the lowest loss, of the program that finds it.
    """

    loss: float
    parameters: float
    tokens: float
    total: float
    used: float
    extra: float
    certificate: Certificate


@dataclass(frozen=True)
class Capped:
    """Loss against lifetime cost under a budget for training.

    Attributes:
        name: the budget's word.
        steps: from the lowest loss that the budget reaches up.
        chosen: the lowest loss whose plan the budget does not hold back.
    """

    name: str
    steps: tuple[Step, ...]
    chosen: int
