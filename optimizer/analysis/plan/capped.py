"""Records: what a budget for training buys, once serving counts too.

The caps of training are the budget and the limits that are of the run alone, on its
compute, time and cost: which of them the user calls a budget does not matter.
"""

from __future__ import annotations

from optimizer.algebra.program import Certificate
from optimizer.records import dataclass


@dataclass(frozen=True)
class SameLoss:
    """The plan of the same loss that is cheapest over the life, some limits aside.

    Attributes:
        parameters: N.
        tokens: D.
        total: its lifetime cost, in the objective's unit.
        saved: the part of the budget's own plan's lifetime cost that it saves.
        cap: the cap of training of which it takes most.
        needs: what it takes of that, in its unit.
    """

    parameters: float
    tokens: float
    total: float
    saved: float
    cap: str
    needs: float


@dataclass(frozen=True)
class Step:
    """The plan of least lifetime cost for one loss, under the caps of training.

    Attributes:
        loss: the target.
        parameters: N.
        tokens: D.
        total: lifetime cost.
        used: of the cap that is used most, a fraction.
        extra: lifetime cost above that of the same loss without the caps, a fraction.
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
        chosen: the lowest loss whose plan the caps do not hold back.
        caps: the names of the limits that are caps beside the budget.
        unlimited: where the chosen loss is the lowest of all, the cheapest plan of it
            with neither caps nor limits; None where that is the plan.
    """

    name: str
    steps: tuple[Step, ...]
    chosen: int
    caps: tuple[str, ...] = ()
    unlimited: SameLoss | None = None

    @property
    def lowest(self) -> bool:
        """Whether no loss is given up for the life."""
        return self.chosen == 0
