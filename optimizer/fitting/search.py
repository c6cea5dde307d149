"""The search: many starts or resamples in blocks, each to its own minimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimizer.fitting.joint import Joint, evaluated
from optimizer.fitting.newton import STATIONARY, STEPS, Minimum, minimise
from optimizer.fitting.objective import Array, Point, Problem, Rows
from optimizer.records import dataclass, replace

DELTA = 1e-3
WIDEST = 1.0  # δ of a search from afar; nearly least squares
NEAR = 0.03  # δ of a search from a minimum of nearly the same data
BLOCK = 36_000  # numbers in an array of a block, which then stays in the cache
HELD = 2_000_000  # runs of all members of a block, of which sums are kept
FAR = 300  # steps of a search from afar
PART = 300  # runs from which the places of minima are seen
LONG = 5000  # steps of the last few, where none has come to rest
LAST = 8
ENOUGH = 96  # starts of a fit that is one of many
PLACES = 5  # decimals to which coefficients agree at one place
SAME = 1e-6  # relative difference of two values of one minimum

Progress = Callable[[int], None]


def silent(_count: int) -> None:
    """Tells nobody how far it is."""


@dataclass(frozen=True, eq=False)
class Found:
    """The best of many minima.

    Attributes:
        z: free coefficients, (free,).
        minimum: every start's end.
        reached: how many starts ended at the best.
        others: how many other stationary minima there are, by their value.
    """

    z: Array
    minimum: Minimum
    reached: int
    others: int

    @property
    def best(self) -> int:
        """Its place among the starts."""
        return int(np.argmin(self.minimum.value))


def search(
    problem: Problem | Joint,
    starts: Array,
    delta: float = DELTA,
    *,
    widest: float = WIDEST,
    steps: int = STEPS,
    progress: Progress = silent,
    exact: bool = True,
) -> Minimum:
    """Runs every start to a minimum.

    Args:
        problem: with as many members as there are starts, or one for all.
        starts: (batch, free).
        delta: of Huber's loss.
        widest: δ to start from.
        steps: after which a search is given up.
        progress: told how many starts each block had.
        exact: whether the curvature is; see `evaluate`.
    """
    size = BLOCK // problem.take(np.arange(1)).pooled().x.size
    size = max(1, min(size, HELD // problem.x.size))
    ends = []
    for first in range(0, len(starts), size):
        rows = np.arange(first, min(first + size, len(starts)))
        block = problem.take(rows).pooled()

        def at(
            members: Rows, z: Array, width: Array, block: Problem | Joint = block
        ) -> Point:
            return evaluated(block.take(members), z, width, exact=exact)

        wide = np.full(len(rows), widest)
        low, high = problem.low, problem.high
        ends.append(minimise(at, starts[rows], low, high, delta, wide, steps=steps))
        progress(len(rows))
    fields = Minimum.__dataclass_fields__
    joined = {name: np.concatenate([getattr(e, name) for e in ends]) for name in fields}
    return Minimum(**joined)


def explore(
    problem: Problem | Joint,
    starts: Array,
    delta: float = DELTA,
    *,
    steps: int = FAR,
    progress: Progress = silent,
) -> Minimum:
    """Runs every start of one problem to a minimum, each way once.

    With a wide δ most starts come to rest at one place; from there on their way is the
    same, and is gone once for all of them. Of many runs a part shows these places as
    well; only from there on all of them are asked. Gauss and Newton's curvature leads
    there from afar, but creeps where the losses scatter; the exact one then ends it.

    Args:
        problem: one for all starts.
        starts: (batch, free).
        delta: of Huber's loss.
        steps: after which a search is given up.
        progress: told how many starts each block had.
    """
    some: Problem | Joint
    if isinstance(problem, Joint):
        some = replace(problem, members=tuple(map(part, problem.members)))
    else:
        some = part(problem)
    there = search(
        some,
        starts,
        WIDEST,
        widest=WIDEST,
        steps=steps // 4,
        progress=progress,
        exact=False,
    )
    restless = there.stationarity > STATIONARY
    if restless.any():
        end = search(some, there.z[restless], WIDEST, widest=WIDEST, steps=steps)
        there.put(restless, end)
        restless = there.stationarity > STATIONARY
    places = np.round(there.z, PLACES)
    # Whatever has not come to rest goes its own way.
    own = np.where(restless, np.arange(len(starts)) + 1.0, 0.0)
    keys = np.concatenate([places, own[:, None]], 1)
    _, kept, member = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    ends = search(problem, there.z[kept], delta, widest=WIDEST, steps=steps)
    fields = Minimum.__dataclass_fields__
    return Minimum(**{name: getattr(ends, name)[member.ravel()] for name in fields})


def promising(problem: Problem, starts: Array) -> Array:
    """The starts of least objective, for a fit that is one of many."""
    if len(starts) <= ENOUGH:
        return starts
    some, wide = part(problem), np.full(len(starts), WIDEST)
    value = evaluated(some, starts, wide, exact=False).value
    return starts[np.sort(np.argsort(value, kind="stable")[:ENOUGH])]


def part(problem: Problem) -> Problem:
    """The problem of a part of its runs, where they are many."""
    if problem.x.size <= PART:
        return problem
    rows = np.sort(np.random.default_rng(0).permutation(problem.x.size)[:PART])
    return replace(
        problem,
        x=problem.x[rows],
        y=problem.y[rows],
        target=problem.target[..., rows],
        weight=problem.weight[..., rows],
    )


def finished(problem: Problem | Joint, ends: Minimum, delta: float) -> Minimum:
    """The ends, the best few of them led on until they rest.

    With few runs far apart the objective is nearly a polyhedron, along whose edges a
    search may creep.
    """
    best = np.argsort(ends.value)[:LAST]
    starts = np.tile(ends.z[best], (2, 1))
    near = search(problem, starts[: len(best)], delta, widest=NEAR, steps=LONG)
    here = search(problem, starts[len(best) :], delta, widest=delta, steps=LONG)
    fields = Minimum.__dataclass_fields__
    joined = {
        name: np.concatenate([getattr(each, name) for each in (ends, near, here)])
        for name in fields
    }
    return Minimum(**joined)


def best_of(minimum: Minimum, stationary: float = 1e-8) -> Found:
    """The best of all ends, and how far the others agree."""
    values = minimum.value
    best = values.min()
    near = values <= best * (1 + SAME) + 1e-15
    rest = values[~near & (minimum.stationarity <= stationary)]
    others = len(np.unique(np.round(np.log(rest + 1e-300), 4)))
    z = minimum.z[int(np.argmin(values))]
    return Found(z, minimum, int(near.sum()), others)
