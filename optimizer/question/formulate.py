"""Scenario in, program out: the page that a mathematician reads.

    minimise    Σ_k c_k · N^a_k · D^b_k            lifetime cost
    subject to  (A·N^-α + B·D^-β) / s ≤ 1          the target, s = g(L) − E
                and every limit: Σ terms / bound ≤ 1.

Where a coupled law meets a penalty outside its power, u^k + δ ≤ s^k and A·N^-α + B·D^-β
≤ u take the place of the target, in the variables u and s too (`Question.nested`).

With a budget the two change places: minimise A·N^-α + B·D^-β under cost ≤ budget.
With a size fixed already, that variable becomes a number. All coefficients and
exponents are analytic in the scenario's numbers; nothing here compares values, so
that a complex step through this file gives exact derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from optimizer.errors import InputError, Problem
from optimizer.question import sampling
from optimizer.question.aim import aimed, surfaces
from optimizer.question.asked import Question
from optimizer.question.experts import experts_of, guess, stored_share
from optimizer.question.losses import loss_of, penalties_of, repetition_of
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario, Whole
from optimizer.question.sparse import fitted
from optimizer.question.standing import paid_standing, replicas_kept
from optimizer.reading.document import Steps, dotted
from optimizer.reading.spread import expected
from optimizer.records import replace
from optimizer.world.costs import (
    UNITS,
    CostLine,
    other_lines,
    serving_line,
)
from optimizer.world.demand import served
from optimizer.world.law import POWERS
from optimizer.world.limits import (
    BEST_FOR,
    Limit,
    counted,
    memory_wall,
    wall,
)
from optimizer.world.machines import Serving, machine
from optimizer.world.post_training import rollout_line, trained_line
from optimizer.world.roofline import Replica, replica
from optimizer.world.serving.replica import measured
from optimizer.world.training import PASSES, training_line

T = TypeVar("T")


# Whoever checks a scenario formulates it, and so does whoever solves it.
_KNOWN: WeakKeyDictionary[Scenario, Question] = WeakKeyDictionary()


def formulate(scenario: Scenario) -> Question:
    """Turns a scenario into its geometric program, once.

    Raises:
        InputError: a figure that the objective or a limit needs is missing; all
            such problems at once.
    """
    question = _KNOWN.get(scenario)
    if question is None:
        question = _KNOWN[scenario] = _formulated(scenario)
    return question


def _formulated(scenario: Scenario) -> Question:
    spec = scenario.spec
    published, surface = surfaces(scenario)
    between = left_open(scenario) if scenario.samples is None else None
    attempt = _Attempts(scenario)
    replicas = _replicas(scenario, attempt)
    bill = _bill(scenario, replicas, attempt)
    limits = _limits(scenario, bill, replicas.values(), attempt)
    unit = UNITS[spec.objective]
    cost = attempt(("objective",), partial(counted, bill, unit)) or ()
    repetition = repetition_of(scenario)
    read_again = partial(loss_of, surface, repetition)
    loss, quantities = attempt(("data", "unique_tokens"), read_again) or ((), ())
    attempt.finish()

    penalties = penalties_of(scenario)
    outside = scenario.law.form in POWERS
    aim = aimed(scenario, published, surface, lambda: bill[0])
    machines = tuple({r.suffix: r for r in replicas.values()}.values())
    repeated = () if repetition is None else (repetition.limit(),)
    read = () if repetition is None else repetition.physics()
    return Question(
        surface=surface,
        published=published,
        loss=loss if outside else (*loss, *penalties, *sampling.terms(scenario)),
        quantities=quantities,
        outside=penalties if outside else (),
        unique=None if repetition is None else repetition.unique,
        reducible=aim.reducible,
        target=aim.target,
        reference=aim.reference,
        bill=bill,
        unit=unit,
        cost=cost,
        limits=(
            *limits,
            *(() if between is None else (sampling.most(between),)),
            *repeated,
            *(wall for r in machines for wall in r.limits()),
        ),
        physics=(
            *(() if between is None else (sampling.fewest(between),)),
            *read,
            *(wall for r in machines for wall in r.physics()),
            *replicas_kept(scenario, bill),
        ),
        replicas=machines,
        fixed=_fixed(scenario),
        between=None if between is None else (between.at_least, between.at_most),
        samples=sampling.drawn(scenario) if sampling.knows(scenario) else None,
        fitted=fitted(scenario),
    )


def _replicas(scenario: Scenario, attempt: _Attempts) -> dict[int, Replica]:
    """The roofline machine of each stream that has one, by the stream's index."""
    groups: dict[str, list[int]] = {}
    for index in range(len(scenario.uses)):
        if scenario.serving_of(index)[0].batched:
            groups.setdefault(scenario.suffix(index), []).append(index)
    found: dict[int, Replica] = {}
    shape = scenario.spec.architecture
    if groups and shape is not None:
        attempt(("architecture",), partial(shape.kept, 1.0, 1.0))
        if attempt.problems:
            return {}
    for suffix, members in groups.items():
        # The one that finds the fewest of its prompts in the cache decides.
        first = max(members, key=lambda i: scenario.serving_of(i)[0].unread.real)
        serving, _ = scenario.serving_of(first)
        lengths = _lengths(scenario, members)
        path = ("serving",) if not suffix else scenario.stream_path(members[0])
        stored = attempt(path, partial(stored_share, scenario, serving))
        if stored is None:
            continue
        make = partial(_replica, scenario, suffix, first, lengths, stored)
        if (built := attempt(path, make)) is not None:
            found.update(dict.fromkeys(members, built))
    return found


