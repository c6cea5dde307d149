"""The roots of programs on repeated data: against a grid and the general method."""

import numpy as np
import pytest

from optimizer.algebra.batch_value import Many
from optimizer.algebra.composite import compose
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.engine import own
from optimizer.engine.certify import GAP, allowed, residuals
from optimizer.engine.repeated import repeated, turned
from optimizer.world.repetition import Repetition
from optimizer.world.surface import Surface

COUNT = 60
NAMES = ("N", "D", "U")


def walls(seed, fading):
    """A target whose plan reads its unique tokens about once to thirty times."""
    random = np.random.default_rng(seed)

    def wide(low, high):
        return Many(random.uniform(low, high, COUNT))

    alpha, beta, s = wide(0.25, 0.45), wide(0.25, 0.45), wide(0.1, 0.4)
    surface = Surface(1.7, wide(300, 600), wide(400, 2000), alpha, beta)
    N, D = surface.training_optimal(s)
    data = Repetition(D * wide(0.1, 1.0), 15.4, 5.3 if fading else None)
    size = data.parameters(surface)
    terms = [
        Term("parameters", surface.A / s, {"N'" if fading else "N": -alpha}),
        Term("tokens", surface.B / s, {"D'": -beta}),
    ]
    curves = [data.tokens(), *([] if size is None else [size])]
    inner = build((*NAMES, *(q.name for q in curves)), terms)
    limits = (data.limit(), *data.physics())
    return (
        N,
        D,
        (
            Constraint("target", compose(inner, curves)),
            *(
                Constraint(
                    w.name,
                    build(
                        NAMES,
                        [
                            Term("", t.coefficient / w.bound, t.exponents)
                            for t in w.terms
                        ],
                    ),
                )
                for w in limits
            ),
        ),
    )


def planned(seed, fading):
    """Least 6·N·D and a demand."""
    N, D, sides = walls(seed, fading)
    demand = Many(10 ** np.random.default_rng(seed).uniform(-2, 1, COUNT)) * D
    cost = [
        Term("training", 6.0, {"N": 1.0, "D": 1.0}),
        Term("served", 2 * demand, {"N": 1.0}),
    ]
    start = np.log(np.stack([N.values, D.values, D.values], axis=1))
    return GeometricProgram(build(NAMES, cost), sides), start


def ended(program, start, axis, power):
    """The same, with a power of N or D to be least within 3 % of the least cost."""
    best = own.find(program, start)
    most = np.exp(program.objective.log_value(best.z)) * 1.03
    exponents = np.zeros((1, 1, 3))
    exponents[0, 0, axis] = power
    size = Posynomial(NAMES, np.ones((1, 1)), exponents, ("size",))
    slack = Constraint("cost", program.objective.scaled(1 / most[:, None]))
    return GeometricProgram(size, (*program.constraints, slack)), best.z


@pytest.mark.parametrize("fading", [True, False])
@pytest.mark.parametrize("asked", [None, (0, 1.0), (0, -1.0), (1, 1.0), (1, -2.0)])
def test_roots_are_what_the_general_method_finds(fading, asked):
    """The root wherever all unique tokens are read, and no proof elsewhere."""
    program, start = planned(3, fading)
    if asked is not None:
        program, start = ended(program, start, *asked)
    with np.errstate(all="ignore"):
        z, multipliers = turned(program, repeated(program), start)
        proven = allowed(*residuals(program, z, multipliers), GAP)
    found = own.find(program, start)
    planned_ones = found.ended == own.OPTIMAL
    assert (planned_ones | (found.ended == own.INFEASIBLE)).all()
    assert not proven[~planned_ones].any()
    again = planned_ones & (
        found.z[:, 1] > found.z[:, 2] + 1e-6
    )  # more tokens than unique
    assert again.sum() > COUNT // 3
    assert proven[again].all()
    np.testing.assert_allclose(z[proven], found.z[proven], rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        multipliers[proven], found.multipliers[proven], rtol=1e-6, atol=1e-6
    )


def test_least_cost_is_that_of_a_grid():
    program, start = planned(5, True)
    with np.errstate(all="ignore"):
        z, multipliers = turned(program, repeated(program), start)
        proven = allowed(*residuals(program, z, multipliers), GAP)
    assert proven.sum() > COUNT // 3
    for member in np.flatnonzero(proven)[:10]:
        one = members(program, np.array([member]))
        sizes = np.linspace(-0.3, 0.3, 301)
        steps = np.array([(x, y, 0.0) for x in sizes for y in sizes])
        near = z[member] + steps
        inside = one.constraints[0].posynomial.log_value(near) <= 0
        best = one.objective.log_value(near[inside]).min()
        assert best >= one.objective.log_value(z[[member]])[0] - 1e-9
        assert best <= one.objective.log_value(z[[member]])[0] + 5e-3


def test_other_programs_are_none_of_these():
    program, _ = planned(7, True)
    target, unique, *rest = program.constraints
    assert repeated(GeometricProgram(program.objective, (target, *rest))) is None
    assert repeated(GeometricProgram(program.objective, (unique, *rest))) is None
    held = build(NAMES, [Term("", 1.0, {"U": 1.0, "N": 1.0})])
    assert repeated(GeometricProgram(held, program.constraints)) is None
