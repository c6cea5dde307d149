"""Where a new model overtakes another way to serve, if replicas that stand are whole.

Both bills then climb in steps, and may change places many times. But neither falls
where the demand grows: over a whole stretch from a to b the other way is the cheaper
where its bill at b is below a new model's at a, and a new model where its own at b is
below the other's at a. With `reach`, the most demand that the other way serves for a
sum, and C, a new model's bill, both are one step, of the same map,

    f <- reach(C(f)),

which climbs from no demand on to the first place where a new model wins, and comes down
from a high demand to the last where it does not. Longer steps are taken where replicas
in fractions decide: in those the other's bill is in proportion to the demand, and a new
model's concave in it, and neither is further off than one replica of each machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

from optimizer.analysis.plan.rounded import next_up
from optimizer.records import dataclass

WIDEST = 1e9  # both are sought within this factor of the stated demand
CLOSE = 1e-4  # in ln demand, of the last step; each before is held as well
MOST = 20  # steps
HALVINGS = 200


@dataclass(frozen=True)
class Stairs:
    """What another way to serve costs, by the factor of the demand.

    Attributes:
        rest: that grows in proportion.
        replicas: of each machine that stands, the price of one, and how many are
            needed at a factor of 1.
    """

    rest: float
    replicas: tuple[tuple[float, float], ...] = ()

    @property
    def slope(self) -> float:
        """What it costs at a factor of 1, with replicas in fractions."""
        return self.rest + sum(price * need for price, need in self.replicas)

    @property
    def step(self) -> float:
        """One replica of each machine."""
        return sum(price for price, _ in self.replicas)

    def cost(self, factor: float) -> float:
        """With replicas in whole numbers."""
        stand = sum(price * next_up(need * factor) for price, need in self.replicas)
        return self.rest * factor + stand

    def reach(self, cost: float) -> float:
        """The greatest factor that costs no more; 0 where none does."""
        if not self.replicas:
            return cost / self.rest
        low, high = 0.0, cost / self.slope
        if self.cost(low) > cost:
            return low
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if middle in {low, high}:
                break
            low, high = (middle, high) if self.cost(middle) <= cost else (low, middle)
        return low


@dataclass(frozen=True)
class Bill:
    """What a new model costs at some demand.

    Attributes:
        total: ∞ where there is none.
        replicas: of the machine that has the fewest; ∞ where none stands.
    """

    total: float
    replicas: float = math.inf

    @property
    def more(self) -> float:
        """No less than with one replica more of each machine."""
        return self.total * (1 + 1 / self.replicas)

    @property
    def fewer(self) -> float:
        """No more than with one replica less of each machine."""
        return self.total * (1 - 1 / self.replicas)


@dataclass(frozen=True)
class Overtaken:
    """Where a new model is the cheaper, by the factor of the demand.

    Attributes:
        first: up to here the other way is, at every demand; None: at any.
        last: from here on a new model is, at every demand that it has a plan for;
            None: nowhere for good.
    """

    first: float | None
    last: float | None


def overtaken(
    new: Sequence[Callable[[float], Bill]], others: Sequence[Stairs], served: float
) -> Overtaken:
    """Where a new model overtakes another way, whatever demand was asked about.

    Args:
        new: a new model's bill by the factor of the demand, for each combination of
            the lists, of which the best counts.
        others: likewise of the other way.
        served: tokens at a factor of 1, for which there is a plan.
    """
    race = _Race(new, others)
    top, won = race.top(served)
    if race.behind(1 / WIDEST):
        first: float | None = 0.0
    else:
        first = race.climb(1 / WIDEST, top)
    if first is None:
        return Overtaken(None, None)
    return Overtaken(first, race.descend(top) if won else None)


class _Way:
    """A new model's bill by one combination of the lists, and what is known of it."""

    def __init__(self, new: Callable[[float], Bill]) -> None:
        self._new = new
        self._known: dict[float, Bill] = {}

    def ask(self, factor: float) -> Bill:
        return self._known.setdefault(factor, self._new(factor))

    def least(self, factor: float) -> float:
        """No more than its bill: that of less demand, or its part of that of more."""
        return max(
            (
                bill.total if at <= factor else bill.fewer * factor / at
                for at, bill in self._known.items()
                if at <= factor or bill.total < math.inf
            ),
            default=0.0,
        )


