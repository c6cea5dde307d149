"""A posynomial of quantities that saturate: concave in logarithms, so still convex.

Where a posynomial's variable y enters with exponents ≤ 0 and ln y = φ(ln x) with φ
concave, ln f(x, y(x)) is convex in ln x. Tangents of φ enclose y from above, so that
with a few of them

    f(x, y) ≤ 1,   y ≤ c_k · Π x^a_k   for each tangent k

is a geometric program that contains the true set. A `Composite` answers like a
`Posynomial` for value, gradient and Hessian, on the true curves; the solver takes the
enclosure to find the neighbourhood, and Newton and the certificate the true curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array, Integers, Posynomial
from optimizer.algebra.saturating import Saturating
from optimizer.errors import Defect
from optimizer.records import dataclass


@dataclass(frozen=True, eq=False)
class Composite:
    """A posynomial in variables and in concave quantities of them.

    Attributes:
        variables: the variables, in the order of every array.
        inner: the posynomial in the variables and then the quantities.
        quantities: the concave quantities, in the order in which `inner` has them.
    """

    variables: tuple[str, ...]
    inner: Posynomial
    quantities: tuple[Saturating, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """A word for each term."""
        return self.inner.labels

    def _places(self, quantity: Saturating) -> list[int]:
        return [self.variables.index(name) for name in quantity.variables]

    def _extended(self, z: Array) -> tuple[Array, Array, list[Array]]:
        """Ln of variables and quantities, their Jacobian, and each one's Hessian."""
        batch, n = z.shape
        count = len(self.quantities)
        values = [z]
        jacobian = np.zeros((batch, n + count, n))
        jacobian[:, :n] = np.eye(n)
        hessians = []
        for k, quantity in enumerate(self.quantities):
            places = self._places(quantity)
            value, slope, bend = quantity.evaluate(z[:, places])
            values.append(value[:, None])
            jacobian[:, n + k, places] = slope
            hessian = np.zeros((batch, n, n))
            for i, row in enumerate(places):
                for j, column in enumerate(places):
                    hessian[:, row, column] = bend[:, i, j]
            hessians.append(hessian)
        return np.concatenate(values, axis=1), jacobian, hessians

    def _levels(self, z: Array) -> Array:
        """Ln of variables and quantities alone, `(batch, variables + quantities)`."""
        values = [q.level_at(z[:, self._places(q)]) for q in self.quantities]
        longest = max(len(z), *map(len, values))
        kind = np.result_type(z, *(value.dtype for value in values))
        n = z.shape[1]
        whole = np.empty((longest, n + len(values)), kind)
        whole[:, :n] = z
        for place, value in enumerate(values, n):
            whole[:, place] = value
        return whole

    def log_terms(self, z: Array) -> Array:
        """Returns ln of each term `(batch, terms)`; complex under a complex step."""
        return self.inner.log_terms(self._levels(z))

    def log_value(self, z: Array) -> Array:
        """Returns ln f `(batch,)` at z = ln x `(batch, variables)`."""
        return self.inner.log_value(self._levels(z))

    def shares(self, z: Array) -> Array:
        """Returns each term's share of f `(batch, terms)`; they sum to 1."""
        return self.inner.shares(self._levels(z))

    def gradient(self, z: Array) -> Array:
        """Returns d ln f / d ln x `(batch, variables)`."""
        values, jacobian, _ = self._extended(z)
        outer = self.inner.gradient(values)
        return np.asarray(np.einsum("bi,bij->bj", outer, jacobian))

    def tangent(self, z: Array) -> tuple[Array, Array]:
        """Returns ln f and its gradient in one go, for long batches."""
        n = len(self.variables)
        curves = [q.tangent(z[:, self._places(q)]) for q in self.quantities]
        levels = [np.broadcast_to(level, len(z))[:, None] for level, _ in curves]
        value, outer = self.inner.tangent(np.concatenate([z, *levels], axis=1))
        gradient = outer[:, :n]
        for k, (quantity, (_, slopes)) in enumerate(
            zip(self.quantities, curves, strict=True)
        ):
            for place, slope in zip(self._places(quantity), slopes, strict=True):
                gradient[:, place] += outer[:, n + k] * slope
        return value, gradient

    def hessian(self, z: Array) -> Array:
        """Returns the second derivatives of ln f `(batch, variables, variables)`."""
        values, jacobian, hessians = self._extended(z)
        outer = self.inner.gradient(values)
        bend = self.inner.hessian(values)
        result = np.einsum("bki,bkl,blj->bij", jacobian, bend, jacobian)
        for k, hessian in enumerate(hessians):
            result = result + outer[:, len(self.variables) + k, None, None] * hessian
        return np.asarray(result)

    def scaled(self, factor: float | Array) -> Composite:
        """Returns factor · f, for a factor above 0, or one a member `(batch, 1)`."""
        return Composite(self.variables, self.inner.scaled(factor), self.quantities)

    def times(self, powers: Mapping[str, float]) -> Composite:
        """Returns f · Π x^p for the given powers p of variables."""
        return Composite(self.variables, self.inner.times(powers), self.quantities)

    def over(self, variables: Sequence[str]) -> Composite:
        """Returns the same on a longer or reordered list of variables."""
        if tuple(variables) == self.variables:
            return self
        names = [quantity.name for quantity in self.quantities]
        inner = self.inner.over((*variables, *names))
        return Composite(tuple(variables), inner, self.quantities)

    def renamed(self, names: Mapping[str, str]) -> Composite:
        """Returns the same with variables and quantities under other names."""
        quantities = tuple(quantity.renamed(names) for quantity in self.quantities)
        variables = tuple(names.get(v, v) for v in self.variables)
        return Composite(variables, self.inner.renamed(names), quantities)

    def fixing(self, name: str, value: float | Array) -> Composite | Posynomial:
        """Returns the function with one variable held at a value above 0.

        A value for each member of a batch has shape `(batch,)`.
        """
        if name not in self.variables:
            return self
        inner = self.inner.fixing(name, value)
        kept = []
        for quantity in self.quantities:
            held = quantity.held(name, value)
            if held.variables:
                kept.append(held)
            else:
                log, _ = held.tangent(np.empty((1, 0)))
                inner = inner.fixing(held.name, np.exp(log))
        variables = tuple(v for v in self.variables if v != name)
        if not kept:
            return inner.over(variables)
        return Composite(variables, inner, tuple(kept))

    def members(self, chosen: Integers | slice) -> Composite:
        """Returns a smaller batch: the members of some numbers."""
        return Composite(
            self.variables,
            self.inner.members(chosen),
            tuple(quantity.members(chosen) for quantity in self.quantities),
        )


def compose(inner: Posynomial, quantities: Sequence[Saturating]) -> Composite:
    """Builds a composite from a posynomial in variables and quantities.

    Raises:
        Defect: a quantity enters with a positive exponent, which is not convex.
    """
    names = [quantity.name for quantity in quantities]
    variables = tuple(v for v in inner.variables if v not in names)
    inner = inner.over((*variables, *names))
    if (inner.exponents.real[:, :, len(variables) :] > 0).any():
        raise Defect("a saturating quantity may only enter with exponents ≤ 0")
    return Composite(variables, inner, tuple(quantities))
