"""A posynomial is data: coefficients and exponents, evaluated in logarithms.

f(x) = Σ_t c_t · Π_j x_j^a_tj with c_t > 0. In z = ln x, ln f is a log-sum-exp of
affine functions and therefore convex. From this one record come the cvxpy
expression, the certificate, the cost breakdown, the sensitivities and the printed
formula.

*Source*: Boyd, Kim, Vandenberghe & Hassibi, "A tutorial on geometric programming",
Optimization and Engineering 8 (2007).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from optimizer.errors import Defect
from optimizer.records import dataclass

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SCALARS = frozenset((float, int, complex, np.float64, np.complex128))


@dataclass(frozen=True)
class Term:
    """One monomial c · Π x^a, by the names of its variables.

    Attributes:
        label: what the term stands for, such as `training`.
        coefficient: c; zero drops the term. Complex during a complex step, or one
            for each member of a batch.
        exponents: a, by variable; a variable that is absent has exponent 0. Likewise.
    """

    label: str
    coefficient: float
    exponents: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Posynomial:
    """A sum of monomials with a leading batch axis.

    Attributes:
        variables: names of the variables, in the order of the last axis.
        coefficients: c, above 0, shape `(batch, terms)`.
        exponents: a, shape `(batch, terms, variables)`; in both a batch of 1 stands
            for any number of equal members.
        labels: a word for each term.
    """

    variables: tuple[str, ...]
    coefficients: Array
    exponents: Array
    labels: tuple[str, ...]

    @property
    def batch(self) -> int:
        """The number of members; 1 also where all are equal."""
        return max(len(self.coefficients), len(self.exponents))

    @cached_property
    def logs(self) -> Array:
        """Ln c, shape `(batch, terms)`."""
        return np.asarray(np.log(self.coefficients))

    def log_terms(self, z: Array) -> Array:
        """Returns ln of each term at z = ln x `(batch, variables)`."""
        exponents: Array = np.einsum("btv,bv->bt", self.exponents, z)
        return np.asarray(self.logs + exponents)

    def log_value(self, z: Array) -> Array:
        """Returns ln f `(batch,)` at z = ln x `(batch, variables)`."""
        logs = self.log_terms(z)
        top = logs.max(axis=1, keepdims=True)
        return np.asarray(top[:, 0] + np.log(np.exp(logs - top).sum(axis=1)))

    def shares(self, z: Array) -> Array:
        """Returns each term's share of f `(batch, terms)`; they sum to 1."""
        logs = self.log_terms(z)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def gradient(self, z: Array) -> Array:
        """Returns d ln f / d ln x `(batch, variables)`."""
        return np.asarray(np.einsum("bt,btv->bv", self.shares(z), self.exponents))

    def tangent(self, z: Array) -> tuple[Array, Array]:
        """Returns ln f and its gradient in one go, for long batches.

        Term by term on contiguous columns, which is several times as fast as a short
        last axis.
        """
        columns = [np.ascontiguousarray(column) for column in z.T]
        fixed = len(self.exponents) == 1
        logs = []
        for t in range(len(self.labels)):
            log = self.logs[:, t]
            for j, column in enumerate(columns):
                power = self.exponents[:, t, j]
                if not (fixed and power[0] == 0):
                    log = log + (column if fixed and power[0] == 1 else power * column)
            logs.append(log)
        gradient = np.zeros_like(z)
        if len(logs) == 1:
            gradient[:] = self.exponents[:, 0]
            return logs[0] + np.zeros(len(z)), gradient
        top = logs[0]
        for log in logs[1:]:
            top = np.maximum(top, log)
        weights = [np.exp(log - top) for log in logs]
        total = sum(weights[1:], weights[0])
        for j in range(len(columns)):
            for t, weight in enumerate(weights):
                power = self.exponents[:, t, j]
                if not (fixed and power[0] == 0):
                    gradient[:, j] += power * weight
            gradient[:, j] /= total
        return top + np.log(total), gradient

    def hessian(self, z: Array) -> Array:
        """Returns the second derivatives of ln f `(batch, variables, variables)`."""
        shares = self.shares(z)
        mean = np.einsum("bt,btv->bv", shares, self.exponents)
        weighted = (shares[:, :, None] * self.exponents).transpose(0, 2, 1)
        second = weighted @ self.exponents
        return np.asarray(second - mean[:, :, None] * mean[:, None, :])

    def scaled(self, factor: float | Array) -> Posynomial:
        """Returns factor · f, for a factor above 0, or one a member `(batch, 1)`."""
        return Posynomial(
            self.variables, self.coefficients * factor, self.exponents, self.labels
        )

    def times(self, powers: Mapping[str, float]) -> Posynomial:
        """Returns f · Π x^p for the given powers p by variable."""
        shift = np.array([powers.get(name, 0.0) for name in self.variables])
        return Posynomial(
            self.variables, self.coefficients, self.exponents + shift, self.labels
        )

    def over(self, variables: Sequence[str]) -> Posynomial:
        """Returns the same posynomial on a longer or reordered list of variables.

        Raises:
            Defect: a variable that the posynomial uses is not in the list.
        """
        if tuple(variables) == self.variables:
            return self
        batch, terms, count = self.exponents.shape
        exponents = np.zeros((batch, terms, len(variables)), self.exponents.dtype)
        longer = tuple(variables[:count]) == self.variables  # the rule, and quick
        if longer:
            exponents[:, :, :count] = self.exponents
        for index, name in enumerate(() if longer else self.variables):
            if name in variables:
                exponents[:, :, variables.index(name)] = self.exponents[:, :, index]
            elif self.exponents[:, :, index].any():
                raise Defect(f"{name} is used but is not among {list(variables)}")
        return Posynomial(tuple(variables), self.coefficients, exponents, self.labels)

    def renamed(self, names: Mapping[str, str]) -> Posynomial:
        """Returns the same with variables under other names."""
        variables = tuple(names.get(v, v) for v in self.variables)
        return Posynomial(variables, self.coefficients, self.exponents, self.labels)

    def fixing(self, name: str, value: float | Array) -> Posynomial:
        """Returns the posynomial in the other variables with `name` = value > 0.

        A value for each member of a batch has shape `(batch,)`.
        """
        if name not in self.variables:
            return self
        index = self.variables.index(name)
        keep = [i for i in range(len(self.variables)) if i != index]
        powers = np.asarray(value)[..., None] ** self.exponents[:, :, index]
        return Posynomial(
            tuple(self.variables[i] for i in keep),
            self.coefficients * powers,
            self.exponents[:, :, keep],
            self.labels,
        )

    def members(self, chosen: Integers | slice) -> Posynomial:
        """Returns a smaller batch: the members of some numbers."""
        if self.batch == 1:
            return self  # one stands for all
        return Posynomial(
            self.variables,
            cut(self.coefficients, chosen),
            cut(self.exponents, chosen),
            self.labels,
        )

    def formula(self, constants: bool = True) -> str:
        """Returns the first member as text, such as `6·N·D + 4e12·N`."""
        return " + ".join(
            _monomial(c if constants else 1.0, a, self.variables)
            for c, a in zip(self.coefficients[0], self.exponents[0], strict=True)
        )


