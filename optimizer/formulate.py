"""Scenario in, program out: the page that a mathematician reads.

    minimise    Σ_k c_k · N^a_k · D^b_k            lifetime cost
    subject to  (A·N^-α + B·D^-β) / s ≤ 1          the target, s = g(L) − E
                and every limit: Σ terms / bound ≤ 1.

With a budget the two change places: minimise A·N^-α + B·D^-β under cost ≤ budget.
With a size fixed already, that variable becomes a number. All coefficients and
exponents are analytic in the scenario's numbers; nothing here compares values, so
that a complex step through this file gives exact derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from optimizer.document import Steps, dotted
from optimizer.errors import InputError, Problem
from optimizer.posynomial import Array, Posynomial, Term, build, merge
from optimizer.program import Constraint, GeometricProgram
from optimizer.scenario import Scenario
from optimizer.world.costs import (
    UNITS,
    CostLine,
    other_lines,
    serving_line,
    training_line,
)
from optimizer.world.demand import served
from optimizer.world.limits import Limit, counted, memory_wall, wall
from optimizer.world.machines import Serving, machine
from optimizer.world.surface import Surface

VARIABLES = ("N", "D")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Question:
    """A scenario as mathematics.

    Attributes:
        surface: the loss surface.
        reducible: s of the target, or None under a budget.
        target: the target loss, or None under a budget.
        reference: N and D of the reference model, or None.
        bill: the lines of the lifetime cost, training first.
        unit: of the objective's cost.
        cost: the counted lifetime cost in that unit, as monomials.
        limits: the limits and the budget.
        fixed: values of variables that are decided, by name.
    """

    surface: Surface
    reducible: float | None
    target: float | None
    reference: tuple[float, float] | None
    bill: tuple[CostLine, ...]
    unit: str
    cost: tuple[Term, ...]
    limits: tuple[Limit, ...]
    fixed: Mapping[str, float]

    @property
    def loss(self) -> tuple[Term, ...]:
        """The reducible loss as monomials."""
        return (
            Term("parameters", self.surface.A, {"N": -self.surface.alpha}),
            Term("tokens", self.surface.B, {"D": -self.surface.beta}),
        )

    @cached_property
    def free(self) -> GeometricProgram:
        """The program with nothing fixed; the target's s must be above 0."""
        walls = tuple(
            Constraint(limit.name, under(limit.terms, limit.bound))
            for limit in self.limits
        )
        if self.reducible is None:
            return GeometricProgram(build(VARIABLES, self.loss), walls)
        target = Constraint("target", under(self.loss, self.reducible))
        return GeometricProgram(build(VARIABLES, merge(self.cost)), (target, *walls))

    def start(self, program: GeometricProgram) -> Array:
        """Returns ln of a point of reasonable size, to scale the solver's numbers."""
        point = {"N": 1e9, "D": 2e10}
        if self.reducible is not None:
            N, D = self.surface.training_optimal(self.reducible)
            point = {"N": N, "D": D}
        return np.log([point.get(name, 1.0) for name in program.variables])

    @cached_property
    def program(self) -> GeometricProgram:
        """What the engine solves, in the variables that are left to choose."""
        return self.free.fixing(self.fixed)


def under(terms: Sequence[Term], bound: float) -> Posynomial:
    """Σ terms / bound, the left-hand side of a constraint."""
    scaled = [Term(t.label, t.coefficient / bound, t.exponents) for t in terms]
    return build(VARIABLES, merge(scaled))


def formulate(scenario: Scenario) -> Question:
    """Turns a scenario into its geometric program.

    Raises:
        InputError: a figure that the objective or a limit needs is missing; all
            such problems at once.
    """
    spec = scenario.spec
    surface = scenario.law.surface(spec.experts)
    attempt = _Attempts(scenario)
    bill = _bill(scenario, attempt)
    limits = _limits(scenario, bill, attempt)
    unit = UNITS[spec.objective]
    cost = attempt(("objective",), partial(counted, bill, unit)) or ()
    attempt.finish()

    reference = target = reducible = None
    if spec.target is not None:
        reference = _reference(scenario, surface)
        if spec.target.loss is not None:
            target = spec.target.loss
            reducible = surface.reducible(target)
        elif reference is not None:
            # E cancels where a reference sets the quality: no rounding through L.
            N, D = reference
            reducible = surface.A * N**-surface.alpha + surface.B * D**-surface.beta
            target = surface.loss_of(reducible)
    return Question(
        surface=surface,
        reducible=reducible,
        target=target,
        reference=reference,
        bill=bill,
        unit=unit,
        cost=cost,
        limits=limits,
        fixed=_fixed(scenario),
    )


def _fixed(scenario: Scenario) -> dict[str, float]:
    fix = scenario.spec.fix
    if fix is None:
        return {}
    pairs = {"N": fix.parameters, "D": fix.tokens}
    return {name: value for name, value in pairs.items() if value is not None}


def _reference(scenario: Scenario, surface: Surface) -> tuple[float, float] | None:
    """N and D of the model whose loss is the target, or None."""
    target = scenario.spec.target
    if target is None or target.match is None:
        return None
    if scenario.reference is not None:
        return scenario.reference
    match = target.match
    if match.parameters is None:
        return None
    if match.tokens is not None:
        return match.parameters, match.tokens
    return match.parameters, surface.optimal_tokens(match.parameters)


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
            raise InputError(self.problems)


def _bill(scenario: Scenario, attempt: _Attempts) -> tuple[CostLine, ...]:
    spec = scenario.spec

    def training() -> CostLine:
        chip = scenario.hardware.get(("training",))
        t = spec.training
        rates = machine(chip, t.precision, scenario.price(t.price, chip), spec.energy)
        return training_line(t, rates, spec.costs.restart, spec.architecture)

    def stream(index: int) -> CostLine:
        serving, chip = scenario.serving_of(index)
        price = scenario.price(serving.price, chip)
        rates = machine(chip, serving.arithmetic, price, spec.energy)
        demand = served(scenario.streams[index])
        return serving_line(demand, serving, rates, spec.money, spec.architecture)

    lines = [attempt(("training",), training)]
    for index in range(len(scenario.streams)):
        lines.append(attempt(scenario.stream_path(index), partial(stream, index)))
    found = tuple(line for line in lines if line is not None)
    if len(found) < len(lines):
        attempt.finish()
    return (*found, *other_lines(spec.costs, spec.data))


def _limits(
    scenario: Scenario, bill: Sequence[CostLine], attempt: _Attempts
) -> tuple[Limit, ...]:
    spec = scenario.spec
    found: list[Limit | None] = []
    for prefix, bounds in (("limits", spec.limits), ("budget", spec.budget)):
        for word, bound in () if bounds is None else bounds:
            if bound is None:
                continue
            path, name = (prefix, word), f"{prefix}.{word}"
            if word == "memory":
                for suffix, serving in _stores(scenario).items():
                    named = name + suffix
                    make = partial(
                        memory_wall, named, bound, serving, spec.architecture
                    )
                    found.append(attempt(path, make))
            else:
                make = partial(wall, name, bound, bill, spec.training.accelerators)
                found.append(attempt(path, make))
    return tuple(limit for limit in found if limit is not None)


def _stores(scenario: Scenario) -> dict[str, Serving]:
    """Each serving machine that must hold the model, by a suffix for its limit."""
    stores = {}
    for index, stream in enumerate(scenario.streams):
        suffix = "" if stream.serving is None else f" ({stream.name or index + 1})"
        stores[suffix] = scenario.serving_of(index)[0]
    return stores or {"": scenario.spec.serving}
