"""Programs whose optimum is a root or two: which of them one is, and where it lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.edge import edge, ends
from optimizer.engine.line import last, line
from optimizer.engine.repeated import repeated, turned
from optimizer.engine.root import plain, root
from optimizer.engine.spent import bought, spent

Solver: TypeAlias = "Callable[[GeometricProgram, Any, Array], tuple[Array, Array]]"

# What recognises a form, and what solves it from a start.
FORMS: Sequence[tuple[Callable[[GeometricProgram], Any], Solver]] = (
    (line, last),
    (edge, ends),
    (spent, bought),
    (repeated, turned),
)


def closed_form(
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
        if start is None and len(program.variables) > 1:
            return None
        near = np.zeros((batch, 1)) if start is None else start
        for known, solved in FORMS:
            if (other := known(program)) is not None:
                return solved(program, other, near)
    return None
