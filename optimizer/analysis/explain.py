"""An infeasible scenario in the user's own numbers, with its proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from optimizer.analysis.answer import Infeasibility, Relaxation
from optimizer.analysis.reach import called, cure, lowest
from optimizer.analysis.wording import amount, either, nats
from optimizer.engine.diagnose import LEAST, ROOM, diagnose
from optimizer.posynomial import Term, build
from optimizer.program import Constraint, GeometricProgram
from optimizer.question import Question
from optimizer.scenario import Scenario
from optimizer.world.repetition import COVERED

FIELD = {"N": "fix.parameters", "D": "fix.tokens"}


def explain(scenario: Scenario, question: Question) -> Infeasibility:
    """Explains why the solver found no plan, with relaxation programs.

    Raises:
        Defect: the relaxation programs find that there is a plan.
    """
    program = _with_fixed(question)
    decided = [FIELD[name] for name in question.fixed]
    conflict = diagnose(program, decided, [wall.name for wall in question.physics])
    names = conflict.names
    relaxations = _relaxations(scenario, question, conflict.factors)
    nearest = None
    if "target" in names:
        nearest = question.surface.loss_of(lowest(question).value)
    whole = either([_bound(question, name) for name in names], "and")
    reason = f"no model meets {whole}{' together' if len(names) > 1 else ''}"
    if conflict.uniform < 1 + ROOM:
        reason = f"{whole} leave a single point, too little room to certify a plan"
    elif nearest is not None:
        reason += f"; within the limits the lowest loss is {nats(nearest)}"
    shown = sorted(relaxations, key=lambda r: _change(r, conflict.factors))
    notes = "".join(f". {note}" for note in _notes(question, relaxations, names))
    return Infeasibility(
        reason=f"{reason}{notes}. {cure(shown)}",
        conflict=names,
        relaxations=relaxations,
        nearest_loss=nearest,
        uniform=conflict.uniform,
        certificate=conflict.certificate,
    )


def _notes(
    question: Question, relaxations: Sequence[Relaxation], names: Sequence[str]
) -> Iterator[str]:
    """What is behind a conflict with serving hardware or with repeated data."""
    after = {way.name: way.after for way in relaxations}
    for replica in question.replicas:
        memory = f"serving.memory{replica.suffix}"
        if names == (memory,):
            cache = "sequence" if replica.batch is None else "batch"
            yield (
                f"The KV cache of one {cache} alone takes more: shorten the context, "
                "or give a replica more accelerators"
            )
        elif memory in names:
            yield (
                "A replica holds the weights and the KV cache of what it decodes "
                "together: more accelerators, a larger chip, fewer bits or a shorter "
                "context make room"
            )
        step = f"serving.max_time_per_output_token{replica.suffix}"
        if step in names and (least := after[step]) is not None:
            yield (
                "Every token reads all the weights once, which at the smallest size "
                f"that would do takes {amount(least, 's')}"
            )
    if question.unique is not None and "data.unique_tokens" in names:
        yield f"The law covers at most {COVERED:.0f} epochs of the unique tokens"


def _change(way: Relaxation, factors: Mapping[str, float | None]) -> float:
    """How far a bound must move, in logarithms; the target's is its reducible loss."""
    sides = (factors.get(way.name), factors.get(way.name + LEAST))
    return min((math.log(side) for side in sides if side is not None), default=0.0)


def _with_fixed(question: Question) -> GeometricProgram:
    """The free program, with each fixed value as a bound from both sides."""
    constraints = list(question.free.constraints)
    for name, value in question.fixed.items():
        for suffix, power in (("", 1.0), (LEAST, -1.0)):
            term = Term("fixed", value**-power, {name: power})
            posynomial = build(question.variables, [term])
            constraints.append(Constraint(FIELD[name] + suffix, posynomial))
    return GeometricProgram(question.free.objective, tuple(constraints))


def _bound(question: Question, name: str) -> str:
    for limit in question.limits:
        if limit.name == name:
            return f"{called(name)} of {amount(limit.bound, limit.unit)}"
    for variable, value in question.fixed.items():
        if FIELD[variable] == name:
            unit = "parameters" if variable == "N" else "tokens"
            return f"{name} of {amount(value, unit)}"
    return f"the target of {nats(question.target or 0.0)}"


def _relaxations(
    scenario: Scenario, question: Question, factors: dict[str, float | None]
) -> tuple[Relaxation, ...]:
    found = []
    if question.reducible is not None and question.target is not None:
        factor = factors["target"]
        after = None
        if factor is not None:
            after = question.surface.loss_of(question.reducible * factor)
        line = scenario.place("target").line or None
        found.append(Relaxation("target", question.target, after, line))
    for limit in question.limits:
        factor = factors[limit.name]
        after = None if factor is None else limit.bound * factor
        line = scenario.place(limit.name).line or None
        found.append(Relaxation(limit.name, limit.bound, after, line, limit.unit))
    for variable, value in question.fixed.items():
        name = FIELD[variable]
        up, down = factors[name], factors[name + LEAST]
        after = value * up if up is not None else None
        if after is None and down is not None:
            after = value / down
        unit = "parameters" if variable == "N" else "tokens"
        line = scenario.place(name).line or None
        found.append(Relaxation(name, value, after, line, unit))
    return tuple(found)
