"""What changed between two answers: in what was asked, in the plan, in its cost.

Answers are taken as their JSON has them, so that one may be from last month's file and
the other from today's scenario.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.records import dataclass

SAME = 1e-6  # relative; far above what a certificate leaves open, far below a change
# Numbers of a plan by their place in the JSON, and the word that tells their unit.
NUMBERS = (
    ("plan.parameters", "parameters"),
    ("plan.tokens", "tokens"),
    ("plan.loss", "nats"),
    ("overtraining.factor", "factor"),
    ("cost.training", "cost"),
    ("cost.inference", "cost"),
    ("cost.other", "cost"),
    ("cost.total", "cost"),
    ("savings.fraction", "fraction"),
)
MOVING = ("plan.parameters", "plan.tokens", "cost.total")


@dataclass(frozen=True)
class Changed:
    """One thing that is not as it was.

    Attributes:
        name: its place in the JSON, or of an input its path in the scenario.
        before: a number in base units, a word, or None where there was none.
        after: likewise.
        unit: of numbers; `cost` is that of the objective.
    """

    name: str
    before: float | str | None
    after: float | str | None
    unit: str = ""

    @property
    def factor(self) -> float | None:
        """After over before; None where that says nothing."""
        one, other = self.before, self.after
        if isinstance(one, str) or isinstance(other, str) or not one or other is None:
            return None
        return other / one


@dataclass(frozen=True)
class PlanDiff:
    """What changed in the answer to one scenario.

    Attributes:
        scenario: its name.
        unit: of costs, as they are now.
        inputs: what was asked otherwise.
        outputs: what is answered otherwise.
        warned: codes of warnings that are new.
        calmed: codes of those that are gone.
        held: limits that bind now and did not.
        freed: limits that bound and do not.
        now: size, tokens and lifetime cost as they are now; None without a plan.
    """

    scenario: str
    unit: str
    inputs: tuple[Changed, ...]
    outputs: tuple[Changed, ...]
    warned: tuple[str, ...] = ()
    calmed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    now: tuple[float, float, float] | None = None

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        told = (self.inputs, self.outputs, self.warned, self.calmed)
        return not any((*told, self.held, self.freed))

    def change(self, name: str) -> float | None:
        """By what part a number changed: 0.05 for 5 % more; 0 where it did not.

        None where there was none before or is none now, or the unit is another.
        """
        for one in self.outputs:
            if one.name == name:
                return None if one.factor is None else one.factor - 1
        costs = any(one.name == "cost.unit" for one in self.outputs)
        return None if costs and name.startswith("cost.") else 0.0

    @property
    def moved(self) -> float:
        """The largest change of size, tokens and lifetime cost; infinite without one.

        A plan that is there in one of both has moved as far as can be.
        """
        changes = [self.change(name) for name in MOVING]
        return max(math.inf if part is None else abs(part) for part in changes)


@dataclass(frozen=True)
class AnswerDiff:
    """What changed between two sets of answers.

    Attributes:
        plans: of the scenarios that both have, in the order of the second.
        new: names that only the second has.
        gone: names that only the first has.
    """

    plans: tuple[PlanDiff, ...]
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def answer_diff(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> AnswerDiff:
    """Compares answers of one name; one with one whatever they are called.

    Args:
        before: plans as `to_dict` makes them.
        after: likewise.
    """
    old, new = _labelled(before), _labelled(after)
    if len(old) == len(new) == 1:
        old = dict(zip(new, old.values(), strict=True))
    return AnswerDiff(
        plans=tuple(_plan(name, old[name], new[name]) for name in new if name in old),
        new=tuple(name for name in new if name not in old),
        gone=tuple(name for name in old if name not in new),
    )


def _labelled(plans: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Plans by name; by name and law where one name stands for several."""
    names = [plan["scenario"] for plan in plans]
    found: dict[str, Mapping[str, Any]] = {}
    for name, plan in zip(names, plans, strict=True):
        label = (
            name if names.count(name) == 1 else f"{name} under {plan['law']['name']}"
        )
        while label in found:
            label += " again"
        found[label] = plan
    return found


def _plan(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> PlanDiff:
    warned = [{w["code"] for w in each["warnings"]} for each in (old, new)]
    bound = [
        {limit["name"] for limit in each["limits"] if limit["binding"]}
        for each in (old, new)
    ]
    return PlanDiff(
        scenario=name,
        unit=str(_at(new, "cost.unit") or _at(old, "cost.unit") or ""),
        inputs=tuple(_inputs(old, new)),
        outputs=tuple(_outputs(old, new)),
        warned=tuple(sorted(warned[1] - warned[0])),
        calmed=tuple(sorted(warned[0] - warned[1])),
        held=tuple(sorted(bound[1] - bound[0])),
        freed=tuple(sorted(bound[0] - bound[1])),
        now=None if _at(new, "plan") is None else _now(new),
    )


def _now(plan: Mapping[str, Any]) -> tuple[float, float, float]:
    size, tokens, total = (float(_at(plan, name)) for name in MOVING)
    return size, tokens, total


def _inputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    """The law and the choices by name, and every number that moves a plan."""
    for word in ("law.name", "objective", "question"):
        if _at(old, word) != _at(new, word):
            yield Changed(word.removesuffix(".name"), _at(old, word), _at(new, word))
    choices = [each.get("choice") or {} for each in (old, new)]
    for name in dict.fromkeys([*choices[0], *choices[1]]):
        pair = [choice.get(name) for choice in choices]
        if pair[0] != pair[1]:
            yield Changed(f"choice of {name}", pair[0], pair[1])
    if not (old["sensitivities"] and new["sensitivities"]):
        return  # where there is no plan no input is told
    numbers = [
        {s["input"]: s["value"] for s in each["sensitivities"]} for each in (old, new)
    ]
    for name in dict.fromkeys([*numbers[0], *numbers[1]]):
        one, other = numbers[0].get(name), numbers[1].get(name)
        if not _alike(one, other):
            yield Changed(name, one, other)


def _outputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    for word in ("status", "cost.unit"):
        if _at(old, word) != _at(new, word):
            yield Changed(word, _at(old, word), _at(new, word))
    same_unit = _at(old, "cost.unit") == _at(new, "cost.unit")
    for name, unit in NUMBERS:
        one, other = _at(old, name), _at(new, name)
        if unit == "cost" and not same_unit:
            continue
        if not _alike(one, other):
            yield Changed(name, one, other, unit)


def _at(plan: Mapping[str, Any], path: str) -> Any:
    node: Any = plan
    for step in path.split("."):
        node = None if node is None else node.get(step)
    return node


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-12)
    return bool(one == other)
