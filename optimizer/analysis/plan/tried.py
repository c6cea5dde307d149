"""A choice of machines that leaves no plan, and what it takes for it to have one."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cached_property, partial

from optimizer.analysis.plan.every_case import held_from_both, nearest
from optimizer.analysis.plan.explain import FIELD
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.loosened import freed, moved
from optimizer.analysis.plan.reach import change, printed
from optimizer.analysis.plan.search import planned
from optimizer.analysis.plan.whole import WholePlan
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import FAR
from optimizer.records import dataclass

HELD = {word: variable for variable, word in FIELD.items()}


@dataclass(frozen=True, eq=False)
class Tried:
    """A choice without a plan.

    Attributes:
        scenario: without lists.
        question: the same as mathematics.
        why: there is no plan.
    """

    scenario: Scenario
    question: Question
    why: Infeasibility

    @cached_property
    def ways(self) -> Mapping[str, Relaxation]:
        """The bounds that a word moves, by name."""
        return {
            way.name: way
            for way in self.why.relaxations
            if moved(self.scenario, way.name, way.before) is not None
        }

    def at(self, name: str, value: float) -> bool:
        """Whether it has a plan with one bound moved."""
        other = moved(self.scenario, name, value)
        return other is not None and planned(other) is not None

    def plan_without(self, names: Collection[str]) -> WholePlan | None:
        """A plan without some bounds, as far as it has them."""
        mine = [name for name in names if name in self.ways]
        if not (self.why.beside or {*mine} & {*self.why.conflict}):
            return None  # its proof stands
        found = map(planned, freed(self.scenario, self.question, mine))
        return next((made[1] for made in found if made is not None), None)

    def without(self, names: Collection[str]) -> bool:
        """Whether it has one without some bounds, as far as it has them."""
        return self.plan_without(names) is not None

    def least_change(self, name: str) -> float:
        """How far a bound must move at least, in logarithms; ∞ where none will do."""
        if self.why.beside:
            return 0.0  # in fractions there is a plan
        way = self.ways[name]
        if way.after is None or abs(way.after) > FAR:
            return math.inf
        return change(way, self.question.surface)

    def least(self, name: str, most: float = math.inf) -> float | None:
        """Where a bound must go for a plan, if it is within a distance; else None."""
        way, surface = self.ways[name], self.question.surface
        at, start = partial(self.at, name), way.before
        if not self.why.beside and way.after is not None:
            start = printed(way, way.after)  # which is what will be typed
            if at(start):
                return way.after
            if math.isinf(far := self.least_change(name)):
                return None  # further than any file takes
            most -= far
        known = None
        if held_from_both(name) and (made := self.plan_without([name])) is not None:
            known = made.plan.size[HELD[name]]
        # Whole batches and replicas may need more.
        return nearest(way, start, surface, at, most, known)
