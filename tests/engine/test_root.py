"""The closed root alone, with walls: against a fine grid along the constraint."""

import numpy as np
import pytest

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.engine.certify import GAP, STATIONARITY, VIOLATION, residuals
from optimizer.engine.root import plain, root
from optimizer.engine.stacking import stacked

COUNT = 300
NAMES = ("x", "y")
WALLS = {
    "size": [(1.0, 0.0)],
    "data": [(0.0, 1.0)],
    "compute": [(1.0, 1.0)],
    "cost": [(1.0, 1.0), (1.0, 0.0)],
}


def posynomial(*terms):
    return build(
        NAMES, [Term("", c, dict(zip(NAMES, a, strict=True))) for c, a in terms]
    )


def walled(words, seed):
    """Random plain programs under walls near their training optimum."""
    random = np.random.default_rng(seed)

    def wide(low, high):
        return Many(10 ** random.uniform(low, high, COUNT))

    alpha, beta = (Many(random.uniform(0.15, 0.6, COUNT)) for _ in range(2))
    A, B = wide(0.5, 3), wide(0.5, 4)
    x = (A * (alpha / beta + 1)) ** (1 / alpha)
    y = (B * (beta / alpha + 1)) ** (1 / beta)
    served, price = y * wide(-2, 2), x * wide(-3, 1)
    here = {(1.0, 0.0): x, (0.0, 1.0): y, (1.0, 1.0): x * y}
    cost = posynomial((6.0, (1, 1)), (2 * served, (1, 0)), (price, (0, 1)))
    target = posynomial((A, (-alpha, 0)), (B, (0, -beta)))
    walls = []
    for word in words:
        room = wide(-0.3, 0.7) * len(WALLS[word])
        terms = [(1 / (room * here[powers]), powers) for powers in WALLS[word]]
        walls.append(Constraint(word, posynomial(*terms)))
    return GeometricProgram(cost, (Constraint("target", target), *walls))


def least(program, member):
    """The least cost along the constraint within the walls, in logarithms."""
    one = members(program, np.array([member]))
    (A, B), powers = one.posynomials[1].coefficients[0], one.posynomials[1].exponents[0]
    share = 1 / (1 + np.exp(np.linspace(-14, 14, 20001)))
    z = np.stack(
        [np.log((1 - share) / A) / powers[0, 0], np.log(share / B) / powers[1, 1]],
        axis=1,
    )
    inside = np.ones(len(z), dtype=bool)
    for wall in one.posynomials[2:]:
        inside &= wall.log_value(z) <= 0
    costs = one.objective.log_value(z)[inside]
    return costs.min() if costs.size else None


@pytest.mark.parametrize(
    "words",
    [(), *((word,) for word in WALLS), ("size", "data"), tuple(WALLS)],
    ids="+".join,
)
def test_root_is_the_optimum_within_the_walls(words):
    program = walled(words, len(words))
    z, multipliers = root(program, plain(program), COUNT)
    stationarity, violation, gap = residuals(program, z, multipliers)
    passed = (stationarity <= STATIONARITY) & (violation <= VIOLATION) & (gap <= GAP)
    found = program.objective.log_value(z)
    met = 0
    for member in range(0, COUNT, 3):
        best = least(program, member)
        # The grid is coarse: next to no room shows as none.
        assert best is None or passed[member]
        if best is not None:
            met += 1
            assert found[member] <= best + 1e-9
            assert best <= found[member] + 0.05
    assert met > 20
    assert (multipliers > 0).any(axis=0).all()  # each wall holds some of them


def test_wall_that_leaves_no_room_is_not_certified():
    program = walled(("size", "data"), 3)
    tight = tuple(
        Constraint(c.name, c.posynomial.scaled(100.0)) for c in program.constraints[1:]
    )
    program = GeometricProgram(program.objective, (program.constraints[0], *tight))
    with np.errstate(all="ignore"):
        z, multipliers = root(program, plain(program), COUNT)
    assert (residuals(program, z, multipliers)[1] > VIOLATION).all()


def test_stacked_programs_stay_plain():
    parts = [walled(("size",), seed) for seed in (4, 5)]
    both = stacked(parts, [COUNT, COUNT])
    assert len(both.objective.exponents) > 1
    joint, _ = root(both, plain(both), 2 * COUNT)
    alone = [root(part, plain(part), COUNT)[0] for part in parts]
    np.testing.assert_allclose(joint, np.concatenate(alone), rtol=1e-12)


def test_program_with_other_powers_is_not_plain():
    program = walled((), 6)
    bent = posynomial((6.0, (1, 1)), (1.0, (2, 0)))
    assert plain(GeometricProgram(bent, program.constraints)) is None
