"""`--engine`: two engines that share nothing but the judge, on one scenario each."""

import json

import numpy as np
import pytest

import optimizer
from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.engine import batch, second_opinion
from optimizer.engine.solve import cvxpy_asked

PLAIN = "law: besiroglu-2024-refit\ntarget: {loss: 2.1}\ndemand: {tokens: 2T}\n"
REPEATED = PLAIN + "data: {unique_tokens: 100B}\n"


@pytest.mark.parametrize(("text", "own"), [(PLAIN, "root"), (REPEATED, "interior")])
def test_both_find_one_plan_and_say_who_did(text, own, run):
    found = {}
    for engine in ("own", "cvxpy"):
        words = ("solve", "-", "--engine", engine, "--format")
        told = json.loads(run(*words, "json", stdin=text.encode()).out)["plans"][0]
        found[told["engine"]] = told["plan"]["parameters"], told["cost"]["total"]
        page = run(*words, "table", "--full", stdin=text.encode()).out
        assert ("found by cvxpy" in " ".join(page.split())) == (engine == "cvxpy")
    assert set(found) == {own, "cvxpy"}
    assert found[own] == pytest.approx(found["cvxpy"], rel=1e-7)
    assert not cvxpy_asked()


def test_in_python_and_in_the_threads_of_a_batch(monkeypatch, ask):
    asked = []
    search = second_opinion.solve

    def noted(*arguments):
        asked.append(arguments)
        return search(*arguments)

    monkeypatch.setattr(batch, "solve", noted)
    monkeypatch.setattr(batch, "BLOCK", 2)
    with optimizer.asking_cvxpy():
        assert ask(PLAIN).engine.value == "cvxpy"
        assert batch.solve_batch(five()).alone == len(asked) == 5
    assert ask(PLAIN).engine.value == "root"
    assert batch.solve_batch(five()).alone == 0


def five():
    """min x·y·c under 1/x + 1/y ≤ 1 for five c."""
    terms = [Term("c", Many(np.arange(1.0, 6.0)), {"x": 1.0, "y": 1.0})]
    wall = [Term("x", 1.0, {"x": -1.0}), Term("y", 1.0, {"y": -1.0})]
    return GeometricProgram(
        build(("x", "y"), terms), (Constraint("wall", build(("x", "y"), wall)),)
    )
