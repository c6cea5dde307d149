"""What differs between two scenario files, and what each difference does to the plan.

Each difference is applied to the first scenario alone, and solved again. What the
changes do together beyond their sum, in logarithms, is the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.question.exclusive import ALTERNATIVES
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document, Steps, dotted
from optimizer.reading.spread import Spread
from optimizer.records import dataclass, replace

PROSE = {"name", "description", "probability"}  # they move no plan


@dataclass(frozen=True)
class Difference:
    """One difference between two files, and what it does alone.

    Attributes:
        path: where they differ.
        before: what the first says there, in its own words; empty if nothing.
        after: what the second says.
        parameters: the factor by which this alone changes N; None where the first
            scenario with this change has no plan, or is not a scenario.
        tokens: the factor for D.
        total: the factor for the lifetime cost; None also where the unit changes.
        reason: why an entry is None; may be empty.
    """

    path: str
    before: str
    after: str
    parameters: float | None
    tokens: float | None
    total: float | None
    reason: str = ""


def differences(
    first: Scenario, first_answer: Answer, second: Scenario, second_answer: Answer
) -> tuple[Difference, ...]:
    """Lists the differences between two scenarios, each alone, then the rest."""
    found = []
    for path, before, after in _changes(first.document.value, second.document.value):
        answer, reason = _alone(first, path, after)
        factors = _factors(first_answer, answer)
        words = _words(before), _words(after)
        told = _told(first.document, path)
        found.append(Difference(told, *words, *factors, reason))
    if len(found) > 1:
        whole = _factors(first_answer, second_answer)
        parts = [(d.parameters, d.tokens, d.total) for d in found]
        rest = [_rest(total, [p[i] for p in parts]) for i, total in enumerate(whole)]
        found.append(Difference("the rest", "", "", rest[0], rest[1], rest[2]))
    return tuple(found)


def _rest(whole: float | None, parts: list[float | None]) -> float | None:
    """The factor that the parts leave unexplained."""
    known = [part for part in parts if part is not None]
    if whole is None or len(known) < len(parts):
        return None
    return whole / math.prod(known)


def _factors(
    base: Answer, answer: Answer | None
) -> tuple[float | None, float | None, float | None]:
    if base.plan is None or answer is None or answer.plan is None:
        return None, None, None
    total = None
    if base.cost and answer.cost and base.cost.unit == answer.cost.unit:
        total = answer.cost.total / base.cost.total
    return (
        answer.plan.parameters / base.plan.parameters,
        answer.plan.tokens / base.plan.tokens,
        total,
    )


def _changes(
    first: Any, second: Any, path: Steps = ()
) -> Iterator[tuple[Steps, Any, Any]]:
    """The least parts that differ and can stand alone.

    Words of which only one may stand change together, with what holds them; so do the
    three numbers of a range, which must be in order.
    """
    if _streams(first) and _streams(first) == _streams(second):
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _changes(one, other, (*path, index))
        return
    mappings = isinstance(first, dict) and isinstance(second, dict)
    if not mappings or _range(first) or _swaps(first, second, path):
        if first != second:
            yield path, first, second
        return
    for word in dict.fromkeys((*first, *second)):
        if path or word not in PROSE:
            yield from _changes(first.get(word), second.get(word), (*path, word))


def _range(value: dict[str, Any]) -> bool:
    return set(value) == set(Spread.model_fields)


def _streams(value: Any) -> list[Any]:
    """The names of a list of streams; empty for anything else."""
    if not isinstance(value, list):
        return []
    return [m.get("name") if isinstance(m, dict) else None for m in value]


def _told(document: Document, path: Steps) -> str:
    """A path as `--set` takes it, in which streams go by their names."""
    node: Any = document.value
    words: list[str | int] = []
    for step in path:
        node = node.get(step) if isinstance(node, dict) else node[step]
        named = isinstance(step, int) and isinstance(node, dict) and node.get("name")
        words.append(str(named) if named else step)
        if node is None:
            words += path[len(words) :]
            break
    return dotted(words)


def _swaps(first: dict[str, Any], second: dict[str, Any], path: Steps) -> bool:
    marked = tuple("*" if isinstance(step, int) else step for step in path)
    changed = {(*marked, word) for word in set(first) ^ set(second)}
    if not path:
        return False
    return any(sum(change in group for change in changed) > 1 for group in ALTERNATIVES)


def _alone(scenario: Scenario, path: Steps, after: Any) -> tuple[Answer | None, str]:
    """The first scenario with one part replaced, solved."""
    document = _with(scenario.document, path, after)
    try:
        answer = solve(read_document(document, scenario.base))
    except InputError as error:
        return None, f"not alone: {error.problems[0].message}"
    if answer.infeasibility is not None:
        return answer, answer.infeasibility.reason
    return answer, ""


def _with(document: Document, path: Steps, after: Any) -> Document:
    def put(node: Any, steps: Steps) -> Any:
        if not steps:
            return after
        if isinstance(node, list) and isinstance(steps[0], int):
            index = steps[0]
            return [
                put(each, steps[1:]) if at == index else each
                for at, each in enumerate(node)
            ]
        inner = dict(node) if isinstance(node, dict) else {}
        value = put(inner.get(steps[0]), steps[1:])
        if value is None:
            inner.pop(str(steps[0]), None)
        else:
            inner[str(steps[0])] = value
        return inner

    return replace(document, value=put(document.value, path))


def _words(value: Any) -> str:
    """A value as it could stand in the file, on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_words(part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(_words(part) for part in value)}]"
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