class _Race:
    """A new model's bill beside that of another way."""

    def __init__(
        self, new: Sequence[Callable[[float], Bill]], others: Sequence[Stairs]
    ) -> None:
        self._ways = [_Way(one) for one in new]
        self._new = cache(self._best)
        self._others = others
        self._least = min(others, key=lambda one: one.slope)

    def _best(self, factor: float) -> Bill:
        """Of the combinations only those that may be the best are asked."""
        best = Bill(math.inf)
        for way in sorted(self._ways, key=lambda way: way.least(factor)):
            if way.least(factor) < best.total:
                found = way.ask(factor)
                best = min(best, found, key=lambda bill: bill.total)
        return best

    def reach(self, factor: float) -> float:
        """The most demand that the other way serves for a new model's bill."""
        total = self._new(factor).total
        if math.isinf(total):
            return factor
        return max(other.reach(total) for other in self._others)

    def behind(self, factor: float) -> bool:
        """Whether a new model is the cheaper at a demand."""
        return self.reach(factor) < factor

    def wins(self, factor: float) -> bool:
        """Whether a new model wins here with one replica more, and so ever after.

        Its plan may be kept for more demand, for which its bill grows no faster than
        in proportion, but for the replica that is begun.
        """
        return self._new(factor).more < self._least.slope * factor

    def loses(self, factor: float) -> float:
        """From where on up to this demand a new model is dearer; ∞ where unknown."""
        gap = self._new(factor).fewer / factor - self._least.slope
        return self._least.step / gap if gap > 0 else math.inf

    def top(self, served: float) -> tuple[float, bool]:
        """A high demand, and whether a new model wins there and ever after.

        It is a power of ten, which does not hang on what was asked, or the highest
        that any plan is left for, or the end of what is looked at.
        """
        power = math.floor(math.log10(served))
        factor = 10.0**power / served
        if self.wins(factor):
            while self.wins(factor / 10) and factor > 1 / WIDEST:
                power -= 1
                factor = 10.0**power / served
            return factor, True
        while factor < WIDEST:
            power += 1
            factor = 10.0**power / served
            if math.isinf(self._new(factor).total):
                factor = self._wall(factor / 10, factor)
                return factor, self.behind(factor)
            if self.wins(factor):
                return factor, True
        return factor, False

    def _wall(self, low: float, high: float) -> float:
        """The most demand that there is a plan for, from below."""
        while math.log(high / low) > CLOSE:
            middle = math.sqrt(low * high)
            if math.isinf(self._new(middle).total):
                high = middle
            else:
                low = middle
        return low

    def climb(self, factor: float, top: float) -> float | None:
        """The first demand at which a new model wins, from below; None for none."""
        stride = math.log(2)
        for _ in range(MOST):
            before = factor
            if self.loses(top) <= factor or factor >= top:
                return None
            factor = max(factor, self.reach(factor))
            further = min(factor * math.exp(stride), top)
            far = self.loses(factor) <= factor and stride > CLOSE
            if far and self.loses(further) <= factor:
                factor, stride = further, 2 * stride
            else:
                stride /= 4
            if factor < before * (1 + CLOSE) and not far:
                break
        return None if factor >= top else factor

    def descend(self, factor: float) -> float:
        """The last demand at which a new model does not win, from above."""
        stride = math.log(2)
        for _ in range(MOST):
            before = factor
            factor = min(factor, self.reach(factor))
            if factor < 1 / WIDEST:
                return 0.0
            lower = factor * math.exp(-stride)
            far = self.wins(factor) and stride > CLOSE
            if far and self.wins(lower):
                factor, stride = lower, 2 * stride
            else:
                stride /= 4
            if factor > before * (1 - CLOSE) and not far:
                break
        return factor
