"""The objective's derivatives against differences, and its minimum against scipy."""

import numpy as np
import pytest
from scipy.optimize import minimize

from optimizer.fitting.forms import Choice, checked, problem
from optimizer.fitting.objective import evaluate
from optimizer.fitting.search import best_of, explore, search
from optimizer.fitting.starts import starts
from optimizer.records import replace
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
SHARES = (0.5, 0.2, 0.2, 0.1)


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


@pytest.fixture
def sweep(made):
    """Nine sizes and tokens of a law, each with runs that scatter up to fivefold."""
    law = load_law("besiroglu-2024-refit").surface()
    draw = np.random.default_rng(5)
    N, D = (np.repeat(each, 40) for each in made.grid(3, 3))
    worse = np.exp(draw.choice([0.0, 0.03, 0.9, 1.6], len(N), p=SHARES))
    runs = made.runs(law.loss, N, D, 0.005)
    mixed = draw.permutation(len(N))
    return replace(runs, loss=runs.loss * worse).take(mixed)


@pytest.mark.parametrize("over", [1.0, 5.0])
@pytest.mark.parametrize("members", [None, 4])
@pytest.mark.parametrize("choice", [Choice(), Choice("coupled"), Choice("saturating")])
def test_runs_of_one_size_are_summed_as_they_are_one_by_one(
    choice, members, over, sweep
):
    apart, centre = problem(sweep, checked(choice))
    z = starts(apart, checked(choice), centre, 0)[::20][:4]
    draw = np.random.default_rng(2)
    weight = apart.weight
    if members:
        weight = weight * draw.integers(0, 3, (members, len(weight)))
    apart = replace(apart, weight=weight, over=over)
    pooled = apart.pooled()
    assert pooled.x.size == 9
    for exact in (True, False):
        for delta in (1.0, 0.1, 0.02):
            wide = np.full(4, delta)
            one = evaluate(apart, z, wide, exact=exact)
            other = evaluate(pooled, z, wide, exact=exact)
            assert one.inside.any()
            for name in one.__dataclass_fields__:
                ours, theirs = getattr(other, name), getattr(one, name)
                least = 1e-11 * np.abs(theirs).max()
                assert ours == pytest.approx(theirs, rel=1e-10, abs=least), name


def test_a_sweep_has_the_minimum_that_scipy_finds(sweep):
    asked, centre = problem(sweep, checked(Choice()))
    found = best_of(explore(asked, starts(asked, Choice(), centre, 50)))
    assert found.minimum.stationarity[found.best] < 1e-8

    def value(z):
        size = np.abs(asked.predict(z[None])[0] - asked.target)
        return np.where(size <= 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum()

    assert value(found.z) == pytest.approx(found.minimum.value.min(), rel=1e-12)
    for shift in (0.0, 0.01, -0.03):
        end = minimize(value, found.z + shift, method="Powell", options={"xtol": 1e-10})
        assert end.fun >= value(found.z) * (1 - 1e-9)
