"""Rounding a plan to sizes that exist, and what that costs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from optimizer.algebra.program import Solution
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.reach import stated
from optimizer.analysis.plan.search import searching
from optimizer.analysis.plan.together import together
from optimizer.analysis.plan.whole import WholePlan
from optimizer.analysis.plan.wording import either, several
from optimizer.question.asked import Question
from optimizer.question.at_size import held_at, shape_for
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.scenario import Fix, Scenario
from optimizer.question.sizes import unfit
from optimizer.question.target import Target
from optimizer.records import dataclass, replace
from optimizer.world.built import Built
from optimizer.world.costs import Architecture
from optimizer.world.models import Exists, PublishedModel, shape_of, size_in, stored
from optimizer.world.shape_factor import relative_factor
from optimizer.world.shapes import Shape, record_of_shape

EQUAL = 0.01  # plans within this of the optimum are equal for all that is known


@dataclass(frozen=True)
class Size:
    """One size that exists.

    Attributes:
        name: as it was given.
        parameters: N, as the law counts it.
        tokens: D that the target or the budget gives it; None if it cannot.
        total: the lifetime cost, or the loss under a budget; None likewise.
        fraction: above the optimum, as a fraction of it; below 0 where an architecture
            of its own makes it cheaper. None where one of them has no plan.
        equal: whether it is within 1 % of the least, where plans count as equal.
        stored: all of its parameters, where they are known.
        architecture: with which it was solved, where it has one of its own.
        inherited: words of the architecture that it has from the scenario.
        conflict: names of bounds that it cannot keep.
        reason: the same in words; None where it has a plan.
        shape_factor: its loss over that of the best shape, where it was asked for and
            the formula knows the shape.
    """

    name: str
    parameters: float
    tokens: float | None
    total: float | None
    fraction: float | None
    equal: bool
    stored: float | None = None
    architecture: Mapping[str, float | bool] | None = None
    inherited: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    reason: str | None = None
    shape_factor: float | None = None


@dataclass(frozen=True)
class Snap:
    """The sizes that exist.

    Attributes:
        sizes: in the order in which they were given.
        best: of them; None if none reaches the target.
        notes: what was taken for granted, in sentences.
    """

    sizes: tuple[Size, ...]
    best: Size | None
    notes: tuple[str, ...] = ()


def snap(
    scenario: Scenario, sizes: Sequence[tuple[str, Exists]], *, shapes: bool = False
) -> Snap:
    """Solves the scenario with each size fixed in turn.

    Each is compared with the optimum of the scenario as it stands. One that brings an
    architecture is solved with that: its attention, KV cache and stored parameters.

    Args:
        scenario: its own `fix`, if any, is set aside.
        sizes: a name, and a number of parameters, an architecture or a published
            model.
        shapes: whether the loss of a size is that of its shape, by the shape factor.

    Raises:
        ValueError: the law cannot say what size an architecture is.
        InputError: its budget chooses the loss.
    """
    refuse_chosen_loss([scenario], "--snap")
    frees = [
        replace(one, spec=one.spec.model_copy(update={"fix": None}))
        for one in scenario.singles
    ]
    question, free = _least(frees)
    optimum = free.value if isinstance(free, Solution) else None
    factors = [shape_factor(what) if shapes else None for _, what in sizes]
    found = [
        _size(scenario, question, name, what, f)
        for (name, what), f in zip(sizes, factors, strict=True)
    ]
    power = question.measured
    values = [value for _, value in found]
    least = min((v for v in (optimum, *values) if v is not None), default=0.0)
    rows = tuple(
        row
        if value is None
        else replace(
            row,
            fraction=None if optimum is None else (value / optimum) ** power - 1,
            equal=(value / least) ** power <= 1 + EQUAL,
        )
        for row, value in found
    )
    reached = [row for row in rows if row.total is not None]
    best = min(reached, key=lambda row: row.total or 0.0, default=None)
    notes = [*_notes(scenario, sizes)]
    if shapes:
        notes += _of_shapes(rows)
    return Snap(rows, best, tuple(notes))


def shape_factor(what: Exists) -> float | None:
    """What the shape of a size costs in loss, where the formula knows it."""
    shape = shape_of(what)
    if shape is None or (shape.parameters or shape.experts) is not None:
        return None
    record = shape.record if isinstance(shape, Built) else record_of_shape(shape, "")
    return relative_factor(record)


def _of_shapes(rows: Sequence[Size]) -> Iterator[str]:
    """What the shape factor did, and what it is worth."""
    told = [f"{x.name} {x.shape_factor:.4f}" for x in rows if x.shape_factor]
    if told:
        yield (
            f"Loss over that of the best shape: {several(told)}. The formula was "
            "fitted to 80M to 297M parameters at 100 tokens each (arXiv 2510.18245), "
            "and said more than was measured at 1B (0.75 %) and 3B (0.23 %)"
        )
    if bare := [x.name for x in rows if x.shape_factor is None]:
        yield (
            f"The formula of shapes does not know {several(bare)}: no architecture, "
            "a mixture, layers that are no plain attention, or feed-forward over "
            "attention parameters outside 0.5 to 5; no factor counts there, which "
            "flatters them beside the others"
        )


def _least(
    scenarios: Sequence[Scenario],
) -> tuple[Question, Solution | Infeasibility]:
    """The best of some scenarios; if none has a plan, why the first has none."""
    found = together([searching(scenario) for scenario in scenarios])
    solved = [s.plan for _, s in found if isinstance(s, WholePlan)]
    if solved:
        best = min(solved, key=lambda plan: plan.solution.value)
        return best.question, best.solution
    return next((q, why) for q, why in found if isinstance(why, Infeasibility))


def _size(
    scenario: Scenario,
    free: Question,
    name: str,
    what: Exists,
    factor: float | None,
) -> tuple[Size, float | None]:
    """A size with its plan, and the objective there; None where it has no plan."""
    if message := unfit(what, scenario):
        raise ValueError(f"{name}: {message}")
    N = size_in(what, scenario.law.counts)
    whole, shape, inherited = stored(what), *shape_for(scenario, what)
    row = Size(
        name=name,
        parameters=N,
        tokens=None,
        total=None,
        fraction=None,
        equal=False,
        stored=whole,
        architecture=_told(shape, {"name"}) if shape_of(what) else None,
        inherited=inherited,
        shape_factor=factor,
    )
    words: dict[str, object] = {"fix": Fix(parameters=N)}
    if factor is not None and free.reducible is not None:
        # Its shape multiplies the loss: the law must promise that much less.
        wanted = free.surface.loss_of(free.reducible) / factor
        words["target"] = Target(loss=wanted)
    held = held_at(scenario, what, **words)
    question, found = _least(held)
    if isinstance(found, Infeasibility):
        conflict = tuple(n for n in found.conflict if n != "fix.parameters")
        return replace(row, conflict=conflict, reason=_reason(found, conflict)), None
    total = value = found.value
    if question.reducible is None:
        total = question.surface.loss_of(value) * (factor or 1.0)
        value = value if factor is None else question.surface.reducible(total)
    return replace(row, tokens=found.point["D"], total=total), value


def _told(shape: Architecture | None, but: Collection[str] = ()) -> dict[str, Any]:
    """The words of an architecture that are given."""
    if shape is None:
        return {}
    return shape.model_dump(exclude=set(but), exclude_none=True)


def _reason(why: Infeasibility, conflict: Sequence[str]) -> str:
    """Which bounds a size cannot keep, in words."""
    named = {way.name: stated(way) for way in why.relaxations}
    walls = either([named[name] for name in conflict if name != "target"], "and")
    if "target" not in conflict:
        return f"cannot keep {walls}" if walls else why.reason
    return f"cannot reach {named['target']}{f' under {walls}' if walls else ''}"


def _notes(scenario: Scenario, sizes: Sequence[tuple[str, Exists]]) -> Iterator[str]:
    """What was taken for granted, where it matters for these sizes."""
    law, spec = scenario.law, scenario.spec
    if law.counts != "total":
        yield f"{law.name} counts {law.counts} parameters, and so do these"
    whole = [name for name, what in sizes if stored(what) and not shape_of(what)]
    if law.counts == "non-embedding" and whole:
        yield f"The embeddings of {several(whole)} are not known apart, and count"
    mixed = [name for name, what in sizes if _mixed(what)]
    if mixed:
        yield (
            f"{several(mixed)}: of a mixture of experts the parameters are those that "
            "a token passes; memory holds all"
        )
    servings = scenario.servings
    attention = spec.training.attention or any(s.attention for s in servings)
    cache = any(s.batched or (spec.limits.memory and s.context) for s in servings)
    bare = [name for name, what in sizes if shape_of(what) is None]
    if (attention or cache) and bare:
        one = len(bare) == 1
        have = (
            f"{'has' if one else 'have'} no architecture of {'its' if one else 'their'}"
        )
        stands = "that of the scenario stands for it"
        if spec.architecture is None:
            stands = "its KV cache grows as the scenario's does"
        yield f"{several(bare)} {have} own: {stands}"
    if (attention or cache) and len(bare) < len(sizes):
        yield "The law gives each the loss of its parameters: it knows no shapes"
    borrowed = [n for n, what in sizes if shape_for(scenario, what)[1] == ("sequence",)]
    if spec.training.attention and borrowed and spec.architecture is not None:
        yield (
            f"The training sequence of {several(borrowed)} is the scenario's, "
            f"{spec.architecture.sequence} tokens"
        )
    alike = [n for n, what in sizes if isinstance(what, Shape) and not what.kv_heads]
    if cache and alike:
        yield (
            f"{several(alike)}: without kv_heads, every head has keys and values "
            "of its own"
        )


def _mixed(what: Exists) -> bool:
    if isinstance(what, PublishedModel):
        return what.active_parameters is not None
    return isinstance(what, Shape) and what.experts is not None
