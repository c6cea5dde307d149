"""From curves that saturate to a geometric program around them, and closer.

A program with `Composite` functions is convex but no geometric program. Its tangents
give one that contains its feasible set: what is infeasible there is infeasible, and
its optimum is near enough for Newton on the true curves. Where it is not, tangents at
the point just found bring it closer.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import mul

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.elementary import shares
from optimizer.algebra.posynomial import Array, Posynomial, Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.algebra.saturating import Powers, Saturating


def quantities(program: GeometricProgram) -> dict[str, Saturating]:
    """The saturating quantities of a program by their names, each once."""
    return {q.name: q for f in _composites(program) for q in f.quantities}


def opened(program: GeometricProgram) -> list[Posynomial]:
    """The objective and left-hand sides as posynomials in variables and quantities.

    Their variables are the program's and then its `quantities`.
    """
    variables = (*program.variables, *quantities(program))
    return [
        p if p.variables == variables else p.over(variables)
        for p in (f.inner if isinstance(f, Composite) else f for f in program.functions)
    ]


def enclose(program: GeometricProgram) -> GeometricProgram:
    """Returns the geometric program around a program; itself where it is one.

    Its variables are the program's and then the concave quantities; its constraints
    the program's, in order, and then the tangents.
    """
    curves = quantities(program)
    if not curves:
        return program
    objective, *sides = opened(program)
    constraints = [
        Constraint(c.name, side)
        for c, side in zip(program.constraints, sides, strict=True)
    ]
    tangents = [
        Constraint(f"{name} tangent {index}", _bound(objective.variables, name, powers))
        for name, quantity in curves.items()
        for index, powers in enumerate(quantity.tangents())
    ]
    return GeometricProgram(objective, (*constraints, *tangents))


def tighten(
    program: GeometricProgram, outer: GeometricProgram, z: Array
) -> GeometricProgram:
    """Adds the tangents at ln x = z to an enclosure of the program."""
    constraints = list(outer.constraints)
    for name, quantity in quantities(program).items():
        places = [program.variables.index(v) for v in quantity.variables]
        value, slope, _ = quantity.evaluate(z[None, places])
        # y ≤ e^φ(z)·Π (x/e^z)^slope
        factor = float(np.exp(value[0] - slope[0] @ z[places]))
        powers = dict(zip(quantity.variables, slope[0].tolist(), strict=True))
        bound = _bound(outer.variables, name, (factor, powers))
        constraints.append(Constraint(f"{name} tangent", bound))
    return GeometricProgram(outer.objective, tuple(constraints))


def extended(program: GeometricProgram, z: Array) -> Array:
    """A point of the program, ln x, as a point of its enclosure."""
    values = [z]
    for quantity in quantities(program).values():
        places = [program.variables.index(v) for v in quantity.variables]
        values.append(quantity.evaluate(z[None, places])[0])
    return np.concatenate(values)


def floats(
    program: GeometricProgram,
) -> Callable[[list[float], int], tuple[list[float], list[list[float]]]]:
    """A program in floats, which are quickest for few members.

    Returns:
        Gives ln of each function and its gradient, by ln x and the member's number.
    """
    names, curves = program.variables, quantities(program)
    parts = []
    for function in program.functions:
        bent = isinstance(function, Composite)
        p = function.inner if isinstance(function, Composite) else function
        used = list(p.variables[len(names) :]) if bent else []
        parts.append((p.logs.tolist(), p.exponents.tolist(), used))
    places = {k: [names.index(v) for v in q.variables] for k, q in curves.items()}

    def tangents(z: list[float], row: int) -> tuple[list[float], list[list[float]]]:
        levels = {
            name: curve.single([z[place] for place in places[name]], row)
            for name, curve in curves.items()
        }
        values, gradients = [], []
        for logs, exponents, used in parts:
            point = [*z, *(levels[name][0] for name in used)] if used else z
            starts = logs[row if len(logs) > 1 else 0]
            powers = exponents[row if len(exponents) > 1 else 0]
            terms = [
                start + sum(map(mul, each, point))
                for start, each in zip(starts, powers, strict=True)
            ]
            value, share = shares(terms)
            slope = [
                sum(map(mul, share, column)) for column in zip(*powers, strict=True)
            ]
            for name, pull in zip(used, slope[len(z) :], strict=True):
                for place, each in zip(places[name], levels[name][1], strict=True):
                    slope[place] += pull * each
            values.append(value)
            gradients.append(slope[: len(z)])
        return values, gradients

    return tangents


def _composites(program: GeometricProgram) -> list[Composite]:
    return [f for f in program.functions if isinstance(f, Composite)]


def _bound(variables: tuple[str, ...], name: str, powers: Powers) -> Posynomial:
    """y/(c·Π x^a) ≤ 1."""
    c, exponents = powers
    falling = {variable: -power for variable, power in exponents.items()}
    return build(variables, [Term("tangent", 1.0 / c, {name: 1.0, **falling})])
