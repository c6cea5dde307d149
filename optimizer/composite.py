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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.errors import Defect
from optimizer.posynomial import Array, Posynomial

Powers = tuple[float, dict[str, float]]  # c, a of the monomial c·Π x^a


@dataclass(frozen=True, eq=False)
class Concave:
    """A quantity y of which ln y is concave in ln x.

    Attributes:
        name: of y.
        variables: the x that it depends on.
        evaluate: from ln x `(batch, variables)` to ln y `(batch,)`, its gradient
            `(batch, variables)` and its Hessian `(batch, variables, variables)`.
        tangents: monomials in x that bound y from above, close to it everywhere.
    """

    name: str
    variables: tuple[str, ...]
    evaluate: Callable[[Array], tuple[Array, Array, Array]]
    tangents: tuple[Powers, ...]


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
    quantities: tuple[Concave, ...]

    def _extended(self, z: Array) -> tuple[Array, Array, list[Array]]:
        """Ln of variables and quantities, their Jacobian, and each one's Hessian."""
        batch, n = z.shape
        count = len(self.quantities)
        values = [z]
        jacobian = np.zeros((batch, n + count, n))
        jacobian[:, :n] = np.eye(n)
        hessians = []
        for k, quantity in enumerate(self.quantities):
            places = [self.variables.index(name) for name in quantity.variables]
            value, slope, bend = quantity.evaluate(z[:, places])
            values.append(value[:, None])
            jacobian[:, n + k, places] = slope
            hessian = np.zeros((batch, n, n))
            for i, row in enumerate(places):
                for j, column in enumerate(places):
                    hessian[:, row, column] = bend[:, i, j]
            hessians.append(hessian)
        return np.concatenate(values, axis=1), jacobian, hessians

    def log_terms(self, z: Array) -> Array:
        """Returns ln of each term `(batch, terms)`; complex under a complex step."""
        values = [z]
        for quantity in self.quantities:
            places = [self.variables.index(name) for name in quantity.variables]
            values.append(quantity.evaluate(z[:, places])[0][:, None])
        return self.inner.log_terms(np.concatenate(values, axis=1))

    def log_value(self, z: Array) -> Array:
        """Returns ln f `(batch,)` at z = ln x `(batch, variables)`."""
        return self.inner.log_value(self._extended(z)[0])

    def shares(self, z: Array) -> Array:
        """Returns each term's share of f `(batch, terms)`; they sum to 1."""
        return self.inner.shares(self._extended(z)[0])

    def gradient(self, z: Array) -> Array:
        """Returns d ln f / d ln x `(batch, variables)`."""
        values, jacobian, _ = self._extended(z)
        outer = self.inner.gradient(values)
        return np.asarray(np.einsum("bi,bij->bj", outer, jacobian))

    def hessian(self, z: Array) -> Array:
        """Returns the second derivatives of ln f `(batch, variables, variables)`."""
        values, jacobian, hessians = self._extended(z)
        outer = self.inner.gradient(values)
        bend = self.inner.hessian(values)
        result = np.einsum("bki,bkl,blj->bij", jacobian, bend, jacobian)
        for k, hessian in enumerate(hessians):
            result = result + outer[:, len(self.variables) + k, None, None] * hessian
        return np.asarray(result)

    def scaled(self, factor: float) -> Composite:
        """Returns factor · f, for a factor above 0."""
        return Composite(self.variables, self.inner.scaled(factor), self.quantities)

    def times(self, powers: Mapping[str, float]) -> Composite:
        """Returns f · Π x^p for the given powers p of variables."""
        return Composite(self.variables, self.inner.times(powers), self.quantities)

    def over(self, variables: Sequence[str]) -> Composite:
        """Returns the same on a longer or reordered list of variables."""
        names = [quantity.name for quantity in self.quantities]
        inner = self.inner.over((*variables, *names))
        return Composite(tuple(variables), inner, self.quantities)

    def renamed(self, names: Mapping[str, str]) -> Composite:
        """Returns the same with variables and quantities under other names."""
        quantities = tuple(
            replace(
                quantity,
                name=names.get(quantity.name, quantity.name),
                variables=tuple(names.get(v, v) for v in quantity.variables),
                tangents=tuple(
                    (c, {names.get(v, v): p for v, p in powers.items()})
                    for c, powers in quantity.tangents
                ),
            )
            for quantity in self.quantities
        )
        variables = tuple(names.get(v, v) for v in self.variables)
        return Composite(variables, self.inner.renamed(names), quantities)

    def fixing(self, name: str, value: float) -> Composite | Posynomial:
        """Returns the function with one variable held at a value above 0."""
        if name not in self.variables:
            return self
        held = [_held(quantity, name, value) for quantity in self.quantities]
        inner = self.inner.fixing(name, value)
        kept = []
        for quantity in held:
            if isinstance(quantity, Concave):
                kept.append(quantity)
            else:
                inner = inner.fixing(*quantity)
        variables = tuple(v for v in self.variables if v != name)
        if not kept:
            return inner.over(variables)
        return Composite(variables, inner, tuple(kept))

    def enclosure(self) -> tuple[Posynomial, list[Posynomial]]:
        """Returns f in variables and quantities, and c_k·Π x^a_k·y^-1-type bounds.

        Each bound is y/(c·Π x^a) ≤ 1, on the variables and then the quantities.
        """
        bounds = []
        names = self.inner.variables
        for quantity in self.quantities:
            for c, powers in quantity.tangents:
                exponents = np.zeros((1, 1, len(names)))
                exponents[0, 0, names.index(quantity.name)] = 1.0
                for variable, power in powers.items():
                    exponents[0, 0, names.index(variable)] -= power
                coefficient = np.array([[1.0 / c]])
                bounds.append(Posynomial(names, coefficient, exponents, ("tangent",)))
        return self.inner, bounds


def compose(inner: Posynomial, quantities: Sequence[Concave]) -> Composite:
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


def _held(quantity: Concave, name: str, value: float) -> Concave | tuple[str, float]:
    """A quantity with one variable held; a number where it has no other."""
    if name not in quantity.variables:
        return quantity
    place = quantity.variables.index(name)
    rest = tuple(v for v in quantity.variables if v != name)
    if not rest:
        log_value = quantity.evaluate(np.log([[value]]))[0][0]
        return quantity.name, np.exp(log_value).item()
    keep = [i for i in range(len(quantity.variables)) if i != place]
    at = np.log(value)

    def evaluate(z: Array) -> tuple[Array, Array, Array]:
        whole = np.insert(z.astype(np.result_type(z, value)), place, at, axis=1)
        y, slope, bend = quantity.evaluate(whole)
        return y, slope[:, keep], bend[:, keep][:, :, keep]

    tangents = tuple(
        (
            c * value ** powers.get(name, 0.0),
            {v: p for v, p in powers.items() if v != name},
        )
        for c, powers in quantity.tangents
    )
    return Concave(quantity.name, rest, evaluate, tangents)
