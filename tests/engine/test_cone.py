"""Cones against scipy's own solvers, on random and on degenerate rows."""

import numpy as np
import pytest
from scipy.optimize import linprog, nnls

from optimizer.engine import cone
from optimizer.engine.cone import balanced, extent, spans, weights

RANDOM = np.random.default_rng(0)


def cases():
    for count, width in ((3, 2), (8, 3), (20, 5), (40, 9)):
        for _ in range(15):
            yield RANDOM.normal(size=(count, width)), RANDOM.normal(size=width)
            whole = RANDOM.integers(-1, 2, size=(count, width)).astype(float)
            yield whole, RANDOM.integers(-1, 2, size=width).astype(float)


@pytest.mark.parametrize(("rows", "goal"), list(cases()))
def test_weights_come_as_near_as_scipy(rows, goal):
    found = weights(rows, goal)
    assert (found >= 0).all()
    left = np.linalg.norm(goal - found @ rows)
    assert left == pytest.approx(nnls(rows.T, goal)[1], abs=1e-9)
    assert (spans(rows, goal) is not None) == (left <= 1e-9 * np.linalg.norm(goal))


@pytest.mark.parametrize(("rows", "goal"), list(cases()))
def test_what_can_fall_is_what_a_linear_program_finds(rows, goal):
    terms, n = rows.shape
    found = linprog(
        np.concatenate([np.zeros(n), -np.ones(terms)]),
        A_ub=np.hstack([rows, np.eye(terms)]),
        b_ub=np.zeros(terms),
        bounds=[(-1e4, 1e4)] * n + [(0.0, 1.0)] * terms,
    )
    np.testing.assert_array_equal(~balanced(rows), found.x[n:] > 1e-6)
    assert goal.shape == (n,)


def test_rows_of_nothing_hold_and_carry_nothing():
    rows = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert balanced(rows).tolist() == [True, False]
    assert weights(rows, np.array([2.0, 0.0])).tolist() == [0.0, 2.0]
    assert spans(rows, np.array([0.0, 1.0])) is None


def test_the_extent_of_weights_is_what_the_simplex_method_finds():
    for count, width in ((3, 2), (5, 2), (7, 3), (9, 4)):
        for _ in range(20):
            rows = RANDOM.normal(size=(count, width)) + 0.7
            goal = RANDOM.uniform(0, 1, count) @ rows
            prices = RANDOM.normal(size=count)
            ours, theirs = (
                way(rows, goal, prices) for way in (extent, cone._extent_by_simplex)
            )
            for one, other in zip(ours, theirs, strict=True):
                assert (one is None) == (other is None)
                assert one is None or one == pytest.approx(other, abs=1e-6)
    assert extent(np.eye(2), np.array([-1.0, 1.0]), np.ones(2)) == (None, None)
