"""A number on a bound is the bound: 9B, and not 9000000000.000015.

A solver in logarithms comes within rounding of what holds a plan: a limit, a target, a
value that was decided, the model to match. This one place puts those numbers right for
every format, and for whoever compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.bindings import BINDING
from optimizer.question.asked import Question

# Proofs and slopes are no amounts, and laws and sensitivities say what was given.
LEFT = {"certificate", "law", "sensitivities", "overtraining", "savings"}

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
    moved = {
        part.name: _mapped(getattr(answer, part.name), put)
        for part in fields(answer)
        if part.name not in LEFT
    }
    return replace(answer, **moved)


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
    """Records, mappings and tuples with every number in them put through."""
    if isinstance(value, float):
        return put(value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {
            part.name: _mapped(getattr(value, part.name), put)
            for part in fields(value)
            if part.name not in LEFT
        }
        return replace(value, **parts)
    if isinstance(value, Mapping):
        return {key: _mapped(each, put) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_mapped(each, put) for each in value)
    return value
