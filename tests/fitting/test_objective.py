"""The objective's derivatives against differences, and its minimum against scipy."""

import numpy as np
import pytest
from scipy.optimize import minimize

from optimizer.fitting.forms import Choice, checked, problem
from optimizer.fitting.objective import evaluate
from optimizer.fitting.search import best_of, search
from optimizer.fitting.starts import starts
from optimizer.world.laws import load_law

CHOICES = [
    Choice(),
    Choice(tie=True),
    Choice(fixed={"E": 1.7}),
    Choice(fixed={"A": 400.0}),
    Choice("kaplan"),
    Choice("coupled"),
    Choice("coupled", tie=True),
    Choice("coupled", fixed={"k": 0.4}),
    Choice("saturating"),
    Choice("hestness"),
]


@pytest.fixture
def asked(made):
    def ask(choice):
        law = load_law("besiroglu-2024-refit").surface()
        return problem(made.runs(law.loss, *made.grid(5, 5), 0.01), checked(choice))

    return ask


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_derivatives_are_those_of_the_value(choice, asked):
    it, _ = asked(choice)
    draw = np.random.default_rng(3)
    z = draw.uniform(np.maximum(it.low, 0.1), np.minimum(it.high, 1.2), (4, it.free))
    wide = np.full(4, 0.3)
    here = evaluate(it, z, wide)
    step = 1e-6
    for j in range(it.free):
        move = step * np.eye(it.free)[j]
        up, down = evaluate(it, z + move, wide), evaluate(it, z - move, wide)
        slope = (up.value - down.value) / (2 * step)
        assert here.gradient[:, j] == pytest.approx(slope, rel=1e-5, abs=1e-7)
        bend = (up.gradient - down.gradient) / (2 * step)
        inside = np.abs(up.inside - down.inside) == 0
        assert here.hessian[inside, j] == pytest.approx(
            bend[inside], rel=1e-3, abs=1e-4
        )


def test_scipy_finds_nothing_better(asked):
    """Powell's method, which needs no gradient, from the minimum and from beside it."""
    it, centre = asked(Choice())
    found = best_of(search(it, starts(it, Choice(), centre, 50)))

    def value(z):
        residual = it.predict(z[None])[0] - it.target
        size = np.abs(residual)
        inside = residual**2 / 2
        return np.where(size <= 1e-3, inside, 1e-3 * (size - 5e-4)).sum()

    best = value(found.z)
    assert best == pytest.approx(found.minimum.value.min(), rel=1e-12)
    for shift in (0.0, 0.01, -0.03):
        end = minimize(value, found.z + shift, method="Powell", options={"xtol": 1e-10})
        assert end.fun >= best * (1 - 1e-9)


def test_every_start_that_comes_to_rest_agrees(asked):
    it, centre = asked(Choice())
    found = best_of(search(it, starts(it, Choice(), centre, 200)))
    assert found.others == 0
    assert found.reached > 200
