"""Where several answers say not to train: before any plan that suits them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import VERBS, amount, either
from optimizer.report.pages.other_ways import provided, subject
from optimizer.world.costs import UNITS


def verdicts(
    answers: Sequence[Answer], names: Sequence[str], link: str, all_of: str
) -> Iterator[str]:
    """What is cheaper than a new model, answers of one verdict together; may be none.

    Args:
        answers: to several scenarios, or to one under several laws.
        names: of each.
        link: what stands before a name: `in` a scenario, `under` a law.
        all_of: what stands for all of them: `these laws`.
    """
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, answer in enumerate(answers):
        if ways := [way.name for way, _ in answer.cheaper]:
            alike.setdefault((UNITS[answer.objective], *ways), []).append(place)
    for (unit, *_), places in alike.items():
        told = _cheaper([answers[place] for place in places], unit)
        where = either([names[place] for place in places], "and")
        where = f"any of {all_of}" if len(places) == len(answers) > 1 else where
        yield f"Do not train {link} {where}: {told}."
    train = [
        name
        for name, answer in zip(names, answers, strict=True)
        if answer.cheapest == "train"
    ]
    if alike and train:
        yield f"{link.capitalize()} {either(train, 'and')}, train."


def _cheaper(those: Sequence[Answer], unit: str) -> str:
    """What the same ways cost in each of several answers, and what a new model does."""
    verb, _ = VERBS.get(unit, ("costs", ""))
    parts = []
    for place, (way, _) in enumerate(those[0].cheaper):
        totals = [answer.cheaper[place][1] for answer in those]
        good = provided(way.name) if way.loss is None else "and reaches the target"
        does = f"{verb} {span(totals, unit)}"
        parts.append(f"{subject(way.name)} {does}, {good}")
    new = [answer.cost.total for answer in those if answer.cost is not None]
    if new:
        parts.append(f"a new model {verb} {span(new, unit)}")
    return "; ".join(parts)


def span(values: Sequence[float], unit: str) -> str:
    """From the least to the most of some values; one where they print alike."""
    low, high = amount(min(values), unit), amount(max(values), unit)
    return low if low == high else f"{low} to {high}"
