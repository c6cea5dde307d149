"""The engine on random programs: whatever is found is judged by certify alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, Status
from optimizer.engine import own, second_opinion
from optimizer.engine.certify import RADIUS, UncertifiedError, certify, passes
from optimizer.engine.conflict import diagnose
from optimizer.engine.diagnose import infimum, least_relaxation
from optimizer.engine.solve import refine, solve
from optimizer.errors import Defect
from tests.chance import examples


def program(objective, **constraints):
    """A program from `(coefficient, powers)` pairs in x and y."""

    def make(terms):
        named = [Term("t", c, dict(zip("xy", a, strict=True))) for c, a in terms]
        return build(("x", "y"), named)

    return GeometricProgram(
        make(objective),
        tuple(Constraint(name, make(terms)) for name, terms in constraints.items()),
    )


# min x·y + x with 1/x + 1/y ≤ 1: bounded, smooth, one constraint.
PLAIN = program([(1, (1, 1)), (1, (1, 0))], target=[(1, (-1, 0)), (1, (0, -1))])


@st.composite
def scaling_programs(draw):
    """Programs of the shape that scenarios have, with two limits that may bind."""
    A, B = draw(st.floats(0.1, 1e4)), draw(st.floats(0.1, 1e5))
    alpha, beta = draw(st.floats(0.05, 0.8)), draw(st.floats(0.05, 0.8))
    s = draw(st.floats(0.02, 2.0))
    T = 10 ** draw(st.floats(0, 20))
    N0 = (A * (1 + alpha / beta) / s) ** (1 / alpha)
    D0 = (B * (1 + beta / alpha) / s) ** (1 / beta)
    room = draw(st.floats(1.001, 1e3)), draw(st.floats(1.001, 1e3))
    return program(
        [(6, (1, 1)), (2 * T, (1, 0))],
        target=[(A / s, (-alpha, 0)), (B / s, (0, -beta))],
        x=[(1 / (N0 * room[0]), (1, 0))],
        y=[(1 / (D0 * room[1]), (0, 1))],
    )


@given(scaling_programs(), st.randoms(use_true_random=False))
@settings(max_examples=examples(60))
def test_random_programs_are_certified_and_no_random_point_beats_them(p, random):
    solution = solve(p)
    assert solution.status is Status.OPTIMAL
    assert passes(certify(p, *solution.optimum))
    z, _ = solution.optimum
    rng = np.random.default_rng(random.randrange(2**32))
    points = z + rng.normal(0, 0.5, (4000, 2)) * rng.choice([1e-3, 0.1, 1], (4000, 1))
    values = np.max([c.posynomial.log_value(points) for c in p.constraints], axis=0)
    costs = p.objective.log_value(points)[values <= 0]
    assert (costs >= p.objective.log_value(z[None])[0] - 1e-9).all()


def test_a_wrong_point_fails_the_certificate():
    solution = solve(PLAIN)
    z, multipliers = solution.optimum
    assert passes(certify(PLAIN, z, multipliers))
    assert not passes(certify(PLAIN, z + np.array([1e-4, 0]), multipliers))
    assert not passes(certify(PLAIN, z, multipliers * 1.001))
    assert not passes(certify(PLAIN, z, -multipliers))
    assert not passes(certify(PLAIN, z * math.nan, multipliers))


def test_the_gap_is_a_bound_even_far_from_the_optimum():
    """ln(cost/optimum) ≤ gap for any multipliers, as weak duality says."""
    best, price = solve(PLAIN).optimum
    rng = np.random.default_rng(1)
    for _ in range(200):
        z = best + np.abs(rng.normal(0, 0.3, 2))
        gap = certify(PLAIN, z, price * rng.uniform(0.5, 2)).gap
        lost = PLAIN.objective.log_value(z[None]) - PLAIN.objective.log_value(
            best[None]
        )
        assert lost[0] <= gap
    assert np.abs(best).max() < RADIUS


def test_a_stationary_point_whose_multiplier_has_slack_is_not_optimal():
    """min x with x ≥ 1, at x = 2 with λ = 1: r vanishes, only λ·|G| = ln 2 tells."""
    p = GeometricProgram(
        build(("x",), [Term("x", 1, {"x": 1})]),
        (Constraint("least", build(("x",), [Term("x", 1, {"x": -1})])),),
    )
    certificate = certify(p, np.log([2.0]), np.array([1.0]))
    assert certificate.stationarity == certificate.violation == 0
    assert certificate.gap == pytest.approx(math.log(2))
    assert not passes(certificate)


def test_an_uncertified_answer_is_an_error(monkeypatch):
    """What Newton cannot bring home from cvxpy's point is refused."""
    nothing = np.zeros((1, 2))
    lost = own.Found(np.array([own.UNSOLVED]), nothing, nothing, np.ones((3, 1)))
    monkeypatch.setattr(own, "near", lambda *_, **__: lost)
    with pytest.raises(UncertifiedError, match="failed its certificate"):
        second_opinion.solve(PLAIN)


