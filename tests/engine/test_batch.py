"""Batches against single solves, on random programs with every feature on and off."""

import importlib.util
import struct

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Posynomial, Term, build
from optimizer.algebra.program import (
    Constraint,
    GeometricProgram,
    Status,
    members,
)
from optimizer.engine import batch
from optimizer.engine.batch import (
    INFEASIBLE,
    OPTIMAL,
    solve_batch,
    solve_block,
)
from optimizer.engine.certify import (
    GAP,
    STATIONARITY,
    VIOLATION,
    UncertifiedError,
    excluded,
    residuals,
)
from optimizer.engine.diagnose import SLIVER, least_relaxation
from optimizer.engine.own import UNSOLVED, Found
from optimizer.engine.second_opinion import solve
from optimizer.engine.stacking import shape, stacked
from optimizer.errors import Defect
from tests.chance import THOROUGH, examples
from tests.engine.random_programs import FEATURES, programs

MEMBERS = 200  # of each drawn shape; with 50 shapes 10,000 programs in all
# cvxpy takes milliseconds for each, so by default it answers a part of them.
ALONE = MEMBERS if THOROUGH else 20


def alone(program):
    """The single solver's answer: a solution, or None where there is no plan."""
    try:
        solution = solve(program)
    except UncertifiedError:
        names = [constraint.name for constraint in program.constraints]
        assert least_relaxation(program, names).value > 1 - SLIVER
        return None
    return solution if solution.status is Status.OPTIMAL else None


@given(st.sets(st.sampled_from(FEATURES)), st.integers(0, 2**32 - 1))
@example(set(), 1)
@example({"roofline", "latency", "memory", "tokens", "compute", "cost"}, 2)
@example({"budget", "parameters", "tokens"}, 3)
@example({"repetition"}, 4)
@example({"repetition", "excess parameters", "data price"}, 5)
@example({"repetition", "excess parameters", "roofline", "latency", "cost"}, 6)
@example({"repetition", "excess parameters", "budget"}, 7)
@example(set(FEATURES) - {"attention", "compute", "decided", "repetition"}, 581)
@settings(max_examples=examples(50), phases=[Phase.explicit, Phase.generate])
def test_a_batch_is_as_good_as_cvxpy(features, seed):
    program = programs(features, seed)
    found = solve_batch(program)
    optimal = found.ended == OPTIMAL
    assert set(found.ended.tolist()) <= {OPTIMAL, INFEASIBLE}
    judged = residuals(program, found.z, found.multipliers)
    for part, told, most in zip(
        judged,
        (found.stationarity, found.violation, found.gap),
        (STATIONARITY, VIOLATION, GAP),
        strict=True,
    ):
        assert (part[optimal] <= most).all()
        # Of few members at once it adds up in another order.
        np.testing.assert_allclose(part[optimal], told[optimal], rtol=0, atol=1e-12)
    assert np.isnan(found.z[~optimal]).all()
    assert np.isnan(found.gap[~optimal]).all()
    for i in range(ALONE):
        one = members(program, np.array([i]))
        solution = alone(one)
        assert (solution is not None) == optimal[i], i
        if solution is None:
            continue
        z, prices = solution.optimum
        cost = one.objective.log_value(np.stack([z, found.z[i]]))
        assert abs(cost[1] - cost[0]) < 1e-9, i
        free = [v for v in one.variables if v in ("N", "D")]
        apart = np.abs(found.z[i] - z)[: len(free)].max()
        # Where all has saturated, more changes nothing that the judge can tell.
        level = residuals(one, found.z[[i]], prices[None])[0][0] <= STATIONARITY
        assert apart < 1e-6 or level, i


def test_repeated_data_is_solved_together():
    """With the multiplier of U ≤ D at 0 where data do not run out, and beyond."""
    for features in ({"repetition"}, {"repetition", "excess parameters", "tokens"}):
        program = programs(features, 12, 1000)
        found = solve_batch(program)
        optimal = found.ended == OPTIMAL
        unique, read = program.constraints[1:3]
        assert (unique.name, read.name) == ("data.unique_tokens", "data.read")
        scarce = optimal & (unique.posynomial.log_value(found.z) > -1e-9)
        assert min(scarce.sum(), (optimal & ~scarce).sum()) > 50
        assert found.alone < 5


