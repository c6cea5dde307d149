"""What was asked otherwise, as far as the JSON of two answers knows.

An answer with a plan tells every number that it depends on; one without a plan only the
bounds that were tried, the law and the demand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.analysis.comparison.changed import Changed
from optimizer.analysis.comparison.saved_answer import (
    alike,
    at,
    number,
    rows,
    valued,
    word,
)
from optimizer.analysis.plan.wording import either, model
from optimizer.records import dataclass

RANGE, NO_LIST = "a range", "no list"
EXPECTED = ".expected"  # what the name of a number ends with that is given as a range
# Bounds that are words of a file; the memory of a replica is none.
BOUNDS = ("limits.", "budget.", "serving.max_", "shared.")


@dataclass(frozen=True)
class Known:
    """The numbers that were asked, by their paths.

    Attributes:
        numbers: in base units.
        moves: whether all that move the plan are among them.
        bounds: whether all bounds are among them.
        units: of the bounds.
    """

    numbers: Mapping[str, float]
    moves: bool
    bounds: bool
    units: Mapping[str, str]

    def lacks(self, name: str, other: Known) -> bool:
        """Whether a number that the other one has is surely not in play here."""
        if name.startswith(BOUNDS):
            return self.bounds
        return self.moves and other.moves


def asked_otherwise(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Changed]:
    """The law and the words by name, and every number that moves a plan."""
    yield from _words(old, new)
    numbers = list(_numbers(_known(old), _known(new), _one_objective(old, new)))
    yield from numbers
    drawn = any(at(each, "samples") is not None for each in (old, new))
    if not (drawn or (_plain(old) and _plain(new))):  # how many are drawn is an answer
        yield from _demand(old, new, {one.name for one in numbers})


def shared_otherwise(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Changed]:
    """The bounds that the models of a portfolio share."""
    yield from _numbers(_shared(old), _shared(new), True)


def _one_objective(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return bool(at(old, "objective") == at(new, "objective"))


def _plain(answer: Mapping[str, Any]) -> bool:
    return bool(rows(answer, "sensitivities"))


def _words(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    pairs = [
        (path.removesuffix(".name"), word(old, path), word(new, path))
        for path in ("law.name", "objective", "question", "distillation.logits")
    ]
    pairs += [("distillation.teacher", _teachers(old), _teachers(new))]
    pairs += [("other ways", _ways(old), _ways(new))]
    yield from (Changed(*pair) for pair in pairs if pair[1] != pair[2])
    lists = [_lists(old), _lists(new)]
    for name in dict.fromkeys([*lists[0], *lists[1]]):
        one, other = (each.get(name) for each in lists)
        if one == other or not _told_lists(old if one is None else new):
            continue
        yield Changed(name, _either(one), _either(other))


def _teachers(answer: Mapping[str, Any]) -> str | None:
    found = []
    for way in rows(answer, "distillation.ways"):
        size, data = number(way, "teacher.parameters"), number(way, "teacher.tokens")
        if size is not None and data is not None:
            found.append((size, data))
    return either([model(*one) for one in sorted(found, reverse=True)]) or None


def _ways(answer: Mapping[str, Any]) -> str | None:
    found = [word(way, "name") or "" for way in rows(answer, "others")]
    return either(sorted(found), "and") or None


def _lists(answer: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The lists of a scenario, each with what could be chosen, in the order of them."""
    found: dict[str, dict[str, None]] = {}
    for row in rows(answer, "alternatives"):
        choice = at(row, "choice")
        for name, value in choice.items() if isinstance(choice, Mapping) else ():
            found.setdefault(str(name), {})[str(value)] = None
    return {name: tuple(values) for name, values in found.items()}


def _told_lists(answer: Mapping[str, Any]) -> bool:
    """Whether no list is one that is not told: of many scenarios none is."""
    return bool(rows(answer, "alternatives")) or not at(answer, "choice")


def _either(values: tuple[str, ...] | None) -> str:
    return NO_LIST if values is None else either(list(values))