def _monomial(c: float, powers: Array, variables: tuple[str, ...]) -> str:
    factors = [f"{c:.4g}"] if c != 1.0 else []
    for name, power in zip(variables, powers, strict=True):
        if power == 1:
            factors.append(name)
        elif power:
            factors.append(f"{name}^{power:.4g}")
    return "·".join(factors) or "1"


def build(variables: Sequence[str], terms: Iterable[Term]) -> Posynomial:
    """Builds a posynomial; terms with coefficient 0 are left out.

    It has one member, unless coefficients or exponents have one number for each
    member, as `Many` has.

    Raises:
        Defect: no term is left, a coefficient is negative or not finite, or a
            variable is not in `variables`.
    """
    kept = [term for term in terms if term.coefficient != 0]
    if not kept:
        raise Defect("a posynomial needs at least one term above zero")
    numbers = [term.coefficient for term in kept]
    coefficients = columns(numbers)
    if _plain(numbers):  # the rule; numpy is slow on so few
        good = all(0 < number.real < math.inf for number in numbers)
    else:
        good = bool(((coefficients.real > 0) & (coefficients.real < np.inf)).all())
    if not good:
        real = coefficients.real.tolist()
        raise Defect(f"coefficients must be above zero and finite: {real}")
    strangers = {name for term in kept for name in term.exponents} - set(variables)
    if strangers:
        raise Defect(f"unknown variables: {sorted(strangers)}")
    exponents = columns(
        [term.exponents.get(name, 0.0) for term in kept for name in variables]
    ).reshape(-1, len(kept), len(variables))
    labels = tuple(term.label for term in kept)
    return Posynomial(tuple(variables), coefficients, exponents, labels)


