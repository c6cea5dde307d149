"""Rows that err together: checkpoints of one run are one run, not many.

A run that came out a little high is high at all its checkpoints. Rows of one size on
rising tokens whose residuals go together are therefore resampled together, and count
as one where coefficients are judged. Whether they do is asked of the residuals: their
variance between sizes against that of the same residuals dealt out anew.

*Source*: Fisher's randomisation test of a one-way layout; Cameron, Gelbach & Miller
2008 for resampling by cluster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs

Groups = NDArray[np.int64]

ROWS = 4  # of one size, each on other tokens, before they look like checkpoints
SHARE = 0.5  # of all rows that stand in such sizes
DEALS = 400  # of the residuals; none may match the sizes as they are
FEW = 3  # groups for each coefficient, under which nothing is called known


def by_size(runs: Runs) -> Groups | None:
    """The size of each row as a number, where sizes look like runs with checkpoints."""
    logs = np.round(np.log(runs.parameters), 9)
    sizes, place, counts = np.unique(logs, return_inverse=True, return_counts=True)
    several = [
        len(np.unique(runs.tokens[place == i])) >= ROWS for i in range(len(sizes))
    ]
    if len(sizes) < 2 or counts[several].sum() < SHARE * runs.count:
        return None
    return np.asarray(place, dtype=np.int64)


def together(groups: Groups, residual: Array) -> bool:
    """Whether residuals go together within groups, more than chance would have it.

    Args:
        groups: of each row, (rows,).
        residual: of ln L, (rows,).
    """
    draw = np.random.default_rng(0)
    # Ranks, so that one odd row does not decide.
    ranks = residual.argsort().argsort().astype(float)
    ranks -= ranks.mean()
    counts = np.bincount(groups)

    def between(values: Array) -> float:
        sums = np.bincount(groups, values)
        return float((sums**2 / np.maximum(counts, 1)).sum())

    here = between(ranks)
    return all(between(draw.permutation(ranks)) < here for _ in range(DEALS))


def counts(groups: Groups, draws: int, generator: np.random.Generator) -> Array:
    """How often each row stands in a resample of whole groups, (draws, rows)."""
    # Of runs that were taken some groups may be missing.
    names, place = np.unique(groups, return_inverse=True)
    size = len(names)
    drawn = generator.multinomial(size, np.full(size, 1 / size), draws)
    return np.asarray(drawn[:, place.ravel()], dtype=float)
