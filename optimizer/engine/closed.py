"""Programs whose optimum is a root or two: which of them one is, and where it lies."""

from __future__ import annotations

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.edge import edge, ends
from optimizer.engine.line import last, line
from optimizer.engine.repeated import repeated, turned
from optimizer.engine.root import plain, root


def closed(
    program: GeometricProgram, start: Array | None, batch: int
) -> tuple[Array, Array] | None:
    """Returns `(z, multipliers)` of a batch, for `certify` to judge; None without form.

    Args:
        program: of any shape.
        start: ln of a point near each optimum, `(batch, variables)`; without it, some
            forms have none.
        batch: the number of members.
    """
    with np.errstate(all="ignore"):
        if (form := plain(program)) is not None:
            return root(program, form, batch)
        if (single := line(program)) is not None:
            begin = np.zeros((batch, 1)) if start is None else start
            return last(program, single, begin)
        if start is None:
            return None
        if (bound := edge(program)) is not None:
            return ends(program, bound, start)
        if (again := repeated(program)) is not None:
            return turned(program, again, start)
    return None
