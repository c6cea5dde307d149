"""What N counts, and how far the plan moves where it counts something else.

An embedding has vocabulary × width parameters, and so has the head unless it is one
matrix with it. Each way to count is fitted anew; its compute-optimal plan stands beside
the others at one 6·N·D.

*Source*: Pearce & Song 2024 (arXiv:2406.12907) for how the count moves exponents.
"""

from __future__ import annotations

import numpy as np

from optimizer.analysis.law.diagnostics import surface_of
from optimizer.errors import Defect, InputError
from optimizer.fitting.fit import Fit, point_fit
from optimizer.fitting.forms import coefficients
from optimizer.fitting.objective import Array
from optimizer.records import dataclass, replace

TOTAL, BODY, HEAD = "all", "without embeddings", "with the head only"


@dataclass(frozen=True)
class Counted:
    """The plan under one way to count.

    Attributes:
        what: is counted.
        own: whether the law counts so.
        parameters: of the compute-optimal plan; None where nothing can be fitted.
        tokens_per_parameter: of it.
        exponents: alpha and beta.
    """

    what: str
    own: bool
    parameters: float | None = None
    tokens_per_parameter: float | None = None
    exponents: tuple[float, float] | None = None


def counted(
    found: Fit,
    counts: str,
    compute: float,
    vocabulary: float | None = None,
    tied: bool = True,
) -> tuple[Counted, ...]:
    """The plan under each way to count, the law's own first.

    Args:
        found: the fit.
        counts: what its N counts: `total` or `non-embedding`.
        compute: of the plan, 6·N·D by each count [FLOP].
        vocabulary: where the table has none.
        tied: whether embedding and head are one matrix.

    Returns:
        nothing where width or vocabulary are not known of every run.
    """
    runs, choice = found.runs, found.settings.choice
    words = runs.vocabulary
    if words is None and vocabulary is not None:
        words = np.full(runs.count, vocabulary)
    if runs.width is None or words is None or counts == "active" or not choice.free:
        return ()
    matrix = runs.width * words
    if choice.law in ("kaplan", "hestness") or np.isnan(matrix).any():
        return ()
    copies = 1.0 if tied else 2.0
    body = runs.parameters - (copies * matrix if counts == "total" else 0.0)
    ways = {TOTAL: body + copies * matrix, BODY: body}
    if not tied:
        ways[HEAD] = body + matrix
    own = TOTAL if counts == "total" else BODY
    order = [own, *(what for what in ways if what != own)]
    return tuple(_plan(found, what, ways[what], compute, what == own) for what in order)


def _plan(
    found: Fit, what: str, parameters: Array, compute: float, own: bool
) -> Counted:
    if (parameters <= 0).any():
        return Counted(what, own)
    choice = found.settings.choice
    if own:
        values = dict(found.coefficients)
    else:
        runs = replace(found.runs, parameters=parameters)
        try:
            asked, centre, best = point_fit(runs, choice, starts=0)
        except (InputError, Defect):
            return Counted(what, own)
        told = coefficients(asked.full(best.z[None]), choice, centre)
        values = {symbol: float(value[0]) for symbol, value in told.items()}
    try:
        N, D = surface_of(found.settings, values).compute_optimal(compute)
    except (ValueError, OverflowError):
        return Counted(what, own)
    return Counted(what, own, N, D / N, (values["alpha"], values["beta"]))