def test_what_is_infeasible_has_a_proof_that_the_judge_accepts():
    """And the judge accepts none for a program that has a plan."""
    x, y = ({"x": 1.0}, {"y": 1.0})
    cap = Many(np.array([0.5, 2.0]))
    program = GeometricProgram(
        build(("x", "y"), [Term("", 1.0, {"x": 1.0, "y": 1.0})]),
        (
            Constraint("a", build(("x", "y"), [Term("", 1 / cap, x)])),
            Constraint("b", build(("x", "y"), [Term("", 1.0, {"x": -1.0})])),
            Constraint("c", build(("x", "y"), [Term("", 1.0, {"y": -1.0})])),
        ),
    )
    assert solve_batch(program).ended.tolist() == [INFEASIBLE, OPTIMAL]
    z, weights = np.zeros((2, 2)), np.array([[0.5, 0.5, 0.0]] * 2)
    assert excluded(program, z, weights).tolist() == [True, False]
    assert not excluded(program, z, -weights).any()
    assert y  # the second variable is not part of the conflict


def test_an_optimum_at_infinity_is_still_found_infeasible():
    """x ≤ 1 and 2/x + 1/y ≤ 1: nearer as y grows, and never there."""
    names = ("x", "y")
    program = GeometricProgram(
        build(names, [Term("", 1.0, {"x": 1.0, "y": 1.0})]),
        (
            Constraint("cap", build(names, [Term("", 1.0, {"x": 1.0})])),
            Constraint(
                "target",
                build(names, [Term("", 2.0, {"x": -1.0}), Term("", 1.0, {"y": -1.0})]),
            ),
        ),
    )
    assert solve_batch(program).ended.tolist() == [INFEASIBLE]


@pytest.mark.parametrize(
    "features", [set(), {"tokens", "cost"}, {"roofline", "repetition", "latency"}]
)
def test_what_numba_compiles_answers_the_same(features):
    pytest.importorskip("numba")
    program = programs(features, 5, 600)
    fast, slow = solve_block(program, 600, fast=True), solve_block(program, 600)
    np.testing.assert_array_equal(slow.ended, fast.ended)
    cost = [program.objective.log_value(found.z) for found in (fast, slow)]
    np.testing.assert_allclose(*cost, atol=1e-9)


def test_a_start_far_off_changes_no_answer():
    program = programs({"roofline", "memory"}, 6, 100)
    best = solve_batch(program)
    shifted = np.nan_to_num(best.z) + np.random.default_rng(0).normal(0, 9, (100, 4))
    again = solve_batch(program, shifted)
    np.testing.assert_array_equal(again.ended, best.ended)
    np.testing.assert_allclose(again.z[:, :2], best.z[:, :2], atol=1e-8)


def test_neighbours_change_no_answer():
    """Newton starts from the member before: the order must not matter."""
    for features in ({"tokens", "compute"}, {"repetition", "excess parameters"}):
        program = programs(features, 13, 600)
        near = np.zeros((600, len(program.variables)))
        order = np.argsort(program.objective.log_value(near))
        best = solve_batch(program)
        again = solve_batch(members(program, order))
        np.testing.assert_array_equal(again.ended, best.ended[order])
        np.testing.assert_allclose(again.z[:, :2], best.z[order, :2], atol=1e-9)


def test_blocks_and_threads_change_no_bit(monkeypatch):
    program = programs({"tokens", "data price"}, 7, 3000)
    whole = solve_batch(program)
    monkeypatch.setattr(batch, "BLOCK", 700)
    for workers in (1, 3):
        parts = solve_batch(program, workers=workers)
        np.testing.assert_array_equal(parts.ended, whole.ended)
        np.testing.assert_allclose(parts.z, whole.z, rtol=0, atol=1e-12)


