"""A scenario with one of its bounds moved, or without some of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from optimizer.question.asked import Question
from optimizer.question.inputs import changed
from optimizer.question.sampling import AT_MOST
from optimizer.question.scenario import Scenario
from optimizer.question.target import Target
from optimizer.records import replace

TIMES = ("max_time_per_output_token", "max_time_to_first_token")
NEEDED = (AT_MOST, "data.unique_tokens")  # with budgets, what may not be away
FREE = 2.0**40  # times one of them
RAISED = tuple(0.1 * 2.0**step for step in range(8))  # ln of a reducible loss


def freed(
    scenario: Scenario, question: Question, names: Collection[str]
) -> Iterator[Scenario]:
    """A scenario without some bounds; a target is raised, ever further.

    Args:
        scenario: without lists.
        question: the same as mathematics.
        names: of bounds that `moved` moves.
    """
    for name in names:
        if name != "target":
            scenario = _without(scenario, name)
    s = question.reducible
    if "target" not in names or s is None:
        yield scenario
        return
    for log in RAISED:
        raised = question.surface.loss_of(s * math.exp(log))
        if (one := moved(scenario, "target", raised)) is not None:
            yield one


def _without(scenario: Scenario, name: str) -> Scenario:
    path = tuple(name.partition(" (")[0].split("."))  # one word for every stream
    if path[0] == "budget" or name in NEEDED:
        return changed(scenario, path, lambda known: known * FREE)
    if path[0] in ("limits", "fix"):
        return changed(scenario, path, lambda _: None)
    return _served(scenario, name.removeprefix("serving."), None) or scenario


def moved(scenario: Scenario, name: str, value: float) -> Scenario | None:
    """A scenario with one bound moved; None where it has no such word."""
    path = tuple(name.partition(" (")[0].split("."))  # one word for every stream
    if name == "target":
        # That of a plan of one's own is its loss, and no word says it.
        if scenario.spec.target is None and scenario.spec.plan is None:
            return None
        loss = Target.model_construct(loss=value)
        spec = scenario.spec.model_copy(update={"target": loss})
        return replace(scenario, spec=spec)
    if path[0] in ("limits", "fix", "budget") or name in NEEDED:
        return changed(scenario, path, lambda _: value)
    return _served(scenario, name.removeprefix("serving."), value)


def _served(scenario: Scenario, name: str, value: float | None) -> Scenario | None:
    """The same of a limit on a serving machine, which several streams may share."""
    word, opening, rest = name.partition(" (")
    if word not in TIMES:
        return None
    found = scenario
    for index in range(len(scenario.uses)):
        alike = scenario.suffix(index) == opening + rest
        if alike and scenario.serving_of(index)[0].batched:
            path = scenario.serving_path(index, word)
            found = changed(found, path, lambda _: value)
    return found
