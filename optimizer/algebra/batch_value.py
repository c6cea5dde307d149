"""One number for each of many scenarios, which decides only what all agree on.

Code that is written for one number takes `Many` through unchanged, as it takes a
complex step. Where it asks a question, such as `if tokens == 0`, all may answer alike
and it goes on; else `Divided` says which answer yes, and whoever started the
calculation runs it again for each side. So each takes the very path that it would
take alone.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizer.algebra.posynomial import Array

Mask = npt.NDArray[np.bool_]


class Divided(Exception):
    """Some answer a question with yes and some with no.

    Attributes:
        mask: who answers yes, shape `(batch,)`.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        super().__init__("the members of a batch part here")


class Many:
    """One number each; arithmetic is element by element.

    What raises `OverflowError` or `ZeroDivisionError` for a plain float does so here
    too, for those that it concerns; numpy is to be told to ignore the rest, once by
    whoever starts the calculation.
    """

    __array_ufunc__ = None  # so that numpy's numbers leave the arithmetic to this
    __hash__ = None  # type: ignore[assignment]
    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if dtype is not None and self.stepped and np.dtype(dtype).kind != "c":
            raise TypeError("a complex step is no real number")
        return np.asarray(self.values, dtype)

    def __repr__(self) -> str:
        return f"Many({self.values!r})"

    def __format__(self, spec: str) -> str:
        """As the first is written, for messages that all share."""
        return format(float(self.values[0]), spec)

    @property
    def stepped(self) -> bool:
        """Whether the numbers are complex, as in a complex step."""
        return self.values.dtype.kind == "c"

    @property
    def real(self) -> Many:
        """As of a number: itself, unless it is complex."""
        return Many(self.values.real) if self.stepped else self

    @property
    def imag(self) -> Many | float:
        """As of a number: zero, unless it is complex."""
        return Many(self.values.imag) if self.stepped else 0.0

    def __neg__(self) -> Many:
        return Many(-self.values)

    def __pos__(self) -> Many:
        return self

    def __abs__(self) -> Many:
        return Many(np.abs(self.values))

    def __add__(self, other: Any) -> Many:
        return Many(self.values + _values(other))

    def __radd__(self, other: Any) -> Many:
        return Many(other + self.values)

    def __sub__(self, other: Any) -> Many:
        return Many(self.values - _values(other))

    def __rsub__(self, other: Any) -> Many:
        return Many(other - self.values)

    def __mul__(self, other: Any) -> Many:
        return Many(self.values * _values(other))

    def __rmul__(self, other: Any) -> Many:
        return Many(other * self.values)

    def __truediv__(self, other: Any) -> Many:
        return _divided(self, other)

    def __rtruediv__(self, other: Any) -> Many:
        return _divided(other, self)

    def __pow__(self, other: Any) -> Many:
        return _powered(self, other)

    def __rpow__(self, other: Any) -> Many:
        return _powered(other, self)

    def __lt__(self, other: Any) -> bool:
        return _asked(operator.lt, self, other)

    def __le__(self, other: Any) -> bool:
        return _asked(operator.le, self, other)

    def __gt__(self, other: Any) -> bool:
        return _asked(operator.gt, self, other)

    def __ge__(self, other: Any) -> bool:
        return _asked(operator.ge, self, other)

    def __eq__(self, other: object) -> bool:
        return _asked(operator.eq, self, other)

    def __ne__(self, other: object) -> bool:
        return _asked(operator.ne, self, other)

    def __bool__(self) -> bool:
        return _agreed(self.values != 0)

    def __float__(self) -> float:
        if self.stepped:
            raise TypeError("a complex step is no real number")
        _alike(self.values)
        return float(self.values[0])

    def __int__(self) -> int:
        whole = np.trunc(self.values)
        _alike(whole)
        return int(whole[0])

    def ln(self) -> Many:
        """The natural logarithm, of numbers above 0."""
        if not _all(self.values.real > 0) and _agreed(self.values.real <= 0):
            raise ValueError("math domain error")
        return Many(np.log(self.values))

    def exp(self) -> Many:
        """E to these powers, which are not large."""
        with np.errstate(over="ignore"):
            found = np.exp(self.values)
        if not _all(np.isfinite(found)) and _agreed(np.isinf(found)):
            raise OverflowError("math range error")
        return Many(found)

    def is_integer(self) -> bool:
        """Whether the number is whole, as of a float."""
        return _agreed(self.values == np.trunc(self.values))