def _known(answer: Mapping[str, Any]) -> Known:
    moves = valued(rows(answer, "sensitivities"), "input", "value")
    if at(answer, "capped") is not None:
        moves.pop("target.loss", None)  # it was chosen, and is an answer
    if at(answer, "samples") is not None:
        moves.pop("demand.samples", None)
    bounds = valued(rows(answer, "limits"), "name", "bound")
    tried = valued(rows(answer, "infeasibility.relaxations"), "name", "from")
    found = {
        name: value
        for name, value in {**tried, **bounds}.items()
        if name.startswith(BOUNDS)
    }
    if not moves:
        found.update(_target(answer, tried))
        law = at(answer, "law.coefficients")
        if isinstance(law, Mapping):
            told = {str(name): number(law, str(name)) for name in law}
            found.update({f"law.{k}": v for k, v in told.items() if v is not None})
    all_ = at(answer, "plan") is not None or bool(moves)
    return Known({**moves, **found}, bool(moves), all_, _units(answer, "limits"))


def _target(
    answer: Mapping[str, Any], tried: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """The target of an answer that tells nothing else, as the file gives it."""
    like = number(answer, "reference.parameters")
    if like is not None:
        yield "target.match.parameters", like
    elif "target" in tried:
        yield "target.loss", tried["target"]


def _shared(portfolio: Mapping[str, Any]) -> Known:
    """The shared bounds; that on data stands once for each model."""
    bounds = valued(rows(portfolio, "shared"), "name", "bound")
    tried = valued(rows(portfolio, "infeasibility.relaxations"), "name", "from")
    found = {name.partition(" (")[0]: value for name, value in bounds.items()}
    for name, value in tried.items():
        if name.startswith("shared."):
            found.setdefault(name, value)
    all_ = at(portfolio, "cost") is not None
    return Known(found, False, all_, _units(portfolio, "shared"))


def _units(answer: Mapping[str, Any], limits: str) -> dict[str, str]:
    """The units of bounds, those that were tried among them."""
    listed = (*rows(answer, limits), *rows(answer, "infeasibility.relaxations"))
    pairs = [(word(row, "name"), word(row, "unit")) for row in listed]
    return {name.partition(" (")[0]: unit for name, unit in pairs if name and unit}


def _numbers(old: Known, new: Known, comparable: bool) -> Iterator[Changed]:
    """Numbers that are not as they were, and those that are now in play or no more.

    Args:
        old: what was asked.
        new: what is asked.
        comparable: whether one objective counts; under another one a number may have
            been there all along and count for nothing.
    """
    ranged = [
        {n.removesuffix(EXPECTED) for n in each.numbers if n.endswith(EXPECTED)}
        for each in (old, new)
    ]
    pairs = [
        {name.removesuffix(EXPECTED): value for name, value in each.numbers.items()}
        for each in (old, new)
    ]
    units = {**old.units, **new.units}
    for name in dict.fromkeys([*pairs[0], *pairs[1]]):
        one, other = pairs[0].get(name), pairs[1].get(name)
        unit = units.get(name, "")
        fixed = name.startswith((*BOUNDS, "law."))
        if one is None or other is None:
            here, there = (old, new) if one is None else (new, old)
            if here.lacks(name, there) and (comparable or fixed):
                yield Changed(name, one, other, unit)
            continue
        was, is_ = (name in each for each in ranged)
        if was != is_:
            yield Changed(name, RANGE if was else one, RANGE if is_ else other)
        if not alike(one, other):
            said = name + EXPECTED if was or is_ else name
            yield Changed(said, one, other, unit)


def _demand(
    old: Mapping[str, Any], new: Mapping[str, Any], told: set[str]
) -> Iterator[Changed]:
    """What is served, where the numbers that make it are not told on both sides."""
    if any(name.startswith("demand.") for name in told):
        return
    for key in ("tokens", "cost_share"):
        pairs = [valued(rows(x, "demand.streams"), "name", key) for x in (old, new)]
        for name in dict.fromkeys([*pairs[0], *pairs[1]]):
            one, other = pairs[0].get(name), pairs[1].get(name)
            if not alike(one, other):
                yield Changed(f"demand.streams.{name}.{key}", one, other)
