"""Why there is no plan, and the changes that would make one."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.algebra.program import Certificate
from optimizer.errors import Mark
from optimizer.records import dataclass, field


@dataclass(frozen=True)
class Relaxation:
    """The least change of one bound alone that restores a plan; None: none does.

    Attributes:
        name: of the bound.
        before: as it stands.
        after: where it must go at least.
        place: of the word of the file, or of the `--set`, that sets it.
        unit: of both.
        cost: lifetime cost of the plan that the least change leaves.
        overhead: its training compute over the least for its loss, less 1.
        sensible: where it must go for an overhead of at most 1; None where the least
            change does that, or no change does.
        sensible_cost: lifetime cost of the plan there.
        within_runs: whether `sensible` is where the plan is in the law's runs, too: of
            a target that the law excludes.
    """

    name: str
    before: float
    after: float | None
    place: Mark
    unit: str = "nats"
    cost: float | None = None
    overhead: float | None = None
    sensible: float | None = None
    sensible_cost: float | None = None
    within_runs: bool = False

    @property
    def line(self) -> int | None:
        """The line of the file, where it stands there."""
        return self.place.line or None


@dataclass(frozen=True)
class Infeasibility:
    """Why there is no plan, and what would make one.

    Attributes:
        opening: what excludes each other, in words, with the user's numbers.
        conflict: names of bounds that exclude each other; each is needed for that, but
            in whole numbers until it is looked into.
        relaxations: for each bound.
        nearest_loss: the lowest loss within the limits; None for a portfolio.
        uniform: the factor by which all limits together must grow, or None.
        certificate: of the relaxation program that proves it, or None where
            arithmetic alone does.
        accelerators: how many would do in place of more training time, or None.
        nearest_reached: whether a plan has the lowest loss; if not, it is only come
            near as something that is not limited grows, or in fractions of machines.
        nearest_losses: of a portfolio, for each model whose target is in the
            conflict: the lowest loss that all the other bounds leave it, or None.
        lowest: the lowest loss in words; empty where that is not asked.
        notes: what is behind the conflict.
        cure: the smallest changes in words; empty where none is told.
        advice: further ways out, and why others are none.
        choices: of how many choices from lists it holds, with the least change of all.
        beside: where there is a plan in fractions: of the bounds, those that exclude
            each other at the whole numbers that are nearest to a plan.
    """

    opening: str
    conflict: tuple[str, ...]
    relaxations: tuple[Relaxation, ...]
    nearest_loss: float | None
    uniform: float | None
    certificate: Certificate | None
    nearest_losses: Mapping[str, float | None] = field(default_factory=dict)
    accelerators: int | None = None
    nearest_reached: bool = True
    lowest: str = ""
    notes: tuple[str, ...] = ()
    cure: str = ""
    advice: tuple[str, ...] = ()
    choices: int = 1
    beside: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The reason without its cures."""
        first = f"{self.opening}; {self.lowest}" if self.lowest else self.opening
        return ". ".join((first, *self.notes))

    @property
    def reason(self) -> str:
        """Why there is no plan, and what would make one."""
        parts = (self.cause, self.cure, *self.advice)
        return ". ".join(part for part in parts if part)
