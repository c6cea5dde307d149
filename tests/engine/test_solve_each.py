"""Programs of several shapes at once, against each alone; one of them is hopeless."""

import numpy as np
import pytest

from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, Engine, GeometricProgram, members
from optimizer.algebra.program import Status as End
from optimizer.engine import own
from optimizer.engine import solve as engine
from optimizer.engine.certify import uncertified
from optimizer.engine.solve import asking_cvxpy, solve, solve_each
from tests.engine.random_programs import programs

KINDS = ({"tokens"}, {"roofline", "memory"}, set(), {"tokens"})


def singles():
    """Programs of one member each, the shapes of `KINDS` in turns."""
    many = [programs(kind, 30 + place, 4) for place, kind in enumerate(KINDS)]
    found = [members(part, np.array([row])) for row in range(4) for part in many]
    for factor in (0.5, 2.0):  # of its least cost, that another may take
        first = found[0]
        most = first.objective.scaled(1 / (factor * solve(first).value))
        walls = (*first.constraints, Constraint("most", most))
        found.append(GeometricProgram(first.objective, walls))
    return found


def starts(asked):
    return [np.zeros(len(program.variables)) for program in asked]


def test_each_ends_as_alone_and_in_its_place():
    asked = singles()
    together = solve_each(asked, starts(asked))
    alone = [solve(p, z) for p, z in zip(asked, starts(asked), strict=True)]
    assert [one.status for one in together] == [one.status for one in alone]
    assert {one.status for one in together} == {End.OPTIMAL, End.INFEASIBLE}
    for mine, program, one in zip(together, asked, alone, strict=True):
        assert mine.program is program
        assert mine.engine is one.engine
        if one.status is End.OPTIMAL:
            assert mine.certificate.gap <= 1e-8
            assert mine.value == pytest.approx(one.value, rel=1e-8)


def test_none_is_none():
    assert solve_each([], []) == []


def test_those_of_one_shape_go_in_one_call(monkeypatch):
    calls = []
    find = own.find

    def counted(program, start=None, gap=1e-8):
        calls.append(1 if start is None else len(start))
        return find(program, start, gap)

    monkeypatch.setattr(own, "find", counted)
    asked = [p for p in singles() if len(p.variables) > 2]
    solve_each(asked, starts(asked))
    assert calls == [len(asked)]


def test_cvxpy_answers_each_where_it_is_asked():
    asked = singles()[:3]
    with asking_cvxpy():
        told = solve_each(asked, starts(asked))
    ours = solve_each(asked, starts(asked))
    for one, other in zip(told, ours, strict=True):
        assert one.engine is Engine.CVXPY or one.status is End.INFEASIBLE
        if one.status is End.OPTIMAL:
            assert one.value == pytest.approx(other.value, rel=1e-8)


def test_what_no_engine_certifies_has_no_point(monkeypatch):
    """Bounds that leave next to no room: no multipliers prove such a point."""

    def refused(program, start=None, gap=1e-8):
        raise uncertified(ours.certificate, gap)

    x = ("x",)
    least = build(x, [Term("", 1.0, {"x": 1.0})])
    most = Constraint("most", build(x, [Term("", 1.0, {"x": -1.0})]))
    program = GeometricProgram(least, (most,))
    ours = solve(program, np.zeros(1))
    monkeypatch.setattr(engine, "closed_form", lambda *_: None)
    monkeypatch.setattr(
        own,
        "find",
        lambda part, start=None, gap=1e-8: own.Found(
            np.array([own.UNSOLVED]),
            np.zeros((1, 1)),
            np.zeros((1, 1)),
            np.ones((3, 1)),
        ),
    )
    monkeypatch.setattr(engine.second_opinion, "solve", refused)
    (found,) = solve_each([program], [np.zeros(1)])
    assert found.status is End.INFEASIBLE
    assert found.z is None
