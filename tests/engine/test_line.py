"""Programs of one variable: against bisection on what is allowed."""

import numpy as np
import pytest

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.engine.batch import solve_batch
from optimizer.engine.certify import GAP, allowed, residuals
from optimizer.engine.line import last, line
from optimizer.engine.solve import solve

COUNT = 200
NAMES = ("D",)


def sum_of(*terms):
    return build(NAMES, [Term("", c, {"D": p}) for c, p in terms])


def decided(seed, falls):
    """Costs that rise, or fall; a target with a part that is given; and two caps."""
    random = np.random.default_rng(seed)

    def some(low, high):
        return Many(random.uniform(low, high, COUNT))

    sign = -1.0 if falls else 1.0
    cost = sum_of((6e9, sign), (some(0.0, 1e10), 0.5 * sign), (3.0, 0.0))
    power = some(0.2, 0.6)
    given = some(0.05, 0.9)
    target = sum_of((given, 0.0), (some(50.0, 800.0), -power))
    bent = sum_of((some(0.001, 0.02), 0.3), (some(10.0, 90.0), -0.4), (0.01, 0.0))
    cap = sum_of((some(1e-10, 1e-7), 1.0))
    walls = zip(("target", "bent", "cap"), (target, bent, cap), strict=True)
    return GeometricProgram(cost, tuple(Constraint(n, p) for n, p in walls))


def interval(program, row):
    """The end of what is allowed, on the side of less cost, by a grid and bisection."""
    sides = [c.posynomial.members(np.array([row])) for c in program.constraints]

    def over(z):
        return max(float(side.log_value(np.array([[z]]))[0]) for side in sides)

    grid = np.linspace(-20.0, 60.0, 4001)
    inside = [z for z in grid.tolist() if over(z) <= 0]
    if not inside:
        return None
    rises = float(program.objective.exponents[0].sum()) > 0
    good, bad = (inside[0], -20.0) if rises else (inside[-1], 60.0)
    for _ in range(80):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if over(middle) <= 0 else (good, middle)
    return good


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("start", [-5.0, 12.0, 45.0])
def test_the_cheapest_is_the_end_of_what_is_allowed(falls, start):
    program = decided(3, falls)
    with np.errstate(all="ignore"):
        z, prices = last(program, line(program), np.full((COUNT, 1), start))
        proven = allowed(*residuals(program, z, prices), GAP)
    ends = [interval(program, row) for row in range(0, COUNT, 4)]
    for row, end in zip(range(0, COUNT, 4), ends, strict=True):
        if end is not None:
            assert proven[row]
            assert z[row, 0] == pytest.approx(end, abs=1e-9)
    assert sum(end is not None for end in ends) > 12
    assert len(set(np.argmax(prices[proven], axis=1).tolist())) > 1  # not one wall


@pytest.mark.parametrize("falls", [False, True])
def test_one_is_solved_as_among_many_and_no_plan_is_told(falls):
    program = decided(8, falls)
    found = solve_batch(program)
    for row in range(0, COUNT, 5):
        one = solve(members(program, np.array([row])))
        end = interval(program, row)
        assert one.status.value == ("infeasible" if end is None else "optimal")
        assert (found.ended[row] == 0) == (end is not None)
        if end is not None:
            assert one.engine.value == "root"
            assert one.z[0] == pytest.approx(found.z[row, 0], rel=1e-12)
    assert (found.ended == 1).any()


def test_other_programs_are_none_of_these():
    program = decided(1, falls=False)
    both = sum_of((1.0, 1.0), (1.0, -1.0))
    flat = sum_of((2.0, 0.0))
    for cost in (both, flat):
        assert line(GeometricProgram(cost, program.constraints)) is None
    assert line(GeometricProgram(program.objective, ())) is None