def test_stacking_joins_programs_of_one_shape():
    first, second = programs({"tokens"}, 8, 5), programs({"tokens"}, 9, 3)
    other = programs({"compute"}, 8, 5)
    assert shape(first) == shape(second) != shape(other)
    both = solve_batch(stacked([first, second], [5, 3]))
    alone = [solve_batch(first), solve_batch(second)]
    np.testing.assert_allclose(both.z, np.concatenate([a.z for a in alone]), atol=1e-12)


def test_a_member_that_cannot_be_certified_is_failed_not_wrong(monkeypatch):
    program = programs({"tokens"}, 10, 8)
    monkeypatch.setattr(batch, "closed_form", lambda *_: None)

    def lost(part, start=None):
        count = 1 if start is None else len(start)
        nothing = np.zeros((count, 2))
        return Found(np.full(count, UNSOLVED), nothing, nothing, np.ones((3, count)))

    monkeypatch.setattr(batch.own, "find", lost)

    def broken(*_):
        raise Defect("no")

    monkeypatch.setattr(batch, "otherwise", broken)
    found = solve_batch(program)
    assert (found.ended == batch.FAILED).all()
    assert np.isnan(found.z).all()


def test_tangents_agree_with_the_other_formulas():
    random = np.random.default_rng(3)
    exponents = random.normal(size=(1, 3, 2))
    exponents[0, 1] = [1.0, 0.0]
    for coefficients in (random.uniform(1, 9, (50, 3)), random.uniform(1, 9, (1, 3))):
        p = Posynomial(("x", "y"), coefficients, exponents, ("a", "b", "c"))
        z = random.normal(size=(50, 2))
        value, gradient = p.tangent(z)
        np.testing.assert_allclose(value, p.log_value(z), atol=1e-13)
        np.testing.assert_allclose(gradient, p.gradient(z), atol=1e-13)


def test_a_place_that_cannot_be_written_keeps_nothing_and_works(monkeypatch):
    """numba raises RuntimeError where it finds no folder for what it compiled."""
    numba = pytest.importorskip("numba")
    from optimizer.engine.linear import kept  # noqa: PLC0415 - imports numba

    compile_it = numba.njit

    def unkept(*functions, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_it(*functions, **options)

    monkeypatch.setattr(numba, "njit", unkept)
    assert kept(lambda x: x + 1)(2) == 3


def _fresh(source):
    """A function of a file, compiled and kept as in a process of its own."""
    from optimizer.engine.linear import kept  # noqa: PLC0415 - imports numba

    spec = importlib.util.spec_from_file_location(source.stem, source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return kept(module.scaled)


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_what_was_kept_and_is_broken_is_made_again(kind, tmp_path):
    """As after a full disk: an empty file, or half of one."""
    pytest.importorskip("numba")
    source = tmp_path / "source.py"
    source.write_text("def scaled(x):\n    return 2 * x\n")
    assert _fresh(source)(2.0) == 4.0
    (file,) = (tmp_path / "__pycache__").glob(f"*.{kind}")
    whole = file.read_bytes()
    for broken in (b"", whole[: len(whole) // 2]):
        file.write_bytes(broken)
        assert _fresh(source)(2.0) == 4.0
        assert len(file.read_bytes()) == len(whole)


def test_what_was_kept_is_not_run_with_a_flipped_bit(tmp_path):
    """A bit of a constant, in machine code that loads and runs all the same."""
    pytest.importorskip("numba")
    source = tmp_path / "source.py"
    source.write_text("def scaled(x):\n    return 1234.5678 * x\n")
    assert _fresh(source)(1.0) == 1234.5678
    (file,) = (tmp_path / "__pycache__").glob("*.nbc")
    whole, constant = file.read_bytes(), struct.pack("<d", 1234.5678)
    if constant not in whole:
        pytest.skip("the code of this machine holds constants otherwise")
    sign = whole.index(constant) + 7
    file.write_bytes(whole[:sign] + bytes([whole[sign] ^ 0x80]) + whole[sign + 1 :])
    assert _fresh(source)(1.0) == 1234.5678
    assert constant in file.read_bytes()
    before = file.stat().st_mtime_ns
    assert _fresh(source)(1.0) == 1234.5678
    assert file.stat().st_mtime_ns == before  # what is whole stays
