"""Whether predictions name the replica size that measured best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from optimizer.analysis.serving.beside import Beside
from optimizer.records import dataclass

LIMITS = (10, 15, 20, 25, 30, 40, 50, 75, 100)  # ms a token, as services promise
NEARLY = 0.95  # of the best tokens a second
MILLI = 1e-3


@dataclass(frozen=True)
class ReplicaChoice:
    """How often the size that measured best is named.

    A setting is a model, chip, format, engine, prompt and answer of which two replica
    sizes or more were measured, and a limit on the time per token that some point
    keeps. The best size has the most tokens a second and accelerator within it.

    Attributes:
        settings: how many there are.
        best: in how many the size that is named measured best.
        nearly: in how many it measured at least 95 % of the best tokens a second.
        lost: the mean share of the best tokens a second that is given away; all of it
            where no size is named, or none of that size keeps the limit.
    """

    settings: int
    best: int = 0
    nearly: int = 0
    lost: float = 0.0


def replica_choice(found: Sequence[Beside]) -> ReplicaChoice:
    """Compares the sizes that predictions name with those that measured best.

    Args:
        found: points beside their predictions; those without a time per token, tokens
            a second or prediction are left out.
    """
    usable = sorted((x for x in found if _usable(x)), key=_where)
    shares: list[tuple[bool, float]] = []
    for _, members in groupby(usable, key=_where):
        own = list(members)
        if len({_size(x) for x in own}) > 1:
            shares += filter(None, (_setting(own, limit * MILLI) for limit in LIMITS))
    return ReplicaChoice(
        settings=len(shares),
        best=sum(named for named, _ in shares),
        nearly=sum(share >= NEARLY for _, share in shares),
        lost=sum(1.0 - share for _, share in shares) / max(len(shares), 1),
    )


def _setting(own: Sequence[Beside], limit: float) -> tuple[bool, float] | None:
    """Whether the best size is named, and its share of the best; None without one."""
    measured = [x for x in own if _seconds(x) <= limit]
    told = [x for x in own if x.answer is not None and x.answer.per_token <= limit]
    if not measured:
        return None
    if not told:
        return False, 0.0
    best = max(measured, key=_rate)
    size = _size(max(told, key=lambda x: 0.0 if x.answer is None else x.answer.rate))
    reached = _most(x for x in measured if _size(x) == size)
    return size == _size(best), reached / _rate(best)


def _usable(one: Beside) -> bool:
    p = one.point
    return one.answer is not None and p.per_token is not None and p.rate is not None


def _where(one: Beside) -> tuple[str, ...]:
    p = one.point
    model = "" if p.model is None else p.model.name
    machine = ("", "") if p.place is None else (p.place.chip.key, p.place.weights)
    return (model, *machine, p.engine, f"{p.prompt:.0f}", f"{p.output:.0f}")


def _size(one: Beside) -> float:
    return 0.0 if one.point.place is None else one.point.place.accelerators


def _seconds(one: Beside) -> float:
    return one.point.per_token or 0.0


def _rate(one: Beside) -> float:
    return one.point.rate or 0.0


def _most(some: Iterable[Beside]) -> float:
    return max(map(_rate, some), default=0.0)
