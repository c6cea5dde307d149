"""A program in variables that are counted from a point, with twice the digits there.

Where bounds leave next to no room, multipliers are so large that the spacing of doubles
in ln x itself, 1e-14 at a trillion, is more than a certificate allows. With z = z0 + δ
a term ln c + a·z becomes (ln c + a·z0) + a·δ. The first part is summed once, with twice
the digits, and comes out small; doubles are finest near 0. It is the same program, so
the same judge decides, at δ.

*Source*: Dekker, "A floating-point technique for extending the available precision",
Numerische Mathematik 18 (1971); Ogita, Rump & Oishi, "Accurate sum and dot product",
SIAM J. Sci. Comput. 26 (2005), algorithms 3.1 to 3.3 and 5.3.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Constraint, Function, GeometricProgram
from optimizer.algebra.saturating import Saturating
from optimizer.records import replace

HALF = 134217729.0  # 2^27 + 1, which splits a double into two halves
Pair = tuple[Array, Array]  # a sum and what rounding took from it


def moved(program: GeometricProgram, z: Array) -> GeometricProgram:
    """The program whose variables are those of `program` over e^z.

    Args:
        program: with a batch axis of 1 or the batch.
        z: ln of the points, `(batch, variables)`.

    Returns:
        The program; its objective is in units of its largest term at z.
    """
    objective, *bounds = (_moved(f, z) for f in program.functions)
    names = [constraint.name for constraint in program.constraints]
    return GeometricProgram(_scaled(objective), tuple(map(Constraint, names, bounds)))


def _moved(function: Function, z: Array) -> Function:
    if isinstance(function, Posynomial):
        return _shifted(function, z)
    places = [
        [function.variables.index(v) for v in q.variables] for q in function.quantities
    ]
    pairs = [
        _anew(quantity, z[:, at])
        for quantity, at in zip(function.quantities, places, strict=True)
    ]
    whole = np.column_stack([z, *(level for _, level in pairs)])
    inner = _shifted(function.inner, whole)
    return Composite(function.variables, inner, tuple(q for q, _ in pairs))


def _shifted(p: Posynomial, z: Array) -> Posynomial:
    high, low = _along(p.logs, p.exponents, z[:, None, :])
    return Posynomial(p.variables, np.exp(high + low), p.exponents, p.labels)


def _scaled(function: Function) -> Function:
    """The same over its largest term at the origin: a cost has no bound to keep."""
    inner = function.inner if isinstance(function, Composite) else function
    return function.scaled(1 / inner.coefficients.max(axis=1, keepdims=True))


def _anew(quantity: Saturating, z: Array) -> tuple[Saturating, Array]:
    """A quantity over the level at which it starts to saturate, and ln of that."""
    level, rest = _along(quantity.level[:, 0], quantity.level[:, 1:], z)
    reach, more = _along(quantity.reach[:, 0], quantity.reach[:, 1:], z)
    apart, lost = _sum(reach, -level)
    return (
        replace(
            quantity,
            reach=_from(quantity.reach, apart + (lost + more)),
            level=_from(quantity.level, rest),
        ),
        level,
    )


def _from(line: Array, first: Array) -> Array:
    """A line `(batch, 1 + variables)` with another constant."""
    whole = np.array(np.broadcast_to(line, (len(first), line.shape[1])))
    whole[:, 0] = first
    return whole


def _along(start: Array, a: Array, z: Array) -> Pair:
    """Start + Σ_j a_j·z_j over the last axis, to twice the digits of a double."""
    shape = np.broadcast_shapes(a.shape, z.shape)[:-1]
    high, low = np.broadcast_to(start, shape), np.zeros(shape)
    for j in range(a.shape[-1]):
        product, rounding = _product(a[..., j], z[..., j])
        high, lost = _sum(high, product)
        low = low + (rounding + lost)
    return _sum(high, low)


def _sum(a: Array, b: Array) -> Pair:
    whole = a + b
    part = whole - a
    return whole, (a - (whole - part)) + (b - part)


def _product(a: Array, b: Array) -> Pair:
    whole = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return whole, ((a1 * b1 - whole) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: Array) -> Pair:
    wide = HALF * a
    high = wide - (wide - a)
    return high, a - high