def positive(number: Any) -> bool:
    """Whether a number, or each of many, is above 0 and finite."""
    values = _values(number).real
    found = (values > 0) & (values < np.inf)
    return _agreed(found) if isinstance(values, np.ndarray) else bool(found)


def is_stepped(number: Any) -> bool:
    """Whether a number, or many, are complex: where a complex step is under way."""
    return number.stepped if isinstance(number, Many) else isinstance(number, complex)


def up_and_down(step: Any) -> tuple[Any, Any]:
    """Splits what is 0 but for a complex step into what is above 0 and what below."""
    values = np.asarray(_values(step))
    parts = (np.where(side * values.imag > 0, values, 0.0) for side in (1, -1))
    up, down = (Many(p) if isinstance(step, Many) else complex(p) for p in parts)
    return up, down


def _values(number: Any) -> Any:
    return number.values if isinstance(number, Many) else number


def _divided(left: Any, right: Any) -> Many:
    by = _values(right)
    many = isinstance(by, np.ndarray)  # numpy takes longer over one number than Python
    if (not _all(by) and _agreed(by == 0)) if many else by == 0:
        raise ZeroDivisionError("float division by zero")
    return Many(_values(left) / by)


def _powered(left: Any, right: Any) -> Many:
    base, exponent = _values(left), _values(right)
    if not (_all(base.real > 0) if isinstance(base, np.ndarray) else base.real > 0):
        base, exponent = np.asarray(base), np.asarray(exponent)
        if _agreed((base == 0) & (exponent.real < 0)):
            raise ZeroDivisionError("0.0 cannot be raised to a negative power")
        odd = exponent.real != np.trunc(exponent.real)
        if _agreed((base.real < 0) & odd):
            raise TypeError("a negative number has no real power")
    result = base**exponent
    if not _all(np.isfinite(result)) and _agreed(
        np.isinf(result) & np.isfinite(base) & np.isfinite(exponent)
    ):
        raise OverflowError("numerical result out of range")
    return Many(result)


def _asked(question: Callable[..., Any], left: Any, right: Any) -> bool:
    return _agreed(np.asarray(question(_values(left), _values(right))))


def _agreed(answers: Mask) -> bool:
    """The answer of all.

    Raises:
        Divided: they answer differently.
    """
    count = np.count_nonzero(answers)  # a third of the time of `all`
    if count and count < answers.size:
        raise Divided(answers)
    return bool(count == answers.size)


def _all(numbers: npt.NDArray[Any]) -> bool:
    """Whether none is zero."""
    return bool(np.count_nonzero(numbers) == numbers.size)


def _alike(values: Array) -> None:
    """Raises `Divided` where not all have one value."""
    same = values == values[0]
    if not _all(same):
        raise Divided(same)


def falling(far: Any) -> Any:
    """E^−`far`, of a number, an array or `Many`; quicker than a power."""
    if isinstance(far, Many):
        return (-far).exp()
    if isinstance(far, np.ndarray):
        return np.exp(-far)
    return cmath.exp(-far) if isinstance(far, complex) else math.exp(-far)


def largest(numbers: Any) -> float:
    """The greatest |x| of a number, an array or `Many`, without what is no number."""
    if isinstance(numbers, float | complex):  # numpy is slow on so few
        size = abs(numbers)
        return size if size >= 0.0 else 0.0
    sizes = np.abs(np.asarray(numbers))
    return float(np.fmax.reduce(sizes, axis=None, initial=0.0))
