"""The records that travel between the question and the engines.

A program is data, a solution is data, and so is failure: a `Status` is a value
whose text says what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Array, Integers, Posynomial
from optimizer.errors import Defect
from optimizer.records import dataclass

Function = Posynomial | Composite


@dataclass(frozen=True, eq=False)
class Constraint:
    """`posynomial` ≤ 1.

    Attributes:
        name: the user's word for it, such as `limits.parameters`.
        posynomial: the left-hand side over its bound; a `Composite` where it
            saturates.
    """

    name: str
    posynomial: Function


@dataclass(frozen=True, eq=False)
class GeometricProgram:
    """Minimise a posynomial under posynomial constraints; convex in logarithms."""

    objective: Function
    constraints: tuple[Constraint, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, in the order of every exponent array."""
        return self.objective.variables

    @property
    def functions(self) -> list[Function]:
        """The objective, then the left-hand side of each constraint."""
        return [self.objective, *(c.posynomial for c in self.constraints)]

    @property
    def posynomials(self) -> list[Posynomial]:
        """The objective and the left-hand sides, of a program without composites.

        Raises:
            Defect: a function is a composite: enclose the program first.
        """
        functions = self.functions
        found = [f for f in functions if isinstance(f, Posynomial)]
        if len(found) < len(functions):
            raise Defect("a program with composites is no geometric program")
        return found

    def fixing(self, values: Mapping[str, float]) -> GeometricProgram:
        """Returns the program with some variables held at values above 0."""
        objective = self.objective
        constraints = self.constraints
        for name, value in values.items():
            objective = objective.fixing(name, value)
            constraints = tuple(
                Constraint(c.name, c.posynomial.fixing(name, value))
                for c in constraints
            )
        return GeometricProgram(objective, constraints)


def members(program: GeometricProgram, chosen: Integers | slice) -> GeometricProgram:
    """The program of some members of a batch."""
    walls = [(c, c.posynomial.members(chosen)) for c in program.constraints]
    return GeometricProgram(
        program.objective.members(chosen),
        tuple(c if p is c.posynomial else Constraint(c.name, p) for c, p in walls),
    )


class Engine(Enum):
    """Who found a point; the certificate does not depend on it."""

    ROOT = "root"
    INTERIOR = "interior"
    CVXPY = "cvxpy"

    @property
    def meaning(self) -> str:
        """What that is, in a few words."""
        return {
            Engine.ROOT: "a closed form, but for one root",
            Engine.INTERIOR: "overtrain's own interior-point method",
            Engine.CVXPY: "cvxpy with Clarabel, as a geometric program",
        }[self]


class Status(Enum):
    """How a program ended, and what that means for the one who asked."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"

    @property
    def advice(self) -> str:
        """What to do next, in a sentence."""
        return {
            Status.OPTIMAL: "A certified global optimum: use it.",
            Status.INFEASIBLE: (
                "No plan meets the target and the limits together: relax one of "
                "those named below."
            ),
        }[self]


@dataclass(frozen=True)
class Certificate:
    """The proof that a point is optimal, from the program and point alone.

    Attributes:
        stationarity: ‖∇ln f0 + Σ λ_i ∇ln g_i‖∞ [dimensionless].
        violation: max(0, ln g_i) over all constraints.
        gap: an upper bound of ln(cost / optimal cost) over all feasible points
            within a factor `box` of the point in every variable.
        box: the factor e^R of that statement.
    """

    stationarity: float
    violation: float
    gap: float
    box: float


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of a solve.

    Attributes:
        program: what was solved.
        status: how it ended.
        z: ln of the optimal variables, shape `(variables,)`; None if infeasible.
        multipliers: λ ≥ 0, shape `(constraints,)`: −d ln cost / d ln bound.
        certificate: None if infeasible.
        engine: who found it.
    """

    program: GeometricProgram
    status: Status
    z: Array | None = None
    multipliers: Array | None = None
    certificate: Certificate | None = None
    engine: Engine = Engine.INTERIOR

    @cached_property
    def point(self) -> Mapping[str, float]:
        """The optimal value of each variable by its name."""
        values = np.exp(self.optimum[0])
        return dict(zip(self.program.variables, values.tolist(), strict=True))

    @cached_property
    def value(self) -> float:
        """The objective at the optimal point."""
        return float(np.exp(self.program.objective.log_value(self.optimum[0][None])[0]))

    @property
    def optimum(self) -> tuple[Array, Array]:
        """`(z, multipliers)` of a solution that has them.

        Raises:
            Defect: the program was infeasible, so there is no point.
        """
        if self.z is None or self.multipliers is None:
            raise Defect("an infeasible program has no optimal point")
        return self.z, self.multipliers
