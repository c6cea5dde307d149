"""What changed between two answers: what they recommend, what was asked, what it costs.

Answers are taken as their JSON has them, so that one may be from last month's file and
the other from today's scenario.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.analysis.comparison.asked_otherwise import (
    asked_otherwise,
    shared_otherwise,
)
from optimizer.analysis.comparison.changed import Changed
from optimizer.analysis.comparison.recommended import (
    Recommended,
    one_verdict,
    recommended,
)
from optimizer.analysis.comparison.saved_answer import (
    alike,
    at,
    names,
    number,
    rows,
    valued,
    word,
)
from optimizer.records import dataclass
from optimizer.world.costs import UNITS

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
# Numbers that not every answer has, and words.
MORE = (
    ("plan.samples", "samples"),
    ("own.cost.total", "cost"),
    ("own.fraction", "fraction"),
)
VERDICTS = ("cheapest", "distillation.pays")


@dataclass(frozen=True)
class PlanDiff:
    """What changed in the answer to one scenario, or in the joint one of a portfolio.

    Attributes:
        scenario: its name.
        unit: of costs, as they are now.
        inputs: what was asked otherwise.
        outputs: what is answered otherwise.
        warned: codes of warnings that are new.
        calmed: codes of those that are gone.
        held: limits that bind now and did not; none unless there are plans on both
            sides.
        freed: limits that bound and do not, likewise.
        conflicts: bounds that exclude each other now and did not.
        settled: bounds that excluded each other and do no longer.
        recommends: the verdicts before and now; None where nothing serves the demand,
            and of a portfolio.
        now: lifetime cost as it is now; None without a plan.
        models: of a portfolio, the names of its plans.
    """

    scenario: str
    unit: str
    inputs: tuple[Changed, ...]
    outputs: tuple[Changed, ...]
    warned: tuple[str, ...] = ()
    calmed: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    freed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    recommends: tuple[Recommended | None, Recommended | None] = (None, None)
    now: float | None = None
    models: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        told = (self.inputs, self.outputs, self.warned, self.calmed)
        walls = (self.held, self.freed, self.conflicts, self.settled)
        return not any((*told, *walls)) and one_verdict(*self.recommends)

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

        Of the plan, and of what is recommended in its place. A plan that is there in
        one of both has moved as far as can be, and so has another verdict.
        """
        changes = [self.change(name) for name in MOVING]
        before, after = self.recommends
        if before is not None and after is not None:
            if before.what != after.what:
                return math.inf
            pairs = (
                (before.parameters, after.parameters),
                (before.tokens, after.tokens),
                (before.total, after.total),
            )
            one_unit = not any(one.name == "cost.unit" for one in self.outputs)
            for one, other in pairs if one_unit else ():
                changes.append(other / one - 1 if one and other is not None else 0.0)
        elif before is not after:
            return math.inf
        return max(math.inf if part is None else abs(part) for part in changes)


@dataclass(frozen=True)
class AnswerDiff:
    """What changed between two sets of answers.

    Attributes:
        plans: of the scenarios that both have, in the order of the second.
        new: names that only the second has.
        gone: names that only the first has.
        portfolios: what changed in the joint plan, where both have one.
    """

    plans: tuple[PlanDiff, ...]
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    portfolios: tuple[PlanDiff, ...] = ()

    @property
    def all(self) -> tuple[PlanDiff, ...]:
        """The joint plan, then every other."""
        return (*self.portfolios, *self.plans)


def answer_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> AnswerDiff:
    """Compares answers of one name; one with one whatever they are called.

    Args:
        before: `plans` as `to_dict` makes them, and the `portfolio` if there is one.
        after: likewise.
    """
    old, new = _labelled(_members(before)), _labelled(_members(after))
    joint = [at(each, "portfolio") for each in (before, after)]
    if len(old) == len(new) == 1:
        old = dict(zip(new, old.values(), strict=True))
    both = isinstance(joint[0], Mapping) and isinstance(joint[1], Mapping)
    lone = [[str(j["name"])] if j and not both else [] for j in joint]
    return AnswerDiff(
        plans=tuple(_plan(name, old[name], new[name]) for name in new if name in old),
        new=(*lone[1], *(name for name in new if name not in old)),
        gone=(*lone[0], *(name for name in old if name not in new)),
        portfolios=(_joint(*joint),) if both else (),
    )


