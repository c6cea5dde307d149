"""Zeros of functions whose zeros are known, and how often they are asked."""

import math

import pytest

from optimizer.engine.crossing import crossing
from optimizer.errors import Defect

KNOWN = [
    (lambda x: x**3 - 2, 0.0, 3.0, 2 ** (1 / 3)),
    (lambda x: math.exp(-x) - x, 0.0, 9.0, 0.5671432904097838),  # the omega constant
    (lambda x: x**9, -1.0, 4.0, 0.0),
    (lambda x: math.tanh(50 * (x - 0.3)), -5.0, 5.0, 0.3),
    (lambda x: 1.0 if x > 0.123 else -1.0, 0.0, 1.0, 0.123),
    (lambda x: x - 1.0, 1.0, 2.0, 1.0),
]


@pytest.mark.parametrize(("function", "low", "high", "zero"), KNOWN)
def test_zeros_are_found_from_either_end(function, low, high, zero):
    for ends in ((low, high), (high, low)):
        found = crossing(function, *ends)
        assert found == pytest.approx(zero, abs=2e-12) or function(found) == 0


def test_a_smooth_function_takes_few_steps():
    asked = []
    found = crossing(lambda x: asked.append(x) or math.log(x) - 1, 0.1, 100.0)
    assert found == pytest.approx(math.e, abs=1e-11)
    assert len(asked) < 20


def test_ends_of_one_sign_are_a_defect():
    with pytest.raises(Defect, match="different signs"):
        crossing(lambda x: x * x + 1, -1.0, 1.0)
