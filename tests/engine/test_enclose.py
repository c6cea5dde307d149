"""Programs around saturating curves: they contain, and Newton ends on the curves."""

import math

import numpy as np
import pytest

from optimizer.composite import Concave, compose
from optimizer.engine.certify import passes
from optimizer.engine.diagnose import diagnose, infimum, least_relaxation
from optimizer.engine.enclose import enclose, tighten
from optimizer.engine.solve import solve
from optimizer.posynomial import Posynomial, Term, build
from optimizer.program import Constraint, GeometricProgram, Status


def saturating(tangents):
    """y = x/(1 + x): ln y is concave in ln x, with the asymptotes x and 1."""

    def evaluate(z):
        x = np.exp(z[:, 0])
        y = x / (1 + x)
        slope = 1 / (1 + x)
        return np.log(y), slope[:, None], (-x / (1 + x) ** 2)[:, None, None]

    return Concave("y", ("x",), evaluate, tangents)


ASYMPTOTES = ((1.0, {"x": 1.0}), (1.0, {}))


def program(bound, tangents=ASYMPTOTES, cap=None):
    """min x·k subject to 1/(y·bound) + 1/k ≤ 1, and x ≤ cap."""
    inner = build(
        ("x", "k", "y"),
        [Term("worth", 1 / bound, {"y": -1.0}), Term("size", 1.0, {"k": -1.0})],
    )
    target = compose(inner, (saturating(tangents),))
    constraints = [Constraint("target", target)]
    if cap is not None:
        wall = build(("x", "k"), [Term("x", 1 / cap, {"x": 1.0})])
        constraints.append(Constraint("cap", wall))
    objective = build(("x", "k"), [Term("cost", 1.0, {"x": 1.0, "k": 1.0})])
    return GeometricProgram(objective, tuple(constraints))


def brute(bound, cap=math.inf):
    """k = 1/(1 − (1 + x)/(x·bound)) at each x."""
    x = np.exp(np.linspace(-8, 12, 4_000_001))
    rest = 1 - (1 + x) / (x * bound)
    with np.errstate(all="ignore"):
        cost = np.where((rest > 0) & (x <= cap), x / rest, np.inf)
    return float(cost.min())


@pytest.mark.parametrize("bound", [1.01, 1.5, 3.0, 100.0])
def test_newton_ends_on_the_true_curve_from_the_roughest_enclosure(bound):
    """Two tangents alone lead home, with more of them where Newton needs that."""
    found = solve(program(bound))
    assert found.certificate is not None
    assert passes(found.certificate)
    z, _ = found.optimum
    cost = math.exp(found.program.objective.log_value(z[None])[0])
    assert cost == pytest.approx(brute(bound), rel=1e-9)
    assert found.program.constraints[0].posynomial.log_value(z[None])[0] == (
        pytest.approx(0, abs=1e-10)
    )


def test_the_enclosure_is_a_geometric_program_that_contains():
    whole = program(3.0)
    outer = enclose(whole)
    assert all(isinstance(p, Posynomial) for p in outer.posynomials)
    assert outer.variables == ("x", "k", "y")
    assert [c.name for c in outer.constraints[:1]] == ["target"]
    loose = solve(outer)
    assert math.exp(outer.objective.log_value(loose.optimum[0][None])[0]) <= brute(3.0)
    # A tangent more at its own optimum brings it nearer, and still outside.
    nearer = solve(tighten(whole, outer, loose.optimum[0][:2]))
    costs = [
        math.exp(outer.objective.log_value(found.optimum[0][None])[0])
        for found in (loose, nearer)
    ]
    assert costs[0] < costs[1] <= brute(3.0) * (1 + 1e-9)


def test_a_program_of_posynomials_is_its_own_enclosure():
    objective = build(("x",), [Term("x", 1.0, {"x": 1.0})])
    plain = GeometricProgram(objective, (Constraint("c", objective),))
    assert enclose(plain) is plain


@pytest.mark.parametrize("bound", [0.5, 0.999])
def test_what_the_asymptote_excludes_is_infeasible(bound):
    assert solve(program(bound)).status is Status.INFEASIBLE


def test_an_infimum_that_is_attained_is_exact():
    """The least factor of the target under x ≤ 2 lies on the curve: y = 2/3."""
    capped = program(1.2, cap=2.0)
    least = least_relaxation(capped, ["target"])
    # k → ∞ leaves 1/(y·bound) = 1.25; the enclosure alone has y = 1 there.
    assert least.value == pytest.approx(1.25, rel=1e-9)
    small = build(("x", "k"), [Term("k", 1.0, {"k": 1.0})])
    fixed = GeometricProgram(small, program(3.0, cap=2.0).constraints)
    found = infimum(fixed)
    assert found.attained
    assert found.value == pytest.approx(1 / (1 - 1 / 2), rel=1e-9)
    assert found.certificate is not None
    assert passes(found.certificate)


def test_a_conflict_with_a_saturating_curve_has_exact_cures():
    conflict = diagnose(program(1.2, cap=2.0))
    assert set(conflict.names) == {"target", "cap"}
    # y·1.2 > 1 needs x > 5.
    assert conflict.factors["cap"] == pytest.approx(2.5, rel=1.1e-3)
    assert conflict.factors["target"] == pytest.approx(1.25, rel=1.1e-3)


def test_what_is_given_is_no_part_of_a_conflict():
    conflict = diagnose(program(1.2, cap=2.0), given=["cap"])
    assert conflict.names == ("target",)
    assert set(conflict.factors) == {"target"}
