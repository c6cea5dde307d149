"""Posynomials against their definition, and derivatives against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.algebra.posynomial import Posynomial, Term, build, merge
from optimizer.errors import Defect
from tests.chance import examples

powers = st.floats(-3, 3)
sizes = st.floats(1e-6, 1e6)


@st.composite
def posynomials(draw):
    """A batch of two posynomials in three variables, and a point for each."""
    terms = draw(st.integers(1, 4))
    c = np.array(draw(st.lists(sizes, min_size=2 * terms, max_size=2 * terms)))
    a = np.array(draw(st.lists(powers, min_size=6 * terms, max_size=6 * terms)))
    z = np.array(draw(st.lists(st.floats(-2, 2), min_size=6, max_size=6)))
    p = Posynomial(
        ("x", "y", "z"),
        c.reshape(2, terms),
        a.reshape(2, terms, 3),
        tuple(f"t{i}" for i in range(terms)),
    )
    return p, z.reshape(2, 3)


def direct(p, z):
    x = np.exp(z)
    return np.array(
        [
            sum(
                c * np.prod(x[b] ** a)
                for c, a in zip(p.coefficients[b], p.exponents[b], strict=True)
            )
            for b in range(len(p.coefficients))
        ]
    )


@given(posynomials())
def test_value_is_the_sum_of_monomials(case):
    p, z = case
    np.testing.assert_allclose(np.exp(p.log_value(z)), direct(p, z), rtol=1e-12)


@given(posynomials())
@settings(max_examples=examples(50))
def test_gradient_and_hessian_are_central_differences(case):
    p, z = case
    h = 1e-5
    for j in range(3):
        step = h * np.eye(3)[j]
        slope = (p.log_value(z + step) - p.log_value(z - step)) / (2 * h)
        np.testing.assert_allclose(p.gradient(z)[:, j], slope, atol=1e-7)
        bend = (p.gradient(z + step) - p.gradient(z - step)) / (2 * h)
        np.testing.assert_allclose(p.hessian(z)[:, j], bend, atol=1e-6)


@given(posynomials(), st.floats(0.0, 1.0))
def test_logarithm_is_convex_in_logarithms(case, weight):
    p, z = case
    other = z[::-1]
    mixed = p.log_value(weight * z + (1 - weight) * other)
    chord = weight * p.log_value(z) + (1 - weight) * p.log_value(other)
    assert (mixed <= chord + 1e-9).all()


@given(posynomials())
def test_no_overflow_far_out(case):
    p, z = case
    assert np.isfinite(p.log_value(z + 400)).all()


def test_fixing_a_variable_keeps_the_value():
    p = build(("N", "D"), [Term("a", 6, {"N": 1, "D": 1}), Term("b", 4e12, {"N": 1})])
    z = np.log([[7e9, 1.2e12]])
    fixed = p.fixing("N", 7e9)
    assert fixed.variables == ("D",)
    np.testing.assert_allclose(fixed.log_value(z[:, 1:]), p.log_value(z), rtol=1e-15)


def test_reordering_keeps_the_value_and_refuses_to_lose_a_variable():
    p = build(("N", "D"), [Term("a", 6, {"N": 1, "D": 2})])
    wide = p.over(("D", "u", "N"))
    np.testing.assert_allclose(
        wide.log_value(np.array([[2.0, 9.0, 1.0]])), 5 + np.log(6)
    )
    with pytest.raises(Defect, match="D is used"):
        p.over(("N",))


def test_terms_of_equal_exponents_merge_whatever_their_spelling():
    terms = [
        Term("first", 2.0, {"N": 1.0}),
        Term("second", 3.0, {"N": 1.0, "D": 0.0}),
        Term("other", 1.0, {"D": 1.0}),
    ]
    merged = merge(terms)
    assert [(t.label, t.coefficient) for t in merged] == [
        ("first", 5.0),
        ("other", 1.0),
    ]


@pytest.mark.parametrize("coefficient", [-1.0, float("nan"), float("inf")])
def test_impossible_coefficients_are_refused(coefficient):
    with pytest.raises(Defect, match="above zero and finite"):
        build(("N",), [Term("bad", coefficient, {"N": 1})])


def test_zero_terms_are_dropped_and_something_must_remain():
    kept = build(("N",), [Term("zero", 0.0, {}), Term("one", 1.0, {"N": 1})])
    assert kept.labels == ("one",)
    with pytest.raises(Defect, match="at least one term"):
        build(("N",), [Term("zero", 0.0, {})])


def test_the_formula_reads_as_mathematics():
    p = build(("N", "D"), [Term("a", 6, {"N": 1, "D": 1}), Term("b", 4e12, {"N": 1})])
    assert p.formula() == "6·N·D + 4e+12·N"