def test_multipliers_are_log_log_sensitivities():
    """λ = −d ln cost / d ln bound, by re-solving with the bound moved (Boyd 2007)."""
    h = 1e-5

    def optimum(bound):
        p = program(
            [(1, (1, 1)), (1, (1, 0))],
            target=[(1 / bound, (-1, 0)), (1 / bound, (0, -1))],
        )
        return p.objective.log_value(solve(p).optimum[0][None])[0]

    slope = (optimum(math.exp(h)) - optimum(math.exp(-h))) / (2 * h)
    assert solve(PLAIN).optimum[1][0] == pytest.approx(-slope, rel=1e-8)


def test_a_second_solve_reuses_the_canonicalisation():
    second_opinion._compile.cache_clear()
    second_opinion.solve(PLAIN)
    second_opinion.solve(
        program([(9, (2, 1)), (1, (1, 0))], target=[(1, (-2, 0)), (2, (0, -1))])
    )
    info = second_opinion._compile.cache_info()
    assert (info.misses, info.hits) == (1, 1)


def test_refine_from_afar_ends_in_the_same_optimum():
    best, price = solve(PLAIN).optimum
    for shift in ([0.5, -0.2], [3.0, 3.0], [-30.0, 40.0]):
        again = refine(PLAIN, best + shift, price)
        np.testing.assert_allclose(again.optimum[0], best, atol=1e-10)


def test_infeasible_is_a_value_that_says_what_to_do():
    p = program([(1, (1, 1))], a=[(2, (1, 0))], b=[(1, (-1, 0))], c=[(1, (0, -1))])
    solution = solve(p)
    assert solution.status is Status.INFEASIBLE
    assert "relax" in solution.status.advice
    with pytest.raises(Defect, match="no optimal point"):
        _ = solution.optimum


def test_a_conflict_is_irreducible_and_its_relaxations_are_least():
    """x ≤ 1/2 and x ≥ 1 conflict; y ≥ 1 has nothing to do with it."""
    p = program([(1, (1, 1))], a=[(2, (1, 0))], b=[(1, (-1, 0))], c=[(1, (0, -1))])
    conflict = diagnose(p)
    assert conflict.names == ("a", "b")
    assert conflict.factors["a"] == pytest.approx(2, rel=2e-6)
    assert conflict.factors["b"] == pytest.approx(2, rel=2e-6)
    assert conflict.factors["c"] is None
    assert conflict.uniform == pytest.approx(math.sqrt(2), rel=1e-9)
    assert passes(conflict.certificate)


def test_one_bound_of_several_constraints_gives_way_as_one():
    """A cap on x and on y alike, both of which must be at least 1."""
    p = program(
        [(1, (1, 1))],
        x=[(1, (-1, 0))],
        y=[(1, (0, -1))],
        cap_x=[(2, (1, 0))],
        cap_y=[(3, (0, 1))],
    )
    apart = diagnose(p)
    assert apart.factors["cap_x"] is apart.factors["cap_y"] is None
    whole = diagnose(p, together={"cap_x": "cap", "cap_y": "cap"})
    assert whole.names == ("y", "cap")
    assert whole.factors["cap"] == pytest.approx(3, rel=2e-6)
    assert whole.factors["y"] is None


