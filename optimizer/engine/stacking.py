"""Several programs of one shape as one batch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Posynomial, stack
from optimizer.algebra.program import Constraint, Function, GeometricProgram
from optimizer.algebra.saturating import stacked as stack_curves
from optimizer.engine.enclose import opened, quantities


def stacked(
    programs: Sequence[GeometricProgram], sizes: Sequence[int]
) -> GeometricProgram:
    """One batch from several of one `shape`, with so many members each."""
    sides = zip(*(program.constraints for program in programs), strict=True)
    return GeometricProgram(
        _stacked([program.objective for program in programs], sizes),
        tuple(
            Constraint(side[0].name, _stacked([c.posynomial for c in side], sizes))
            for side in sides
        ),
    )


def _stacked(parts: Sequence[Function], sizes: Sequence[int]) -> Function:
    """One function of several programs of one shape."""
    plain = [part for part in parts if isinstance(part, Posynomial)]
    if plain:
        return stack(plain, sizes)
    curved = [part for part in parts if isinstance(part, Composite)]
    return Composite(
        curved[0].variables,
        stack([part.inner for part in curved], sizes),
        tuple(
            stack_curves(curves, sizes)
            for curves in zip(*(part.quantities for part in curved), strict=True)
        ),
    )


def shape(program: GeometricProgram) -> Hashable:
    """What programs must share to be one batch."""
    names = tuple(constraint.name for constraint in program.constraints)
    bare = (f.inner if isinstance(f, Composite) else f for f in program.functions)
    terms = tuple(len(p.labels) for p in bare)
    return program.variables, tuple(quantities(program)), names, terms


def size(program: GeometricProgram) -> int:
    """The number of members of a program; 1 also where all are equal."""
    curves = quantities(program).values()
    return max([*(p.batch for p in opened(program)), *(q.batch for q in curves)])