def _members(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The plans; a model of a portfolio without a joint plan has none.

    What its answer has then is the plan of that model alone, with nothing shared. One
    that has none alone stays as it is.
    """
    joint = at(told, "portfolio")
    if not isinstance(joint, Mapping) or at(joint, "cost") is not None:
        return list(told["plans"])
    nothing = dict.fromkeys(
        ("plan", "cost", "overtraining", "savings", "own", "infeasibility")
    )
    nothing |= {"status": at(joint, "status"), "cheapest": None, "choice": {}}
    alone = names(joint, "models")
    return [
        {**plan, **nothing, "distillation": _unsolved(plan)}
        if plan["scenario"] in alone
        and at(plan, "file") == at(joint, "file")
        and at(plan, "plan") is not None
        else plan
        for plan in told["plans"]
    ]


def _unsolved(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The teachers of a model, and no student."""
    ways = [{"teacher": at(way, "teacher")} for way in rows(plan, "distillation.ways")]
    return {"logits": at(plan, "distillation.logits"), "ways": ways}


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
    warned = [
        {word(w, "code") or "" for w in rows(each, "warnings")} for each in (old, new)
    ]
    held, freed, conflicts, settled = _walls(old, new, "limits")
    return PlanDiff(
        scenario=name,
        unit=_unit(new) or "",
        inputs=tuple(asked_otherwise(old, new)),
        outputs=tuple(_outputs(old, new)),
        warned=tuple(sorted(warned[1] - warned[0])),
        calmed=tuple(sorted(warned[0] - warned[1])),
        held=held,
        freed=freed,
        conflicts=conflicts,
        settled=settled,
        recommends=(recommended(old), recommended(new)),
        now=None if at(new, "plan") is None else number(new, "cost.total"),
    )


def _joint(old: Mapping[str, Any], new: Mapping[str, Any]) -> PlanDiff:
    """What changed in a portfolio as a whole."""
    held, freed, conflicts, settled = _walls(old, new, "shared")
    return PlanDiff(
        scenario=str(new["name"]),
        unit=_unit(new) or _unit(old) or "",
        inputs=tuple(shared_otherwise(old, new)),
        outputs=tuple(_changed(old, new, (("cost.total", "cost"),))),
        held=held,
        freed=freed,
        conflicts=conflicts,
        settled=settled,
        now=number(new, "cost.total"),
        models=tuple(names(new, "models")),
    )


def _walls(
    old: Mapping[str, Any], new: Mapping[str, Any], limits: str
) -> list[tuple[str, ...]]:
    """What holds the plans now and no longer, and what leaves none now and no longer.

    Where only one has a plan nothing holds and nothing is free: a bound that binds no
    longer may be the very one that leaves no plan.
    """
    bound = [
        [word(w, "name") or "" for w in rows(each, limits) if at(w, "binding")]
        for each in (old, new)
    ]
    if any(at(each, "cost") is None for each in (old, new)):
        bound = [[], []]
    clash = [names(each, "infeasibility.conflict") for each in (old, new)]
    pairs = ((bound[1], bound[0]), bound, (clash[1], clash[0]), clash)
    return [tuple(n for n in one if n not in other) for one, other in pairs]


def _outputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    yield from _changed(old, new, (*NUMBERS, *MORE))
    for path in VERDICTS:  # where there is none the status says it
        told = word(old, path), word(new, path)
        if None not in told and told[0] != told[1]:
            yield Changed(path, *told)
    # A list that is there no more is asked otherwise; without a plan none is chosen.
    plans = all(at(each, "plan") is not None for each in (old, new))
    choices = [at(each, "choice") or {} for each in (old, new) if plans]
    for name in choices[-1] if plans else ():
        pair = [choice.get(name) for choice in choices]
        if None not in pair and pair[0] != pair[1]:
            yield Changed(f"choice.{name}", *map(str, pair))
    if _one_unit(old, new):
        ways = [
            {
                f"others.{name}": total
                for name, total in valued(rows(x, "others"), "name", "total").items()
            }
            for x in (old, new)
        ]
        for found, each in zip(ways, (old, new), strict=True):
            for best in rows(each, "distillation.ways")[:1]:
                if (total := number(best, "total")) is not None:
                    found["distillation.ways.0"] = total
        for name in dict.fromkeys([*ways[0], *ways[1]]):
            one, other = ways[0].get(name), ways[1].get(name)
            if not alike(one, other):
                yield Changed(f"{name}.total", one, other, "cost")


def _changed(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    numbers: Sequence[tuple[str, str]],
) -> Iterator[Changed]:
    """The status, the unit and numbers that are not as they were."""
    if word(old, "status") != word(new, "status"):
        yield Changed("status", word(old, "status"), word(new, "status"))
    if not (same_unit := _one_unit(old, new)):
        yield Changed("cost.unit", _unit(old), _unit(new))
    for name, unit in numbers:
        one, other = number(old, name), number(new, name)
        if not alike(one, other) and (unit != "cost" or same_unit):
            yield Changed(name, one, other, unit)


def _one_unit(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether costs are counted in one unit, as far as it is told."""
    units = _unit(old), _unit(new)
    return None in units or units[0] == units[1]


def _unit(answer: Mapping[str, Any]) -> str | None:
    """The unit of costs: of a plan by its objective, of a portfolio as told."""
    objective = str(at(answer, "objective"))
    return UNITS.get(objective) or word(answer, "cost.unit")
