"""Programs around saturating curves: they contain, and Newton ends on the curves."""

import math

import numpy as np
import pytest

from optimizer.algebra.composite import compose
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, Status
from optimizer.algebra.saturating import Saturating
from optimizer.engine import own, second_opinion
from optimizer.engine.certify import UncertifiedError, passes
from optimizer.engine.conflict import diagnose
from optimizer.engine.diagnose import infimum, least_relaxation
from optimizer.engine.enclose import enclose, tighten
from optimizer.engine.solve import solve


def worth(x):
    """y = ½·(2 − exp(1 − 2x)) beyond ½, x up to there: from x towards 1."""
    return np.where(x <= 0.5, x, 1 - np.exp(1 - 2 * np.maximum(x, 0.5)) / 2)


def program(bound, cap=None):
    """min x·k subject to 1/(y·bound) + 1/k ≤ 1, and x ≤ cap."""
    half = np.log([[0.5]])
    quantity = Saturating(
        "y",
        ("x",),
        reach=np.array([[0.0, 1.0]]),
        level=np.hstack([half, [[0.0]]]),
        R=np.array([1.0]),
    )
    inner = build(
        ("x", "k", "y"),
        [Term("worth", 1 / bound, {"y": -1.0}), Term("size", 1.0, {"k": -1.0})],
    )
    target = compose(inner, (quantity,))
    constraints = [Constraint("target", target)]
    if cap is not None:
        wall = build(("x", "k"), [Term("x", 1 / cap, {"x": 1.0})])
        constraints.append(Constraint("cap", wall))
    objective = build(("x", "k"), [Term("cost", 1.0, {"x": 1.0, "k": 1.0})])
    return GeometricProgram(objective, tuple(constraints))


@pytest.fixture
def rough(monkeypatch):
    """No tangents but the asymptotes x and 1."""
    monkeypatch.setattr("optimizer.algebra.saturating.TANGENTS", 0)


def brute(bound, cap=math.inf):
    """k = 1/(1 − 1/(y·bound)) at each x."""
    x = np.exp(np.linspace(-8, 12, 4_000_001))
    rest = 1 - 1 / (worth(x) * bound)
    with np.errstate(all="ignore"):
        cost = np.where((rest > 0) & (x <= cap), x / rest, np.inf)
    return float(cost.min())


@pytest.mark.usefixtures("rough")
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


@pytest.mark.usefixtures("rough")
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
    """The least factor of the target under x ≤ 0.8 lies on the curve."""
    y = float(worth(0.8))
    least = least_relaxation(program(1.2, cap=0.8), ["target"])
    # k → ∞ leaves 1/(y·bound); the roughest enclosure has y = 0.8 there.
    assert least.value == pytest.approx(1 / (y * 1.2), rel=1e-9)
    small = build(("x", "k"), [Term("k", 1.0, {"k": 1.0})])
    fixed = GeometricProgram(small, program(3.0, cap=0.8).constraints)
    found = infimum(fixed)
    assert found.attained
    assert found.value == pytest.approx(1 / (1 - 1 / (3 * y)), rel=1e-9)
    assert found.certificate is not None
    assert passes(found.certificate)


def test_a_conflict_with_a_saturating_curve_has_exact_cures():
    conflict = diagnose(program(1.2, cap=0.8))
    assert set(conflict.names) == {"target", "cap"}
    # y·1.2 > 1 needs x > (1 + ln 3)/2.
    enough = (1 + math.log(3)) / 2
    assert conflict.factors["cap"] == pytest.approx(enough / 0.8, rel=1.1e-3)
    least = 1 / (1.2 * float(worth(0.8)))
    assert conflict.factors["target"] == pytest.approx(least, rel=1.1e-3)


def test_what_is_given_is_no_part_of_a_conflict():
    conflict = diagnose(program(1.2, cap=0.8), given=["cap"])
    assert conflict.names == ("target",)
    assert set(conflict.factors) == {"target"}


def narrow(more, bound=2.0, cap=50.0):
    """1/(y·bound) + 1/k ≤ 1 for k ≤ 2·(1 + more), where y·bound is at most 2.

    From x = 19 on y is 1 to the last digit.
    """
    given = program(bound, cap)
    wall = build(("x", "k"), [Term("k", 0.5 / (1 + more), {"k": 1.0})])
    constraints = (*given.constraints, Constraint("k", wall))
    return GeometricProgram(given.objective, constraints)


def test_a_single_point_is_told_before_all_is_tried(monkeypatch):
    def never(*_):
        pytest.fail("a second opinion was asked for")

    monkeypatch.setattr(second_opinion, "_search", never)
    start = np.log([20.0, 2.0])
    with pytest.raises(UncertifiedError, match="single point"):
        solve(narrow(0.0), start)
    assert solve(narrow(-1e-8), start).status is Status.INFEASIBLE
    found = solve(narrow(1e-6), start)
    assert passes(found.certificate)


def test_room_is_seen_to_a_tenth_of_a_millionth():
    """1/(2y) + 1/k ≤ e^t, y ≤ e^t, k ≤ 2(1 + m)e^t meet from 2e^(2t) = 1 + 1/(1 + m).

    So t is −m/4 for a small m.
    """
    assert own.hemmed(narrow(0.0))
    assert own.hemmed(narrow(3e-7))
    assert not own.hemmed(narrow(5e-7))
    assert not own.hemmed(program(2.0))
    assert not own.hemmed(narrow(-1e-3))  # no point at all: there is a proof of that


def test_what_is_narrow_where_a_curve_still_rises_has_its_certificate():
    rising = narrow(1e-7, bound=2 / 0.3, cap=0.3)
    assert not own.hemmed(rising)
    found = solve(rising, np.log([0.3, 2.0]))
    assert found.point["k"] == pytest.approx(2, rel=2e-7)
    assert passes(found.certificate)
