"""Runs of equal size and tokens, of which a law says one loss: summed beforehand.

A sweep has many runs at each of a few (N, D). Sorted by their loss, those whose
residual lies inside δ are neighbours, and Huber's loss of all runs at a place and its
pull come from sums of ω, ω·t and ω·t² that are cumulated once.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.records import dataclass, replace

Array = NDArray[np.float64]
Rows = NDArray[Any]
WORTH = 8  # runs at a place from which looking them up is quicker


@dataclass(frozen=True, eq=False)
class Pulls:
    """What the residuals r at each place add; a run apart is a place of its own.

    Attributes:
        value: Σ ω · huber(r), (batch, places).
        pull: Σ ω · clip(r, ±δ), (batch, places).
        flat: Σ ω of the residuals inside δ, (batch, places).
        weight: Σ ω, (places,) or (batch, places).
    """

    value: Array
    pull: Array
    flat: Array
    weight: Array


@dataclass(frozen=True, eq=False)
class Pool:
    """The runs at each place, ready to be summed up to any loss.

    Attributes:
        middle: the median ln L of a place, from which t counts, (places,).
        key: t of each run and the shift of its place, rising, (runs,).
        shift: so that the keys of a place lie above those of the one before, (places,).
        reach: beyond every t.
        sums: of ω, ω·t and ω·t² up to each run, each place from 0,
            (3, members, runs + places).
        ends: where the sums of a place end, (places,).
        member: which of the members, (batch, 1).
    """

    middle: Array
    key: Array
    shift: Array
    reach: float
    sums: Array
    ends: Rows
    member: Rows

    def take(self, rows: Rows) -> Pool:
        """The pool of some members of the batch."""
        alone = self.sums.shape[1] == 1
        return self if alone else replace(self, member=self.member[rows])

    def pulls(self, fitted: Array, delta: Array, over: float) -> Pulls:
        """What the residuals add.

        Args:
            fitted: ln L as the law has it, (batch, places).
            delta: of Huber's loss, (batch, 1).
            over: how much more a residual above 0 counts.
        """
        f = fitted - self.middle
        under, upto = self._until(f - delta), self._until(f + delta)
        above, near = over * under, upto - under
        if over != 1.0:
            near += (over - 1.0) * (self._until(f) - under)
        below = self.sums[:, self.member, self.ends] - upto
        outer = above - below
        beyond = above[0] + below[0]
        pull = delta * outer[0] + near[0] * f - near[1]
        value = delta * (f * outer[0] - outer[1] - delta / 2 * beyond)
        value += (f * (f * near[0] - 2 * near[1]) + near[2]) / 2
        return Pulls(value, pull, near[0], beyond + near[0])

    def _until(self, bound: Array) -> Array:
        """Sums over the runs of each place up to a bound, (3, batch, places)."""
        held = np.clip(bound, -self.reach, self.reach) + self.shift
        at = np.searchsorted(self.key, held, side="right")
        return np.asarray(self.sums[:, self.member, at + np.arange(at.shape[1])])


def pool(
    x: Array, y: Array, target: Array, weight: Array
) -> tuple[Array, Array, Pool] | None:
    """The places of some runs, and the runs at each; None where it is not worth it.

    Args:
        x: of N, (runs,).
        y: of D, (runs,).
        target: ln L, (runs,).
        weight: (runs,) or (batch, runs).

    Returns:
        x and y of each place, and its runs.
    """
    places, place, count = np.unique(
        np.stack([x, y], 1), axis=0, return_inverse=True, return_counts=True
    )
    if len(x) < WORTH * len(places):
        return None
    order = np.lexsort((target, place.ravel()))
    edge = np.concatenate([[0], np.cumsum(count)])
    rising = target[order]
    middle = rising[(edge[:-1] + edge[1:]) // 2]
    t = rising - np.repeat(middle, count)
    reach = 1.0 + float(np.abs(t).max())
    shift = 3 * reach * np.arange(len(places), dtype=np.float64)
    w = np.atleast_2d(weight)[:, order]
    sums = np.zeros((3, len(w), len(x) + len(places)))
    for i, (a, b) in enumerate(itertools.pairwise(edge.tolist())):
        for power, out in enumerate(sums):
            each = w[:, a:b] * t[a:b] ** power
            np.cumsum(each, axis=1, out=out[:, a + i + 1 : b + i + 1])
    found = Pool(
        middle=middle,
        key=t + np.repeat(shift, count),
        shift=shift,
        reach=reach,
        sums=sums,
        ends=edge[1:] + np.arange(len(places)),
        member=np.arange(len(w))[:, None],
    )
    return places[:, 0], places[:, 1], found
