"""One member in floats and many in arrays: the same formulas, the same answers."""

import numpy as np
import pytest

from optimizer.algebra import elementary
from optimizer.algebra.elementary import FEW, singly
from optimizer.algebra.program import members
from optimizer.algebra.saturating import saturation
from optimizer.engine.certify import GAP, allowed, residuals
from optimizer.engine.edge import edge, ends
from optimizer.engine.repeated import repeated, turned
from optimizer.engine.root import plain, root
from tests.engine import test_edge, test_repeated
from tests.engine.test_root import COUNT, WALLS, walled


def rooted(program, _):
    return root(program, plain(program), len(program.objective.coefficients))


def on_edge(program, start):
    return ends(program, edge(program), start)


def repeating(program, start):
    return turned(program, repeated(program), start)


def asked(name):
    walls = tuple(WALLS) if name.endswith("walls") else ()
    if name.startswith("root"):
        return rooted, walled(walls, 1), np.zeros((COUNT, 2))
    if name.startswith("edge"):
        within = np.full(COUNT, 0.05)
        return on_edge, *test_edge.ended(walled(walls, 7), 0, -1.0, within)
    program, start = test_repeated.planned(3, name == "fading")
    return repeating, program, start


@pytest.mark.parametrize(
    "name", ["root", "root in walls", "edge", "edge in walls", "fading", "lasting"]
)
def test_one_member_is_solved_and_judged_as_among_many(name):
    solve, program, start = asked(name)
    assert len(start) > FEW
    with np.errstate(all="ignore"):
        z, multipliers = solve(program, start)
        proof = np.stack(residuals(program, z, multipliers))
        proven = np.flatnonzero(allowed(*proof, GAP))
        assert len(proven) > COUNT / 10
        for row in proven[:20].tolist():
            one = members(program, np.array([row]))
            alone, prices = solve(one, start[row : row + 1])
            np.testing.assert_allclose(alone[0], z[row], rtol=1e-11)
            np.testing.assert_allclose(prices[0], multipliers[row], rtol=1e-8)
            its = np.stack(residuals(one, z[row : row + 1], multipliers[row, None]))
            np.testing.assert_allclose(its[:, 0], proof[:, row], rtol=1e-6, atol=1e-12)


def test_a_point_that_is_no_number_has_no_proof_alone_either():
    program = members(walled((), 1), np.array([0]))
    for z, price in ((np.nan, 1.0), (np.inf, 1.0), (20.0, -1.0)):
        proof = residuals(program, np.full((1, 2), z), np.full((1, 1), price))
        assert np.isinf(proof).all()


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "expm1", "sqrt", "softplus"])
def test_a_float_has_the_value_of_an_array(name):
    function = getattr(elementary, name)
    for x in (1e-12, 0.3, 1.0, 7.5, 300.0):
        assert function(x) == pytest.approx(function(np.array([x]))[0], rel=1e-14)


@pytest.mark.parametrize("x", [-3.0, 0.0, 1e-9, 0.4, 5.0, 400.0])
def test_what_saturates_does_so_in_floats(x):
    many = [part[0] for part in saturation(np.array([x]), np.array([5.3]))]
    assert saturation(x, 5.3) == pytest.approx(many, rel=1e-13, abs=1e-300)


def test_what_floats_refuse_is_left_to_arrays():
    assert singly(2, lambda place: [1.0 / place]) is None
    assert singly(2, lambda place: [elementary.log(float(place) - 1.0)]) is None
    assert singly(FEW + 1, lambda _: [1.0]) is None