def columns(numbers: Sequence[float]) -> Array:
    """Numbers, or one for each member, side by side: `(batch or 1, numbers)`."""
    if not numbers:
        return np.zeros((1, 0))
    if _plain(numbers):
        return np.array([numbers])
    parts = [np.asarray(number) for number in numbers]
    kind = np.result_type(*{part.dtype for part in parts})
    whole = np.empty((max(part.size for part in parts), len(parts)), kind)
    for place, part in enumerate(parts):
        whole[:, place] = part
    return whole


def _plain(numbers: Sequence[float]) -> bool:
    """Whether each is one number, not one for each member."""
    return SCALARS.issuperset(map(type, numbers))


def merge(terms: Iterable[Term]) -> list[Term]:
    """Adds up terms of equal exponents, so that streams of one kind are one term."""
    terms = list(terms)
    if len(terms) == 1:
        return terms
    sums: dict[frozenset[tuple[str, object]], Term] = {}
    for term in terms:
        powers = [(n, _hashable(a)) for n, a in term.exponents.items() if a != 0]
        key = frozenset(powers)
        if key in sums:
            first = sums[key]
            total = first.coefficient + term.coefficient
            sums[key] = Term(first.label, total, first.exponents)
        else:
            sums[key] = term
    return list(sums.values())


def _hashable(exponent: float) -> object:
    if type(exponent) in SCALARS:
        return exponent
    column = np.asarray(exponent)
    return column.tobytes() if column.ndim else exponent


def cut(array: Array, chosen: Integers | slice) -> Array:
    """Some members of an array, of which a batch of 1 stands for any number."""
    return array if len(array) == 1 else array[chosen]


def joined(arrays: Sequence[Array], sizes: Sequence[int]) -> Array:
    """Arrays with a leading batch axis, of so many members each, as one.

    A batch of 1 stands for any number of equal members.
    """
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate(list(map(lengthened, arrays, sizes)))


def lengthened(array: Array, size: int) -> Array:
    """An array with so many members, of which one may stand for all."""
    if len(array) == size:  # the rule; numpy is slow at nothing
        return array
    return np.broadcast_to(array, (size, *array.shape[1:]))


def side_by_side(parts: Sequence[Array]) -> Array:
    """Arrays `(batch or 1, terms, …)` as one, along the terms."""
    longest = max(map(len, parts))
    whole = [lengthened(part, longest) for part in parts]
    return np.ascontiguousarray(np.concatenate(whole, axis=1), dtype=np.float64)


def tangents(parts: Sequence[Posynomial], z: Array) -> tuple[Array, Array]:
    """Ln f of several posynomials of the same variables and their gradients.

    All in one go, which is quickest for short batches; `Posynomial.tangent` for long.

    Args:
        parts: the posynomials.
        z: ln x, `(batch, variables)`.

    Returns:
        `(batch, parts)` and `(batch, parts, variables)`.
    """
    logs = side_by_side([part.logs for part in parts])
    powers = side_by_side([part.exponents for part in parts])
    counts = np.array([len(part.labels) for part in parts])
    starts = np.cumsum(counts) - counts
    owner = np.repeat(np.arange(len(parts)), counts)
    terms = logs + (powers @ z[:, :, None])[:, :, 0]
    top = np.maximum.reduceat(terms, starts, axis=1)
    weights = np.exp(terms - top[:, owner])
    total = np.add.reduceat(weights, starts, axis=1)
    slopes = np.add.reduceat(weights[:, :, None] * powers, starts, axis=1)
    return top + np.log(total), slopes / total[:, :, None]


def stack(parts: Sequence[Posynomial], sizes: Sequence[int]) -> Posynomial:
    """Joins batches of posynomials of one shape to one batch.

    Args:
        parts: with the same variables and as many terms.
        sizes: the members of each.
    """
    return Posynomial(
        parts[0].variables,
        joined([part.coefficients for part in parts], sizes),
        joined([part.exponents for part in parts], sizes),
        parts[0].labels,
    )
