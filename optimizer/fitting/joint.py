"""Several groups of runs under laws that share their exponents, as one objective.

Each group has an objective of its own in its own coefficients; what is shared stands at
one place among the coefficients of all. The sum of the objectives, of their gradients
and of their curvatures, each put where its coefficients stand, is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.fitting import sampled
from optimizer.fitting.objective import Array, Point, Problem, Rows
from optimizer.records import dataclass, replace

SHARED = ("alpha", "beta", "k", "gamma", "alpha_N", "alpha_D")


@dataclass(frozen=True, eq=False)
class Joint:
    """The objectives of all groups.

    Attributes:
        members: the objective of each group.
        places: where the free coefficients of each stand among all.
        low: lower bounds of all, (free,).
        high: upper bounds, (free,).
    """

    members: tuple[Problem, ...]
    places: tuple[Rows, ...]
    low: Array
    high: Array

    @property
    def x(self) -> Array:
        """Ln N of all runs, group by group, (runs,)."""
        return np.concatenate([member.x for member in self.members])

    @property
    def weight(self) -> Array:
        """Of all runs, group by group."""
        return np.concatenate([member.weight for member in self.members], -1)

    @property
    def free(self) -> int:
        """How many coefficients are free."""
        return int(self.low.size)

    def take(self, rows: Rows) -> Joint:
        """The problem of some members of the batch."""
        return replace(self, members=tuple(m.take(rows) for m in self.members))

    def pooled(self) -> Joint:
        """The same, with the runs of each group as `Problem.pooled` has them."""
        return replace(self, members=tuple(m.pooled() for m in self.members))

    def predict(self, z: Array) -> Array:
        """The fitted ln L of each run, group by group, (batch, runs)."""
        pairs = zip(self.members, self.places, strict=True)
        return np.concatenate([m.predict(z[:, place]) for m, place in pairs], 1)


def joint(
    members: Sequence[Problem], symbols: Sequence[tuple[str, ...]]
) -> tuple[Joint, tuple[tuple[int, str], ...]]:
    """The groups as one problem: what each has of its own first, then what is shared.

    Args:
        members: the objective of each group.
        symbols: the free coefficients of each.

    Returns:
        The problem, and of each coefficient the group that has it (−1: all) and its
        symbol.
    """
    names = [(g, s) for g, own in enumerate(symbols) for s in own if s not in SHARED]
    names += [(-1, s) for s in symbols[0] if s in SHARED]
    place = {name: i for i, name in enumerate(names)}
    places = tuple(
        np.array([place[(-1 if s in SHARED else g, s)] for s in own], dtype=int)
        for g, own in enumerate(symbols)
    )
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for member, at in zip(members, places, strict=True):
        low[at] = np.maximum(low[at], member.low)
        high[at] = np.minimum(high[at], member.high)
    return Joint(tuple(members), places, low, high), tuple(names)


def evaluated(
    problem: Problem | Joint, z: Array, delta: Array, *, exact: bool = True
) -> Point:
    """The objective and its derivatives, of one group or of several."""
    if isinstance(problem, Problem):
        return sampled.evaluated(problem, z, delta, exact=exact)
    batch, free = z.shape
    found = Point(
        value=np.zeros(batch),
        gradient=np.zeros((batch, free)),
        hessian=np.zeros((batch, free, free)),
        damping=np.zeros((batch, free)),
        reach=np.zeros((batch, free)),
        inside=np.zeros(batch),
    )
    for member, at in zip(problem.members, problem.places, strict=True):
        own = sampled.evaluated(member, z[:, at], delta, exact=exact)
        found.value[:] += own.value
        found.inside[:] += own.inside
        found.hessian[:, at[:, None], at] += own.hessian
        for name in ("gradient", "damping", "reach"):
            getattr(found, name)[:, at] += getattr(own, name)
    return found
