"""The least sum that a cost buys: the least cost of that sum, turned round."""

import numpy as np
import pytest

from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.engine import own
from optimizer.engine.certify import GAP, allowed, residuals
from optimizer.engine.root import plain, root
from optimizer.engine.solve import solve
from optimizer.engine.spent import bought, spent
from tests.engine.test_root import COUNT, NAMES, WALLS, walled


def turned(words, seed, fixed=0.0):
    """Least sums at what the least sum of 1 costs, and where that is."""
    program = walled(words, seed)
    with np.errstate(all="ignore"):
        z, prices = root(program, plain(program), COUNT)
        proven = allowed(*residuals(program, z, prices), GAP)
        cost = np.exp(program.objective.log_value(z))[:, None]
    target, *walls = program.constraints
    spends = program.objective
    if fixed:  # a part of the budget that buys nothing
        cost = cost / (1 - fixed)
        spends = Posynomial(
            NAMES,
            np.concatenate([spends.coefficients, fixed * cost], axis=1),
            np.concatenate([spends.exponents, np.zeros((1, 1, 2))], axis=1),
            (*spends.labels, "fixed"),
        )
    budget = Constraint("budget", spends.scaled(1 / cost))
    return GeometricProgram(target.posynomial, (budget, *walls)), z, prices, proven


@pytest.mark.parametrize("fixed", [0.0, 0.7])
@pytest.mark.parametrize("words", [(), ("size",), ("data", "cost"), tuple(WALLS)])
@pytest.mark.parametrize("away", [-3.0, 0.0, 4.0])
def test_what_a_cost_buys_is_what_costs_that(words, fixed, away):
    program, z, prices, proven = turned(words, 5, fixed)
    with np.errstate(all="ignore"):
        found, multipliers = bought(program, spent(program), z + away)
        good = allowed(*residuals(program, found, multipliers), GAP)
    # A wall that holds both: what is left is a corner, which is no root of this kind.
    one = proven & (prices[:, 0] > 1e-6)
    assert one.sum() > COUNT / 10
    assert good[one].mean() > (0.6 if words else 0.999)
    both = one & good
    np.testing.assert_allclose(found[both], z[both], atol=1e-7)
    np.testing.assert_allclose(
        multipliers[both, 0] * prices[both, 0] * (1 - fixed), 1.0, rtol=1e-6
    )


@pytest.mark.parametrize("words", [(), ("size",), tuple(WALLS)])
def test_it_is_what_our_own_method_finds(words):
    program, z, _, _ = turned(words, 9)
    told = 0
    for row in range(0, COUNT, 12):
        one = members(program, np.array([row]))
        alone = solve(one, z[row] + 1.0)
        found = own.find(one, z[row : row + 1])
        assert (found.ended[0] == own.INFEASIBLE) == (alone.z is None)
        if alone.z is not None:
            told += alone.engine.value == "root"
            other = one.objective.log_value(found.z)[0]
            assert np.log(alone.value) == pytest.approx(other, abs=1e-8)
    assert told > (5 if words else 24)


def test_other_programs_are_none_of_these():
    program, *_ = turned((), 1)
    assert spent(GeometricProgram(program.objective, ())) is None
    assert spent(GeometricProgram(program.constraints[0].posynomial, ())) is None
    assert plain(program) is None
