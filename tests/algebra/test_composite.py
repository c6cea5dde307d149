"""Saturating quantities: derivatives against differences, convexity, tangents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.algebra.composite import Composite, compose
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.saturating import Saturating, saturation
from optimizer.errors import Defect
from optimizer.world.laws import load_law
from optimizer.world.repetition import Repetition
from tests.chance import examples

REPETITION = Repetition(5e10, 15.387756, 5.309743)
SURFACE = load_law("muennighoff-2023").surface()
NAMES = ("N", "D", "U")


def repeated() -> Composite:
    inner = build(
        (*NAMES, "D'", "N'"),
        [
            Term("parameters", SURFACE.A, {"N'": -SURFACE.alpha}),
            Term("tokens", SURFACE.B, {"D'": -SURFACE.beta}),
            Term("quantization", 1e-4, {"N": -0.34, "D": 0.5}),
        ],
    )
    parameters = REPETITION.parameters(SURFACE)
    assert parameters is not None
    found = compose(inner, (REPETITION.tokens(), parameters))
    assert isinstance(found, Composite)
    return found


points = st.tuples(st.floats(18, 27), st.floats(20, 30), st.floats(19, 26)).map(
    lambda p: np.array([p])
)
settled = settings(max_examples=examples(60))


@settled
@given(z=points)
def test_derivatives_are_differences(z):
    f = repeated()
    h = 1e-6
    for j in range(3):
        step = np.eye(3)[j][None] * h
        slope = (f.log_value(z + step) - f.log_value(z - step)) / (2 * h)
        assert f.gradient(z)[0, j] == pytest.approx(slope[0], abs=1e-8)
        bend = (f.gradient(z + step) - f.gradient(z - step)) / (2 * h)
        # The second derivative of N' jumps where parameters start to saturate.
        kinks = (
            abs(z[0, 0] - np.log(SURFACE.optimal_parameters(np.exp(z[0, 2])))) < 1e-5
        )
        kinks |= abs(z[0, 1] - z[0, 2]) < 1e-5
        if not kinks:
            assert f.hessian(z)[0, :, j] == pytest.approx(bend[0], abs=1e-5)


@settled
@given(a=points, b=points, t=st.floats(0, 1))
def test_it_is_convex_in_logarithms(a, b, t):
    f = repeated()
    between = f.log_value(t * a + (1 - t) * b)[0]
    ends = t * f.log_value(a)[0] + (1 - t) * f.log_value(b)[0]
    assert between <= ends + 1e-10


@settled
@given(z=points)
def test_tangents_lie_above_and_near(z):
    """Within 3 % everywhere that data repeat up to the law's 500 epochs."""
    f = repeated()
    for quantity in f.quantities:
        places = [NAMES.index(name) for name in quantity.variables]
        value = quantity.evaluate(z[:, places])[0][0]
        logs = [
            np.log(c) + sum(p * z[0, NAMES.index(v)] for v, p in powers.items())
            for c, powers in quantity.tangents()
        ]
        assert min(logs) >= value - 1e-12
        assert min(logs) <= value + 0.03


def test_saturation_is_its_formula():
    """H(x) = ln(1 + R·(1 − exp(−(e^x − 1)/R))), and x below 0."""
    x = np.array([-2.0, 0.0, 0.5, 3.0, 50.0, 700.0])
    value, slope, bend = saturation(x, 15.39)
    ratio = np.exp(np.minimum(x, 40))
    plain = np.log(1 + 15.39 * (1 - np.exp(-(ratio - 1) / 15.39)))
    assert value == pytest.approx(np.where(x <= 0, x, plain), rel=1e-12)
    assert value[-1] == pytest.approx(np.log(16.39))
    assert (slope >= 0).all()
    assert (slope <= 1).all()
    assert (bend <= 0).all()


@settled
@given(z=points, value=st.floats(8e9, 3e12))
def test_fixing_a_variable_is_putting_its_value_in(z, value):
    f = repeated()
    whole = z.copy()
    whole[0, 1] = np.log(value)
    held = f.fixing("D", value)
    rest = np.delete(z, 1, axis=1)
    assert held.variables == ("N", "U")
    assert held.log_value(rest) == pytest.approx(f.log_value(whole), rel=1e-12)
    assert held.gradient(rest)[0] == pytest.approx(
        np.delete(f.gradient(whole)[0], 1), rel=1e-9, abs=1e-12
    )
    none = held.fixing("U", 3e10).fixing("N", 7e9)
    assert isinstance(none, Posynomial)
    at = np.log([[7e9, value, 3e10]])
    assert none.log_value(np.zeros((1, 0))) == pytest.approx(f.log_value(at))


def test_a_complex_step_goes_through_a_held_variable():
    f = repeated()
    z = np.log([[7e9, 8e11, 4e10]])
    rest = np.delete(z, 1, axis=1)
    moved = f.fixing("D", np.exp(z[0, 1]) * (1 + 1e-30j))
    slope = f.shares(z)[0] @ moved.log_terms(rest)[0].imag / 1e-30
    assert slope == pytest.approx(f.gradient(z)[0, 1], rel=1e-12)


@settled
@given(z=points)
def test_scaling_renaming_and_more_variables_keep_the_value(z):
    f = repeated()
    names = {"N": "M", "N'": "M'", "D'": "worth"}
    value = f.log_value(z)[0]
    assert f.scaled(3.0).log_value(z)[0] == pytest.approx(value + np.log(3))
    assert f.renamed(names).log_value(z)[0] == pytest.approx(value, rel=1e-14)
    assert f.renamed(names).variables == ("M", "D", "U")
    turned = f.over(("U", "x", "D", "N"))
    shifted = np.array([[z[0, 2], 1.7, z[0, 1], z[0, 0]]])
    assert turned.log_value(shifted)[0] == pytest.approx(value, rel=1e-14)
    times = f.times({"N": 2.0, "U": -1.0}).log_value(z)[0]
    assert times == pytest.approx(value + 2 * z[0, 0] - z[0, 2])
    assert f.shares(z).sum() == pytest.approx(1)


def test_a_quantity_with_a_positive_exponent_is_refused():
    inner = build(("D", "U", "D'"), [Term("", 1.0, {"D'": 0.5})])
    with pytest.raises(Defect, match="only enter with exponents"):
        compose(inner, (REPETITION.tokens(),))


@settled
@given(z=points)
def test_sources_are_what_is_worth_as_much(z):
    parameters = REPETITION.parameters(SURFACE)
    point = dict(zip(NAMES, np.exp(z[0]).tolist(), strict=True))
    worth = parameters.worth(point)
    level = SURFACE.optimal_parameters(point["U"])
    if worth < 0.999 * level * (1 + REPETITION.R_N):  # flat beyond
        assert parameters.sources(worth, point) == pytest.approx(point["N"], rel=1e-9)
    assert parameters.sources(1.1 * level * (1 + REPETITION.R_N), point) == np.inf


@pytest.mark.parametrize(("level", "sources"), [(900.0, 7e9), (-900.0, np.inf)])
def test_a_level_beyond_numbers_is_still_one(level, sources):
    """A law of exponents 0.02 and 0.98 has 60B tokens support e^900 parameters."""
    places = np.array([[level, 0.0, 0.0]])
    quantity = Saturating("N'", ("N", "U"), np.eye(3)[1:2], places, np.array([5.3]))
    assert quantity.sources(7e9, {"U": 6e10}) == sources
