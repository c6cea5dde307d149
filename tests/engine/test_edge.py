"""The ends of a range alone: against a fine grid along the constraint."""

import numpy as np
import pytest

from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.engine.certify import GAP, VIOLATION, allowed, residuals
from optimizer.engine.edge import edge, ends
from optimizer.engine.root import plain, root
from tests.engine.test_root import COUNT, NAMES, walled


def ended(program, axis, power, within):
    """Minimise a power of x or y within some parts of the least cost."""
    z, _ = root(program, plain(program), COUNT)
    most = np.exp(program.objective.log_value(z)) * (1 + within)
    exponents = np.zeros((1, 1, 2))
    exponents[0, 0, axis] = power
    size = Posynomial(NAMES, np.ones((1, 1)), exponents, ("size",))
    cost = Constraint("cost", program.objective.scaled(1 / most[:, None]))
    return GeometricProgram(size, (*program.constraints, cost)), z


def farthest(program, member, axis, power):
    """The least of the grid's points along the first constraint, in logarithms."""
    target, cost = program.constraints[0].posynomial, program.constraints[-1].posynomial
    (A, B), powers = target.coefficients[member], target.exponents[member]
    share = 1 / (1 + np.exp(np.linspace(-30, 30, 200_001)))
    x = np.log((1 - share) / A) / powers[0, 0]
    y = np.log(share / B) / powers[1, 1]
    z = np.stack([x, y], axis=1)
    one = cost.members(np.array([member]))
    return (power * z[one.log_value(z) <= 0, axis]).min()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("power", [1.0, -1.0, -2.0])
def test_ends_are_the_farthest_sizes_within_a_cost(axis, power):
    within = 10 ** np.random.default_rng(axis).uniform(-3, 1, COUNT)
    program, start = ended(walled((), 7), axis, power, within)
    z, multipliers = ends(program, edge(program), start)
    assert allowed(*residuals(program, z, multipliers), GAP).all()
    for member in range(0, COUNT, 10):
        best = farthest(program, member, axis, power)
        assert power * z[member, axis] == pytest.approx(best, abs=2e-3)
        assert power * z[member, axis] <= best + 1e-9


def test_end_beyond_a_wall_is_not_certified():
    """The plan stands at the wall of its size: no larger one is within it."""
    program, start = ended(walled(("size",), 2), 0, -1.0, np.full(COUNT, 0.05))
    held = program.constraints[1].posynomial.log_value(start) > -1e-9
    z, multipliers = ends(program, edge(program), start)
    _, violation, _ = residuals(program, z, multipliers)
    assert held.sum() > 20
    assert (violation[held] > VIOLATION).all()


def test_other_programs_are_none_of_these():
    program, _ = ended(walled((), 8), 0, 1.0, np.full(COUNT, 0.05))
    bare = GeometricProgram(program.objective, program.constraints[:1])
    both = Posynomial(NAMES, np.ones((1, 1)), np.ones((1, 1, 2)), ("compute",))
    assert edge(bare) is None
    assert edge(GeometricProgram(both, program.constraints)) is None
    assert plain(program) is None
