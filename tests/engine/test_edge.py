"""The ends of a range alone: against a fine grid along the constraint."""

import numpy as np
import pytest

from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.engine.certify import GAP, allowed, residuals
from optimizer.engine.edge import edge, ends
from optimizer.engine.root import plain, root
from tests.engine.test_root import COUNT, NAMES, WALLS, walled


def ended(program, axis, power, within):
    """Minimise a power of x or y within some parts of the least cost."""
    with np.errstate(all="ignore"):
        z, _ = root(program, plain(program), COUNT)
    most = np.exp(program.objective.log_value(z)) * (1 + within)
    exponents = np.zeros((1, 1, 2))
    exponents[0, 0, axis] = power
    size = Posynomial(NAMES, np.ones((1, 1)), exponents, ("size",))
    cost = Constraint("cost", program.objective.scaled(1 / most[:, None]))
    return GeometricProgram(size, (*program.constraints, cost)), z


def farthest(program, member, axis, power):
    """The least of the grid's points along the first constraint, in logarithms."""
    target, *walls = (constraint.posynomial for constraint in program.constraints)
    (A, B), powers = target.coefficients[member], target.exponents[member]
    share = 1 / (1 + np.exp(np.linspace(-30, 30, 200_001)))
    x = np.log((1 - share) / A) / powers[0, 0]
    y = np.log(share / B) / powers[1, 1]
    z = np.stack([x, y], axis=1)
    row = np.array([member])
    within = [wall.members(row).log_value(z) <= 0 for wall in walls]
    return (power * z[np.logical_and.reduce(within), axis]).min(initial=np.inf)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("power", [1.0, -1.0, -2.0])
@pytest.mark.parametrize("words", [(), ("size",), ("data", "cost"), tuple(WALLS)])
def test_ends_are_the_farthest_sizes_within_a_cost_and_walls(words, axis, power):
    within = 10 ** np.random.default_rng(axis).uniform(-3, 1, COUNT)
    program, start = ended(walled(words, 7), axis, power, within)
    feasible = np.max(
        [c.posynomial.log_value(start) for c in program.constraints], axis=0
    )
    with np.errstate(all="ignore"):
        z, multipliers = ends(program, edge(program), start)
        proven = allowed(*residuals(program, z, multipliers), GAP)
    inside = feasible < 1e-10
    assert inside.sum() > COUNT / 10
    assert proven[inside].all()
    assert not proven[~inside].any()
    for member in np.flatnonzero(inside)[::10].tolist():
        best = farthest(program, member, axis, power)
        assert power * z[member, axis] <= best + 1e-9
        # Where a plan stands in a corner the grid may miss all there is.
        assert best == np.inf or best <= power * z[member, axis] + 0.01
    # Some ranges end at a wall, where one can end them, and some at their cost.
    ended_by = (multipliers[inside][:, 1:] > 1e-9).any(axis=0)
    assert ended_by[-1]
    grows = (axis == 0) == (power < 0)  # in x
    assert bool(np.any(ended_by[:-1])) == (len(words) > 1 or (grows and bool(words)))


def test_other_programs_are_none_of_these():
    program, _ = ended(walled((), 8), 0, 1.0, np.full(COUNT, 0.05))
    bare = GeometricProgram(program.objective, program.constraints[:1])
    both = Posynomial(NAMES, np.ones((1, 1)), np.ones((1, 1, 2)), ("compute",))
    assert edge(bare) is None
    assert edge(GeometricProgram(both, program.constraints)) is None
    assert plain(program) is None