def _replica(
    scenario: Scenario,
    suffix: str,
    member: int,
    lengths: tuple[float, float] | None,
    stored: float,
) -> Replica:
    """The machine of a stream, by the model of serving that it asks for."""
    serving, chip = scenario.serving_of(member)
    shape, bound = scenario.spec.architecture, scenario.spec.limits.memory
    if member == len(scenario.streams):
        bound = None  # of what serves the demand, not of rollouts
    whole = scenario.whole.get(suffix, Whole())
    built = replica(suffix, serving, chip, shape, lengths, stored, bound)
    if serving.model == "measured":
        own = scenario.constants_of(serving)
        experts = experts_of(scenario, stored)
        built = measured(built, serving, chip, shape, lengths, stored, own, experts)
        if experts is not None and built.batch is None and whole.batch is None:
            at = whole.touched
            built = built.touching(built.best(guess(scenario))[0] if at is None else at)
    return built if whole.batch is None else replace(built, batch=whole.batch)


def _lengths(scenario: Scenario, members: Sequence[int]) -> tuple[float, float] | None:
    """The longest prompt and sequence of some streams, where all give lengths."""
    pairs = []
    for index in members:
        stream = scenario.uses[index]
        if stream.input_tokens is None or stream.output_tokens is None:
            return None
        prompt = expected(stream.input_tokens)
        pairs.append((prompt, prompt + expected(stream.output_tokens)))
    prompts, sequences = zip(*pairs, strict=True)
    return _longest(prompts), _longest(sequences)


def _longest(lengths: Sequence[float]) -> float:
    """The greatest; of equal ones that which a complex step moves up."""
    most = max(lengths, key=lambda x: x.real)
    equal = [x for x in lengths if x.real == most.real]
    return most if len(equal) == 1 else max(equal, key=lambda x: x.imag)


def _fixed(scenario: Scenario) -> dict[str, float]:
    fix = scenario.spec.fix
    if fix is None:
        return {}
    pairs = {"N": fix.parameters, "D": fix.tokens}
    return {name: value for name, value in pairs.items() if value is not None}


