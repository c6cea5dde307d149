"""From curves that saturate to a geometric program around them, and closer.

A program with `Composite` functions is convex but no geometric program. Its tangents
give one that contains its feasible set: what is infeasible there is infeasible, and
its optimum is near enough for Newton on the true curves. Where it is not, tangents at
the point just found bring it closer.
"""

from __future__ import annotations

import numpy as np

from optimizer.composite import Composite, Concave
from optimizer.posynomial import Array, Posynomial
from optimizer.program import Constraint, GeometricProgram


def enclose(program: GeometricProgram) -> GeometricProgram:
    """Returns the geometric program around a program; itself where it is one.

    Its variables are the program's and then the concave quantities; its constraints
    the program's, in order, and then the tangents.
    """
    quantities = _quantities(program)
    if not quantities:
        return program
    variables = (*program.variables, *quantities)
    tangents = [
        Constraint(f"{name} tangent", bound.over(variables))
        for name, bound in _bounds(program).items()
    ]
    constraints = [
        Constraint(c.name, _inner(c.posynomial).over(variables))
        for c in program.constraints
    ]
    objective = _inner(program.objective).over(variables)
    return GeometricProgram(objective, (*constraints, *tangents))


def tighten(
    program: GeometricProgram, outer: GeometricProgram, z: Array
) -> GeometricProgram:
    """Adds the tangents at ln x = z to an enclosure of the program."""
    constraints = list(outer.constraints)
    for name, quantity in _quantities(program).items():
        places = [program.variables.index(v) for v in quantity.variables]
        value, slope, _ = quantity.evaluate(z[None, places])
        exponents = np.zeros((1, 1, len(outer.variables)))
        exponents[0, 0, outer.variables.index(name)] = 1.0
        exponents[0, 0, places] -= slope[0]
        # y ≤ e^φ(z)·Π (x/e^z)^slope
        coefficient = np.exp([[float(slope[0] @ z[places] - value[0])]])
        bound = Posynomial(outer.variables, coefficient, exponents, ("tangent",))
        constraints.append(Constraint(f"{name} tangent", bound))
    return GeometricProgram(outer.objective, tuple(constraints))


def extended(program: GeometricProgram, z: Array) -> Array:
    """A point of the program, ln x, as a point of its enclosure."""
    values = [z]
    for quantity in _quantities(program).values():
        places = [program.variables.index(v) for v in quantity.variables]
        values.append(quantity.evaluate(z[None, places])[0])
    return np.concatenate(values)


def _inner(function: Posynomial | Composite) -> Posynomial:
    return function.inner if isinstance(function, Composite) else function


def _composites(program: GeometricProgram) -> list[Composite]:
    functions = [program.objective, *(c.posynomial for c in program.constraints)]
    return [f for f in functions if isinstance(f, Composite)]


def _quantities(program: GeometricProgram) -> dict[str, Concave]:
    return {q.name: q for f in _composites(program) for q in f.quantities}


def _bounds(program: GeometricProgram) -> dict[str, Posynomial]:
    """Each quantity's tangents once, by a name of their own."""
    found: dict[str, Posynomial] = {}
    seen: set[str] = set()
    for function in _composites(program):
        names = {quantity.name for quantity in function.quantities}
        if names <= seen:
            continue
        for index, bound in enumerate(function.enclosure()[1]):
            found[f"{sorted(names - seen)} {index}"] = bound
        seen |= names
    return found
