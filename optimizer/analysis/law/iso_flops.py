"""Runs of one compute, and the size of least loss among them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from optimizer.analysis.law.diagnostics import surface_of
from optimizer.fitting.fit import Fit
from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs
from optimizer.records import dataclass
from optimizer.world.surface import Surface

NEARBY = 0.1  # ln C within which runs share a budget
FEWEST = 4  # sizes of an isoFLOP profile
ONE_SIZE = 1.1  # the factor within which sizes count as one


@dataclass(frozen=True)
class IsoFlop:
    """Runs of one compute, and the size of least loss among them.

    Attributes:
        compute: [FLOP], as the table states it, else 6·N·D; the geometric mean.
        lines: the runs.
        rows: their numbers.
        optimum: the bottom of a parabola through loss over ln N; None where it lies
            outside the sizes, or there is no bottom.
        law: the size that the law calls compute-optimal.
        trained: 6·N·D [FLOP], the geometric mean.
    """

    compute: float
    lines: tuple[int, ...]
    rows: tuple[int, ...]
    optimum: float | None
    law: float
    trained: float


def iso_flops(found: Fit) -> tuple[IsoFlop, ...]:
    """The runs of one compute each, where there are enough sizes among them.

    *Source*: Hoffmann et al. 2022, approach 2.
    """
    if found.settings.choice.law == "hestness":
        return ()
    runs = found.runs
    surface = surface_of(found.settings, found.coefficients)
    compute = budgets(runs)
    return tuple(
        _iso_flop(runs, compute, group, surface)
        for group in _groups(np.log(compute), runs)
    )


def budgets(runs: Runs) -> Array:
    """The compute of each run [FLOP]: as its table states it, else 6·N·D."""
    if runs.stated is None:
        return runs.compute
    return np.where(np.isnan(runs.stated), runs.compute, runs.stated)


def _groups(log_c: Array, runs: Runs) -> Iterator[Array]:
    order = np.argsort(log_c)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or log_c[order[end]] - log_c[order[start]] > NEARBY:
            group = order[start:end]
            if _sizes(runs.parameters[group]) >= FEWEST:
                yield np.sort(group)
            start = end


def _sizes(parameters: Array) -> int:
    """How many sizes there are; those within a tenth count as one."""
    count, first = 0, 0.0
    for size in np.sort(parameters):
        if size > first * ONE_SIZE:
            count, first = count + 1, float(size)
    return count


def _iso_flop(runs: Runs, budget: Array, group: Array, surface: Surface) -> IsoFlop:
    at = group.astype(int)
    log_n = np.log(runs.parameters[at])
    bend, slope, _ = np.polyfit(log_n - log_n.mean(), runs.loss[at], 2)
    bottom = log_n.mean() - slope / (2 * bend) if bend > 0 else math.nan
    inside = log_n.min() <= bottom <= log_n.max()
    compute = math.exp(np.log(budget[at]).mean())
    # What the law says of these runs: at their own N·D, not at what else was counted.
    trained = math.exp(np.log(runs.compute[at]).mean())
    return IsoFlop(
        compute=compute,
        lines=tuple(runs.line[i] for i in at),
        rows=tuple(runs.row[at].tolist()),
        optimum=math.exp(bottom) if inside else None,
        law=surface.compute_optimal(trained)[0],
        trained=trained,
    )