class _Attempts:
    """Collects what is missing, so that all of it is reported at once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.problems: list[Problem] = []

    def __call__(self, path: Steps, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except ValueError as error:
            mark = self.scenario.document.mark(path)
            self.problems.append(Problem(mark, dotted(path), str(error)))
            return None

    def finish(self) -> None:
        if self.problems:
            raise InputError(dict.fromkeys(self.problems))


def trained_by(scenario: Scenario) -> CostLine:
    """What training costs, restarts and attention as the scenario has them.

    Raises:
        ValueError: a figure that it needs is missing.
    """
    spec = scenario.spec
    chip = scenario.hardware.get(("training",))
    t = spec.training
    price = scenario.price(t.price, chip)
    faster = 1.0 if t.sparsity is None else t.sparsity.speedup
    ahead, back = (
        machine(chip, t.arithmetic_of(word), price, spec.energy, faster)
        for word in PASSES
    )
    other = None if back == ahead else back
    return training_line(t, ahead, spec.costs.restart, spec.architecture, other)


def _bill(
    scenario: Scenario, replicas: Mapping[int, Replica], attempt: _Attempts
) -> tuple[CostLine, ...]:
    spec = scenario.spec
    between = left_open(scenario) if scenario.samples is None else None

    def learning() -> CostLine:
        return trained_line(trained_by(scenario), spec.post_training)

    def stream(index: int) -> CostLine:
        serving, chip = scenario.serving_of(index)
        price = scenario.price(serving.price, chip)
        rates = machine(chip, serving.arithmetic, price, spec.energy)
        demand = served(scenario.uses[index], scenario.samples)
        built = replicas.get(index)
        decoding = None if built is None else built.decoding
        reading = None if built is None or built.sum is None else built.reading
        line = serving_line(
            demand,
            serving,
            rates,
            spec.money,
            spec.architecture,
            decoding,
            reading,
            paid_standing(scenario, index, demand.name),
        )
        if index >= len(scenario.streams):
            return rollout_line(line)
        return line if between is None else sampling.paid(line)

    lines = [attempt(("training",), partial(trained_by, scenario))]
    for index in range(len(scenario.uses)):
        if scenario.serving_of(index)[0].batched and index not in replicas:
            continue  # told already
        lines.append(attempt(scenario.stream_path(index), partial(stream, index)))
    if spec.post_training is not None:
        lines.append(attempt(("training",), learning))
    found = tuple(line for line in lines if line is not None)
    if len(found) < len(lines):
        attempt.finish()
    return (*found, *other_lines(spec.costs, spec.data))


def _limits(
    scenario: Scenario,
    bill: Sequence[CostLine],
    replicas: Iterable[Replica],
    attempt: _Attempts,
) -> tuple[Limit, ...]:
    spec = scenario.spec
    machines = {replica.suffix: replica for replica in replicas}
    found: list[Limit | None] = []
    for prefix, bounds in (("limits", spec.limits), ("budget", spec.budget)):
        for word, bound in () if bounds is None else bounds:
            if bound is None or word == BEST_FOR:
                continue
            path, name = (prefix, word), f"{prefix}.{word}"
            if word == "memory":
                for suffix, serving in _stores(scenario).items():
                    if suffix in machines:
                        held = machines[suffix].stored()
                        found.append(Limit(name + suffix, bound, "bytes", held))
                        continue
                    stored = attempt(path, partial(stored_share, scenario, serving))
                    if stored is None:
                        continue
                    make = partial(
                        memory_wall,
                        name + suffix,
                        bound,
                        serving,
                        spec.architecture,
                        stored,
                    )
                    found.append(attempt(path, make))
            else:
                make = partial(wall, name, bound, bill, spec.training.accelerators)
                found.append(attempt(path, make))
    return tuple(limit for limit in found if limit is not None)


def _stores(scenario: Scenario) -> dict[str, Serving]:
    """Each serving machine that must hold the model, by a suffix for its limit."""
    stores = {}
    for index in range(len(scenario.streams)):
        stores[scenario.suffix(index)] = scenario.serving_of(index)[0]
    return stores or {"": scenario.spec.serving}
