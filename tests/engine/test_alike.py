"""Long batches that some members lead: no answer but the one that each has alone."""

import numpy as np
import pytest

from optimizer.algebra.program import members
from optimizer.engine import own
from optimizer.engine.alike import LONG, along, led, spread
from optimizer.engine.certify import acceptable
from tests.engine.random_programs import programs

COUNT = 2 * LONG


@pytest.mark.parametrize(
    "features", [{"tokens", "cost"}, {"roofline", "latency"}, {"repetition", "memory"}]
)
def test_the_led_end_as_they_do_alone(features):
    """Random programs have little in common, so that guesses are wrong for many."""
    program = programs(features, 21, COUNT)
    start = np.zeros((COUNT, len(program.variables)))
    found = led(program, start, own.find, own.near)
    alone = own.find(program, start)
    np.testing.assert_array_equal(found.ended, alone.ended)
    good = found.ended == own.OPTIMAL
    assert good.sum() > 50
    part = members(program, np.flatnonzero(good))
    assert acceptable(part, found.z[good], found.multipliers[good]).all()
    costs = [part.objective.log_value(one.z[good]) for one in (found, alone)]
    np.testing.assert_allclose(*costs, atol=2e-8)


def test_a_lie_about_a_guess_is_not_believed():
    """Whatever Newton is told, the judge decides, and the rest is solved alone."""
    program = programs({"tokens"}, 22, COUNT)
    start = np.zeros((COUNT, len(program.variables)))

    def astray(part, z, weight):
        return own.near(part, z + 40.0, -weight)

    found = led(program, start, own.find, astray)
    alone = own.find(program, start)
    np.testing.assert_array_equal(found.ended, alone.ended)


def test_an_order_through_cells_is_a_short_way():
    """Of a shuffled grid it is hardly longer than the grid's own, cell by cell."""
    side = np.linspace(-1, 1, 20)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1).reshape(-1, 3)
    mixed = np.random.default_rng(0).permutation(grid)
    order = along(mixed)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(grid)))
    far = np.abs(np.diff(mixed, axis=0)).sum(axis=1).mean()
    near = np.abs(np.diff(mixed[order], axis=0)).sum(axis=1).mean()
    assert near < 2 * (side[1] - side[0]) < far / 9


def test_what_does_not_differ_is_no_direction():
    program = programs({"tokens"}, 23, 5)
    same = members(program, np.zeros(5, dtype=int))
    assert spread(same, 5).shape == (5, 0)
    assert spread(program, 5).shape[1] > 0
