"""A number on a bound is the bound: 9B, and not 9000000000.000015.

A solver in logarithms comes within rounding of what holds a plan: a limit, a target, a
value that was decided, the model to match. This one place puts those numbers right for
every format, and for whoever compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.bindings import BINDING
from optimizer.question.asked import Question
from optimizer.records import names, replace

# Proofs and slopes are no amounts, and laws and sensitivities say what was given.
LEFT = {"certificate", "law", "sensitivities", "overtraining", "savings"}

IDLE = frozenset((str, int, bool, type(None)))  # no amounts, and so quick to pass

WORDS = ("parameters", "tokens")


def settled(answer: Answer, question: Question) -> Answer:
    """An answer with each number that is on a bound put there.

    Args:
        answer: with a plan.
        question: the same as mathematics.
    """
    bounds = [
        *(wall.bound for wall in answer.limits if wall.binding),
        *question.fixed.values(),
        *(question.reference or ()),
    ]
    if question.target is not None:
        bounds.append(question.target)
    return moved_onto(answer, bounds)


def moved_onto(answer: Answer, bounds: Iterable[float]) -> Answer:
    """An answer with each number that is within rounding of a bound put on it."""
    put = onto(bounds)
    moved: Answer = _mapped(answer, put)
    return moved


def placed(question: Question, point: Mapping[str, float]) -> dict[str, float]:
    """A point with its N and D on the bound, the fixed or matched number they meet."""
    walls = {limit.name: limit.bound for limit in question.limits}
    reference = question.reference or (None, None)
    found = dict(point)
    for name, word, known in zip(("N", "D"), WORDS, reference, strict=True):
        bounds = (walls.get(f"limits.{word}"), question.fixed.get(name), known)
        put = onto([bound for bound in bounds if bound is not None])
        found[name] = put(found[name])
    return found


def onto(bounds: Iterable[float]) -> Callable[[float], float]:
    """Moves a number onto the bound that it is within rounding of, if there is one."""
    known = [bound for bound in bounds if bound > 0]

    def put(value: float) -> float:
        for bound in known:
            if abs(value - bound) <= BINDING * bound:
                return bound
        return value

    return put


def _mapped(value: Any, put: Callable[[float], float]) -> Any:
    """Records, mappings and tuples with every number in them put through.

    What has nothing to move stays what it is.
    """
    kind: Any = type(value)
    if kind is float or isinstance(value, float):
        return put(value)
    if kind in IDLE:
        return value
    if kind is tuple:
        moved = _moved(enumerate(value), put)
        return (
            tuple(moved.get(i, each) for i, each in enumerate(value))
            if moved
            else value
        )
    if isinstance(value, Mapping):
        moved = _moved(value.items(), put)
        return {**value, **moved} if moved else value
    if words := _words(kind):
        found = value.__dict__
        moved = _moved(((word, found[word]) for word in words), put)
        return replace(value, **moved) if moved else value
    return value


def _moved(
    parts: Iterable[tuple[Any, Any]], put: Callable[[float], float]
) -> dict[Any, Any]:
    """What moves of some parts, by their keys."""
    found = {}
    for key, each in parts:
        kind = type(each)
        if kind not in IDLE:
            new = put(each) if kind is float else _mapped(each, put)
            if new is not each:
                found[key] = new
    return found


@cache
def _words(kind: Any) -> tuple[str, ...]:
    """The fields of a record that are amounts."""
    return tuple(name for name in names(kind) if name not in LEFT)
