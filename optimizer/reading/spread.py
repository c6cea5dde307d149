"""An uncertain number: three in place of one, where a field takes either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeAlias, TypeVar

from optimizer.reading.fields import Model, across
from optimizer.reading.quantity import Flow
from optimizer.reading.types import Pick

T = TypeVar("T")


class Spread(Model, Generic[T]):
    """An uncertain number: its 10th percentile, its expected value, its 90th."""

    low: T
    expected: T
    high: T

    @across
    def _ordered(self) -> None:
        three = (self.low, self.expected, self.high)
        if len({isinstance(v, Flow) and v.per is None for v in three}) > 1:
            raise ValueError("must have three totals or three rates")
        low, middle, high = (_size(v) for v in three)
        if not low <= middle <= high:
            raise ValueError("must have low ≤ expected ≤ high")


def _size(value: Any, per: float | None = None) -> float:
    """A number, or an amount per period in another period; a total as it is."""
    if isinstance(value, Flow):
        value = value.amount * (per or 1.0) / (value.per or per or 1.0)
    return float(value.real)


def _which(value: Any) -> int:
    return isinstance(value, dict | Spread)


if TYPE_CHECKING:
    Uncertain: TypeAlias = T | Spread[T]
else:

    class Uncertain:
        """A number, or three; a generic alias would leave Spread unparametrised."""

        def __class_getitem__(cls, kind: Any) -> Any:
            """The type of a field that holds either."""
            pick = Pick(_which, (kind, Spread[kind]))
            return Annotated[kind | Spread[kind], pick]


def ends(spread: Spread[Any]) -> tuple[float, float]:
    """Low and high, in the period of the expected value where they have one."""
    per = spread.expected.per if isinstance(spread.expected, Flow) else None
    return _size(spread.low, per), _size(spread.high, per)


def expected(value: Any) -> Any:
    """The number that a solve uses: the expected one where a spread is given."""
    return value.expected if isinstance(value, Spread) else value
