"""`--engine`: two engines that share nothing but the judge, on one scenario each."""

import json
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import optimizer
from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Term, build
from optimizer.algebra.program import Constraint, GeometricProgram
from optimizer.analysis.story.live import live
from optimizer.commands.explore import serving
from optimizer.engine import batch, second_opinion
from optimizer.engine.solve import cvxpy_asked
from optimizer.reading.document import load_text

PLAIN = "law: besiroglu-2024-refit\ntarget: {loss: 2.1}\ndemand: {tokens: 2T}\n"
REPEATED = PLAIN + "data: {unique_tokens: 100B}\n"
FIXED = PLAIN + "fix: {parameters: 5B}\n"
BUDGET = PLAIN.replace("target: {loss: 2.1}", "budget: {compute: 1e24}")
HELD = REPEATED + "limits: {parameters: 7B}\n"
OURS = [
    *((text, "root") for text in (PLAIN, REPEATED, FIXED, BUDGET)),
    (HELD, "interior"),
]


@pytest.mark.parametrize(("text", "own"), OURS)
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

    monkeypatch.setattr(batch, "BLOCK", 2)
    with optimizer.asking_cvxpy():
        assert ask(PLAIN).engine.value == "cvxpy"
        monkeypatch.setattr(second_opinion, "solve", noted)
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


@pytest.fixture
def second(monkeypatch):
    """How often cvxpy is asked."""
    asked = []
    search = second_opinion.solve

    def noted(*arguments):
        asked.append(arguments)
        return search(*arguments)

    monkeypatch.setattr(second_opinion, "solve", noted)
    return asked


@pytest.mark.parametrize(
    "words",
    [
        ("sweep", "-", "--vary", "demand.tokens=1T:3T:3"),
        ("uncertainty", "-", "--draws", "10"),
    ],
)
def test_rows_and_draws_are_answered_by_cvxpy_where_it_is_asked(words, run, second):
    found = [
        run(*words, *more, stdin=PLAIN.encode()) for more in ((), ("--engine", "cvxpy"))
    ]
    assert len(second) >= 3
    assert [one.code for one in found] == [0, 0]
    # All but who answered, and residuals, which are never alike.
    pages = [
        [
            x
            for x in one.out.partition("Every one")[0].splitlines()
            if x and "cvxpy" not in x
        ]
        for one in found
    ]
    assert pages[0] == pages[1]


def test_a_cluster_has_no_second_opinion(run, tmp_path):
    words = (
        "sweep",
        "-",
        "--sample",
        "10",
        "--cluster",
        "local",
        "-o",
        tmp_path / "rows",
    )
    found = run(*map(str, words), "--engine", "cvxpy", stdin=PLAIN.encode())
    assert found.code == 2
    assert "--engine cvxpy: is for this process, not for a cluster" in found.err


def test_the_explorer_asks_cvxpy_in_its_threads(second):
    """What was asked where it was opened holds for whoever moves a number."""
    explored = live(load_text(PLAIN, "a.yaml"), Path(), ())
    with optimizer.asking_cvxpy(), serving(explored, 0) as server:
        before = len(second)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        link = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        body = json.dumps({"values": {"demand.tokens": "3T"}})
        link.request("POST", "/solve", body, {"Content-Type": "application/json"})
        told = json.loads(link.getresponse().read())
        server.shutdown()
        thread.join()
    assert told["html"]
    assert len(second) > before > 0
