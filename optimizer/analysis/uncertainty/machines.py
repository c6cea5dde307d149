"""What many models take of machines in whole numbers, at once.

The same rules as `rounded` has for one: batches of whole sequences, and the replicas
that stand for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from optimizer.algebra.batch_value import Many, Mask
from optimizer.algebra.posynomial import Array, Integers, Term
from optimizer.analysis.plan.pointwise import amount, best_batch, column, completed
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario, Whole
from optimizer.question.standing import loads
from optimizer.question.vary import Plan, groups, together
from optimizer.records import dataclass, field, replace
from optimizer.world.limits import Limit
from optimizer.world.roofline import NEAR, Replica

K = TypeVar("K")

KEPT = 1e-9  # ln(used/bound) up to which a limit counts as kept

Numbers = Mapping[str, Array]  # by the suffix of a machine


@dataclass(frozen=True, eq=False)
class Decided:
    """What is decided of some rows in whole numbers.

    Attributes:
        samples: that a request draws; None as the scenario has them.
        batches: of machines.
        replicas: that stand of machines.
        parts: of the time of those, by machine, and by stream and phase.
    """

    samples: Array | None = None
    batches: Numbers = field(default_factory=dict)
    replicas: Numbers = field(default_factory=dict)
    parts: Mapping[str, Mapping[tuple[str, str], Array]] = field(default_factory=dict)

    def also(self, scenario: Scenario, rows: Integers) -> Scenario:
        """The scenario of some of the rows, with what is decided of them."""
        whole = {}
        for suffix in {*self.batches, *self.replicas}:
            words: dict[str, Any] = {}
            if suffix in self.batches:
                words["batch"] = together(self.batches[suffix][rows])
            if suffix in self.replicas:
                words["replicas"] = together(self.replicas[suffix][rows])
                shares = self.parts[suffix].items()
                words["parts"] = {key: together(part[rows]) for key, part in shares}
            whole[suffix] = replace(Whole(), **words)
        drawn = scenario.samples
        if self.samples is not None:
            drawn = together(self.samples[rows])
        return replace(scenario, whole=whole, samples=drawn)

    def of(self, rows: Integers) -> Decided:
        """The same of some of the rows."""
        return Decided(
            None if self.samples is None else self.samples[rows],
            {suffix: some[rows] for suffix, some in self.batches.items()},
            {suffix: some[rows] for suffix, some in self.replicas.items()},
            {
                suffix: {key: part[rows] for key, part in parts.items()}
                for suffix, parts in self.parts.items()
            },
        )

    def put(self, rows: Integers, some: Decided, count: int) -> Decided:
        """The same of `count` rows, with what is decided of some in its place."""
        parts = {
            suffix: _put(self.parts.get(suffix, {}), shares, rows, count)
            for suffix, shares in some.parts.items()
        }
        return Decided(
            self.samples,
            _put(self.batches, some.batches, rows, count),
            _put(self.replicas, some.replicas, rows, count),
            {**self.parts, **parts},
        )


def _put(
    kept: Mapping[K, Array], some: Mapping[K, Array], rows: Integers, count: int
) -> dict[K, Array]:
    found = dict(kept)
    for key, numbers in some.items():
        column_ = found[key].copy() if key in found else np.full(count, np.nan)
        column_[rows] = numbers
        found[key] = column_
    return found


@dataclass(frozen=True, eq=False)
class Taken:
    """What models take of their machines.

    Attributes:
        batches: the best of each machine that leaves its batch open, in fractions.
        fitting: the same in whole sequences, as many as fit.
        needs: replicas that the peak takes of each machine that stands, in fractions.
        parts: of the time of those, by stream and phase.
        known: whether a row could be asked.
    """

    batches: Numbers
    fitting: Numbers
    needs: Numbers
    parts: Mapping[str, Mapping[tuple[str, str], Array]]
    known: Mask


def taken(plan: Plan, inputs: Array, decided: Decided, N: Array, D: Array) -> Taken:
    """What models take of their machines.

    Args:
        plan: of a scenario without choices.
        inputs: the values of what varies, `(rows, numbers)`.
        decided: of the rows.
        N: parameters of each row.
        D: tokens.
    """
    size = len(inputs)
    batches: dict[str, Array] = {}
    fitting: dict[str, Array] = {}
    needs: dict[str, Array] = {}
    parts: dict[str, dict[tuple[str, str], Array]] = {}
    known = np.zeros(size, dtype=bool)

    def of(some: dict[str, Array], suffix: str) -> Array:
        return some.setdefault(suffix, np.full(size, np.nan))

    for rows, scenario, question in _asked(plan, inputs, decided):
        known[rows] = True
        point = completed(question, {"N": N[rows], "D": D[rows]})
        for r in question.replicas:
            if r.batch is None:
                of(batches, r.suffix)[rows] = point[f"batch{r.suffix}"]
                of(fitting, r.suffix)[rows] = _fitting(r, N[rows])
        for suffix, terms in loads(scenario, question.bill):
            found: dict[tuple[str, str], Array] = {}
            for name, term in terms:
                key = (name, term.label)
                found[key] = found.get(key, 0.0) + amount(term, point)
            total = np.asarray(sum(found.values()), dtype=float)
            if not (total > 0).any():
                continue
            of(needs, suffix)[rows] = total
            shares = parts.setdefault(suffix, {})
            for key, load in found.items():
                shares.setdefault(key, np.full(size, np.nan))[rows] = load / total
    return Taken(batches, fitting, needs, parts, known)


def _asked(
    plan: Plan, inputs: Array, decided: Decided
) -> list[tuple[Integers, Scenario, Question]]:
    found = []
    pairs = groups(plan, inputs, lambda scenario, _: scenario, decided.also)
    for group in pairs:
        if group.question is not None and group.view is not None:
            found.append((group.rows, group.view, group.question))
    return found


def _fitting(replica: Replica, N: Array) -> Array:
    """The batch of least cost in whole sequences; see `Replica.whole`."""
    b, _ = best_batch(replica, N)
    down, up = beside(b)
    if replica.sum is not None:
        return down
    held = replace(replica, batch=cast("float", Many(up)))
    point = {"N": N, f"step{replica.suffix}": best_batch(held, N)[1]}
    fits = np.ones(len(N), dtype=bool)
    for wall in held.limits():
        used = sum(amount(term, point) for term in wall.terms)
        fits &= used <= np.asarray(wall.bound, dtype=float) * (1 + KEPT)
    return np.where(fits, up, down)


def beside(numbers: Array) -> tuple[Array, Array]:
    """The whole numbers beside some, at least 1; twice one that is whole already."""
    down = np.maximum(np.floor(numbers * (1 + NEAR)), 1.0)
    return down, np.maximum(np.ceil(numbers * (1 - NEAR)), 1.0)


def of_life(question: Question) -> tuple[Sequence[Term], Sequence[Limit]]:
    """What the whole life of a model costs, and its limits."""
    return question.cost, question.breakable


def priced(
    plan: Plan,
    inputs: Array,
    decided: Decided,
    N: Array,
    D: Array,
    of: Callable[[Question], tuple[Sequence[Term], Sequence[Limit]]] = of_life,
) -> tuple[Array, Array]:
    """The lifetime cost of models with their best whole batches, and what stands.

    Args:
        plan: of a scenario without choices.
        inputs: the values of what varies, `(rows, numbers)`.
        decided: of the rows, without machines.
        N: parameters of each row.
        D: tokens.
        of: of a question, what costs and what limits.

    Returns:
        The costs, and ln of how far each is above the limit that it breaks most; NaN
        where a row cannot be asked.
    """
    decided = served(plan, inputs, decided, N, D)
    costs, over = np.full(len(inputs), np.nan), np.full(len(inputs), np.nan)
    for rows, _, question in _asked(plan, inputs, decided):
        point = completed(question, {"N": N[rows], "D": D[rows]})
        terms, limits = of(question)
        costs[rows] = sum(amount(term, point) for term in terms)
        most = np.full(len(rows), -np.inf)
        for wall in limits:
            used = np.asarray(sum(amount(term, point) for term in wall.terms))
            bound = column(wall.bound, len(rows))
            most = np.maximum(most, np.log(used / bound))
        over[rows] = most
    return costs, over


def served(plan: Plan, inputs: Array, decided: Decided, N: Array, D: Array) -> Decided:
    """What serves models: their best whole batches, and the fewest replicas."""
    first = taken(plan, inputs, decided, N, D)
    decided = replace(decided, batches=first.fitting)
    then = taken(plan, inputs, decided, N, D) if first.fitting else first
    stand = {suffix: beside(need)[1] for suffix, need in then.needs.items()}
    return replace(decided, replicas=stand, parts=then.parts)