@pytest.mark.parametrize("needed", [(0,), (3,), (0, 7), (2, 3, 4), (0, 1, 6, 7)])
def test_the_bounds_that_conflict_are_found_among_many(needed):
    """x_i ≥ 1 for eight of them, and a cap that only all of some break together."""
    weights = [1.1 / len(needed) if i in needed else 1e-12 for i in range(8)]
    names = tuple(f"x{i}" for i in range(8))
    cap = [Term("cap", w, {n: 1.0}) for w, n in zip(weights, names, strict=True)]
    least = [build(names, [Term("least", 1.0, {n: -1.0})]) for n in names]
    p = GeometricProgram(
        build(names, cap),
        (
            *(Constraint(n, b) for n, b in zip(names, least, strict=True)),
            Constraint("cap", build(names, cap)),
        ),
    )
    assert diagnose(p).names == (*(f"x{i}" for i in needed), "cap")


def test_diagnosing_a_feasible_program_is_a_defect():
    with pytest.raises(Defect, match="leave room"):
        diagnose(program([(1, (1, 1))], a=[(0.5, (1, 0))], b=[(1, (-1, 0))]))


def test_an_infimum_that_is_only_approached_is_told_so():
    """min 1 + 1/x falls to 1 as x grows, and never gets there."""
    found = infimum(program([(1, (0, 0)), (1, (-1, 0))]))
    assert found.value == pytest.approx(1)
    assert not found.attained
    free = infimum(program([(1, (-1, 0))], cap=[(1, (0, 1))]))
    assert free.value == 0
    held = infimum(program([(1, (-1, 0))], cap=[(0.25, (1, 0))]))
    assert held.value == pytest.approx(0.25)
    assert held.attained


def test_an_infimum_at_infinity_needs_the_rest_to_be_met():
    """1/x falls to 0 as x grows, but only where y has a place."""
    low, high = [(1, (0, -1))], [(2, (0, 1))]
    assert infimum(program([(1, (-1, 0))], low=low, high=high)).value == math.inf
    exact = infimum(program([(1, (-1, 0))], low=low, high=[(1, (0, 1))]))
    assert exact.value == 0


def test_without_variables_left_a_broken_constraint_still_counts():
    """What remains is 2 ≤ 1: there is no feasible point."""
    p = program([(1, (0, 0))], wall=[(2, (0, 0))])
    assert infimum(p).value == math.inf
    assert infimum(program([(3, (0, 0))], wall=[(0.5, (0, 0))])).value == pytest.approx(
        3
    )


def test_the_least_relaxation_of_one_bound_keeps_the_others():
    p = program([(1, (1, 1))], a=[(2, (1, 0))], b=[(3, (-1, 0))])
    assert least_relaxation(p, ["a"]).value == pytest.approx(6)


@pytest.mark.parametrize("seed", range(12))
def test_a_conflict_of_many_bounds_is_irreducible_by_brute_force(seed):
    """Random half-planes in ln x and ln y: each subset is asked by itself."""
    random = np.random.default_rng(seed)
    bounds = {
        f"b{i}": [(float(np.exp(c)), tuple(a))]
        for i, (c, a) in enumerate(
            zip(random.uniform(-0.5, 2, 7), random.normal(size=(7, 2)), strict=True)
        )
    }

    def broken(names):
        rows = {name: bounds[name] for name in names}
        return least_relaxation(program([(1, (1, 1))], **rows), list(names)).value > 1

    if not broken(bounds):
        return
    conflict = diagnose(program([(1, (1, 1))], **bounds))
    assert broken(conflict.names)
    for name in conflict.names:
        assert not broken([n for n in conflict.names if n != name])
    for name, factor in conflict.factors.items():
        cured = not broken([n for n in bounds if n != name])
        assert (factor is not None) == cured
