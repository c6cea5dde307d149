"""An infeasible scenario in the user's own numbers, with its proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import cure, lowest, lowest_words, stated
from optimizer.analysis.plan.wording import amount, either
from optimizer.engine.conflict import LEAST, Conflict, diagnose
from optimizer.engine.diagnose import ROOM
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.records import replace
from optimizer.world.repetition import COVERED

COUNTED = ("total_cost", "budget.cost", "energy")  # they ask for a batch of several
FIELD = {"N": "fix.parameters", "D": "fix.tokens"}


def explain(scenario: Scenario, question: Question) -> Infeasibility:
    """Explains why the solver found no plan, with relaxation programs.

    Raises:
        Defect: the relaxation programs find that there is a plan.
    """
    program = holding(
        question.free, {v: (FIELD[v], value) for v, value in question.fixed.items()}
    )
    decided = [FIELD[name] for name in question.fixed]
    conflict = diagnose(program, decided, question.given)
    names = conflict.names
    found = ways(scenario, question, conflict.factors)
    nearest, reached, told_lowest = None, True, ""
    # With some machines decided, others may reach a lower loss.
    decided_machines = any(w.batch or w.replicas for w in scenario.whole.values())
    if "target" in names and not decided_machines:
        least = lowest(question)
        nearest, reached = question.surface.loss_of(least.value), least.attained
        told_lowest = lowest_words(nearest, reached)
    return Infeasibility(
        opening=told(conflict, found),
        conflict=names,
        relaxations=found,
        nearest_loss=nearest,
        uniform=conflict.uniform,
        certificate=conflict.certificate,
        nearest_reached=reached,
        lowest="" if touch(conflict) else told_lowest,
        notes=tuple(notes(question, found, names)),
        cure=cure(nearest_first(found, conflict)),
    )


def told(conflict: Conflict, found: Sequence[Relaxation]) -> str:
    """Which bounds exclude each other, or leave a single point.

    Args:
        conflict: the proof.
        found: the relaxation of each bound.
    """
    if not touch(conflict):
        return unmet(conflict.names, found)
    named = {way.name: stated(way) for way in found}
    whole = either([named[name] for name in conflict.names], "and")
    return f"{whole} leave a single point, too little room to certify a plan"


def unmet(names: Sequence[str], found: Sequence[Relaxation]) -> str:
    """That no model meets some bounds together, each with its value."""
    named = {way.name: stated(way) for way in found}
    whole = either([named[name] for name in names], "and")
    return f"no model meets {whole}{' together' if len(names) > 1 else ''}"


def of_nearest(why: Infeasibility, made_whole: str) -> Infeasibility:
    """What the reason at the nearest whole numbers says of all of them.

    Args:
        why: there is no plan at the nearest.
        made_whole: what is in whole numbers.
    """
    names = tuple(way.name for way in why.relaxations)
    return replace(
        why,
        opening=f"in whole {made_whole} {unmet(names, why.relaxations)}",
        conflict=names,
        nearest_loss=None,
        nearest_losses={},
        lowest="",
        notes=(),
        cure="",
        certificate=None,
        beside=why.conflict,
    )


def touch(conflict: Conflict) -> bool:
    """Whether bounds meet, without room between them."""
    return conflict.uniform < 1 + ROOM


def nearest_first(found: Sequence[Relaxation], conflict: Conflict) -> list[Relaxation]:
    """Relaxations, the smallest change first."""
    return sorted(found, key=lambda way: _change(way, conflict.factors))


def notes(
    question: Question, relaxations: Sequence[Relaxation], names: Sequence[str]
) -> Iterator[str]:
    """What is behind a conflict with serving hardware or with repeated data."""
    after = {way.name: way.after for way in relaxations}
    for replica in question.replicas:
        memory = f"serving.memory{replica.suffix}"
        fewer = ""
        if replica.batch is not None:
            fewer = f"decode fewer than {replica.batch:,.0f} sequences together, "
        if names == (memory,):
            cache = "sequence" if replica.batch is None else "batch"
            yield (
                f"The KV cache of one {cache} alone takes more: {fewer}shorten the "
                "context, or give a replica more accelerators"
            )
        elif memory in names:
            yield (
                "A replica holds the weights and the KV cache of what it decodes "
                f"together. To make room, {fewer}take more accelerators, a larger "
                "chip, fewer bits or a shorter context"
            )
        step = f"serving.max_time_per_output_token{replica.suffix}"
        counted = any(name.endswith(COUNTED) for name in names)
        alone = replica.batch is None and not counted
        if step in names and alone and (least := after[step]) is not None:
            floor = "reads all the weights once"
            if replica.sum is not None:
                floor = "launches every layer and reads all the weights once"
                if replica.sum.routed is not None:
                    floor = "launches every layer and reads a sequence's own experts"
            yield (
                f"Every token {floor}, which at the smallest size that would do takes "
                f"{amount(least, 's')}"
            )
    if question.unique is not None and "data.unique_tokens" in names:
        yield f"The law covers at most {COVERED:.0f} epochs of the unique tokens"


def _change(way: Relaxation, factors: Mapping[str, float | None]) -> float:
    """How far a bound must move, in logarithms; the target's is its reducible loss."""
    sides = (factors.get(way.name), factors.get(way.name + LEAST))
    return min((math.log(side) for side in sides if side is not None), default=0.0)


def holding(
    program: GeometricProgram, values: Mapping[str, tuple[str, float]]
) -> GeometricProgram:
    """A program with bounds from both sides on some variables.

    Args:
        program: the program.
        values: the variable → the name of its bound, and where it is held.
    """
    constraints = list(program.constraints)
    for variable, (name, value) in values.items():
        for suffix, power in (("", 1.0), (LEAST, -1.0)):
            term = Term("fixed", value**-power, {variable: power})
            posynomial = build(program.variables, [term])
            constraints.append(Constraint(name + suffix, posynomial))
    return GeometricProgram(program.objective, tuple(constraints))


def ways(
    scenario: Scenario, question: Question, factors: Mapping[str, float | None]
) -> tuple[Relaxation, ...]:
    """The least change of each bound of a model: target, limits, what is fixed.

    Args:
        scenario: of the model.
        question: the same as mathematics.
        factors: for each bound the factor that it must give way by, or None.
    """
    found = []
    if question.reducible is not None and question.target is not None:
        factor = factors["target"]
        after = None
        if factor is not None:
            after = question.surface.loss_of(question.reducible * factor)
        place = scenario.place("target")
        found.append(Relaxation("target", question.target, after, place))
    for limit in question.limits:
        factor = factors[limit.name]
        after = None if factor is None else limit.bound * factor
        place = scenario.place(limit.name)
        found.append(Relaxation(limit.name, limit.bound, after, place, limit.unit))
    for variable, value in question.fixed.items():
        name = FIELD[variable]
        up, down = factors[name], factors[name + LEAST]
        after = value * up if up is not None else None
        if after is None and down is not None:
            after = value / down
        unit = "parameters" if variable == "N" else "tokens"
        place = scenario.place(name)
        found.append(Relaxation(name, value, after, place, unit))
    return tuple(found)
