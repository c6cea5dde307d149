"""A fitted law beside the published ones, on the user's own runs.

Losses of different data and tokenizers differ by a constant factor at least, so each
law is judged twice: as it stands, and by the scatter that is left when its offset is
taken away. What matters for a plan is the size it would choose.
"""

from __future__ import annotations

import numpy as np

from optimizer.fitting.fit import Fit
from optimizer.reading.loss_words import same
from optimizer.records import dataclass
from optimizer.world.law import Law
from optimizer.world.laws import builtin_names, load_law


@dataclass(frozen=True)
class Versus:
    """A law on some runs.

    Attributes:
        name: of the law.
        offset: median of ln of measured over its loss.
        scatter: 1.4826 of the median size of what is left without the offset.
        tokens_per_parameter: of its compute-optimal plan.
        parameters: of that plan.
        counts: what its N counts.
    """

    name: str
    offset: float
    scatter: float
    tokens_per_parameter: float
    parameters: float
    counts: str


def versus(found: Fit, law: Law, compute: float) -> tuple[Versus, ...]:
    """The fitted law first, then the built-in ones by their scatter.

    Args:
        found: the fit.
        law: the law of the fit.
        compute: at which the plans are compared [FLOP].
    """
    others = []
    for name in builtin_names():
        known = load_law(name)
        # A loss in another unit says nothing of this one.
        if known.line is None and same(known.loss_unit, law.loss_unit):
            others.append(_versus(found, known, compute))
    others.sort(key=lambda row: row.scatter)
    return (_versus(found, law, compute), *others)


def _versus(found: Fit, law: Law, compute: float) -> Versus:
    surface = law.surface(law.experts[0] if law.experts else None)
    pairs = zip(found.runs.parameters.tolist(), found.runs.tokens.tolist(), strict=True)
    losses = np.array([surface.loss(N, D) for N, D in pairs])
    off = np.log(found.runs.loss) - np.log(losses)
    offset = float(np.median(off))
    N, D = surface.compute_optimal(compute)
    scatter = float(1.4826 * np.median(np.abs(off - offset)))
    return Versus(law.name, offset, scatter, D / N, N, law.counts)
