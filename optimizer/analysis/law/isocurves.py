"""Curves of loss over size at one compute: through the runs, and by the law.

*Source*: Hoffmann et al. 2022, approach 2, figure 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.analysis.law.diagnostics import surface_of
from optimizer.analysis.law.iso_flops import IsoFlop
from optimizer.fitting.fit import Fit
from optimizer.records import dataclass

POINTS = 41

Curve = tuple[tuple[float, float], ...]  # (N, loss)


@dataclass(frozen=True)
class IsoCurve:
    """The runs of one compute and what goes through them.

    Attributes:
        compute: [FLOP].
        runs: N and loss of each.
        parabola: of the runs' loss over ln N; empty where it has no bottom.
        law: the fitted law at this compute.
        bottom: of the parabola; None where it lies outside the sizes.
        best: the law's least.
        unit: of the losses.
    """

    compute: float
    runs: Curve
    parabola: Curve
    law: Curve
    bottom: tuple[float, float] | None
    best: tuple[float, float]
    unit: str = "nats per token"


def iso_curves(found: Fit, groups: Sequence[IsoFlop]) -> tuple[IsoCurve, ...]:
    """The curves of the groups that `iso_flops` found."""
    return tuple(_curve(found, group) for group in groups)


def _curve(found: Fit, group: IsoFlop) -> IsoCurve:
    runs = found.runs
    place = {row: i for i, row in enumerate(runs.row.tolist())}
    at = [place[row] for row in group.rows]
    sizes, losses = runs.parameters[at], runs.loss[at]
    middle = np.log(sizes).mean()
    fitted = np.polynomial.Polynomial(
        np.polyfit(np.log(sizes) - middle, losses, 2)[::-1]
    )
    surface = surface_of(found.settings, found.coefficients)

    def by_law(N: float) -> float:
        return float(surface.loss(N, group.trained / (6 * N)))

    line = np.geomspace(sizes.min(), sizes.max(), POINTS)
    through: Curve = ()
    bottom = None
    if fitted.coef[-1] > 0:
        heights = fitted(np.log(line) - middle)
        through = tuple(zip(line.tolist(), heights.tolist(), strict=True))
    if group.optimum is not None:
        bottom = (group.optimum, float(fitted(np.log(group.optimum) - middle)))
    return IsoCurve(
        compute=group.compute,
        runs=tuple(zip(sizes.tolist(), losses.tolist(), strict=True)),
        parabola=through,
        law=tuple((N, by_law(N)) for N in line.tolist()),
        bottom=bottom,
        best=(group.law, by_law(group.law)),
        unit=runs.loss_unit,
    )
