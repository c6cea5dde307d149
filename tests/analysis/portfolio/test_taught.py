"""Students of the models of a portfolio, against a scan by hand."""

from pathlib import Path

import numpy as np
import pytest

from optimizer import load_law
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.question.portfolio_file import read_portfolio
from optimizer.reading.document import load_text
from optimizer.report.formats.decisions import solved
from optimizer.report.formats.text import render
from optimizer.report.pages.portfolio import portfolio_blocks

TEXT = """\
objective: compute
law: busbridge-2025
models:
  - name: edge
    target: {match: {parameters: 3B}}
    demand: {tokens: 500B}
    distillation: {teacher: {parameters: 30B, tokens: 3T}, logits: LOGITS}
  - name: server
    target: {match: {parameters: 13B}}
    demand: {tokens: 2T}
shared: {SHARED}
"""
TEACHER = (30e9, 3e12)


def planned(logits, shared, text=TEXT):
    text = text.replace("LOGITS", logits).replace("SHARED", shared)
    return solve_portfolio(read_portfolio(load_text(text, "p.yaml"), Path()))


def least(loss, served, logits, most_compute, most_tokens):
    """The cheapest student of a fine row of sizes, by the law as it is printed."""
    law = load_law("busbridge-2025")
    c, x = law.coefficients, law.extras

    def supervised(N, D):
        inner = c["A"] * N ** -c["alpha"] + c["B"] * D ** -c["beta"]
        return c["E"] + inner ** c["k"]

    L = float(supervised(*TEACHER))

    def student(N, D):
        grown = 1 + (L / (supervised(N, D) * x["d1"])) ** (1 / x["f1"])
        rest = x["student_A"] * N ** -x["student_alpha"]
        rest = rest + x["student_B"] * D ** -x["student_beta"]
        power = grown ** (-x["c1"] * x["f1"])
        return L + L ** -x["c0"] * power * rest ** x["student_gamma"]

    N = np.geomspace(3e8, 3e10, 40_001)
    low, high = np.full(N.shape, 1e8), np.full(N.shape, 1e15)
    for _ in range(100):
        middle = np.sqrt(low * high)
        up = student(N, middle) > loss
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    D = high
    forward = 2 * TEACHER[0] * D if logits == "paid" else 0.0
    training = 6 * N * D + forward
    total = training + 2 * N * served
    fits = (student(N, D) <= loss * (1 + 1e-9)) & (most_tokens * (1 + 1e-9) >= D)
    fits &= training <= most_compute * (1 + 1e-9)
    best = int(np.argmin(np.where(fits, total, np.inf)))
    return (N[best], D[best], total[best]) if fits.any() else None


CASES = (
    ("free", "training_compute: 1e24"),
    ("paid", "training_compute: 1e24"),
    ("paid", "training_compute: 2.1e22"),
    ("free", "tokens: 500B"),
)


@pytest.mark.parametrize(("logits", "shared"), CASES)
def test_a_student_has_what_the_others_leave(logits, shared):
    joint = planned(logits, shared)
    edge, server = joint.members
    word, _, bound = shared.partition(": ")
    compute, tokens = np.inf, np.inf
    if word == "tokens":
        tokens = float(bound.removesuffix("B")) * 1e9
    else:
        compute = float(bound) - 6 * server.plan.parameters * server.plan.tokens
    want = least(edge.target_loss, 500e9, logits, compute, tokens)
    (way,) = edge.distillation.ways
    assert way.total == pytest.approx(want[2], rel=1e-6)
    # The optimum is flat in the size.
    assert way.student.parameters == pytest.approx(want[0], rel=3e-3)
    assert way.ratio == pytest.approx(want[2] / edge.cost.total, rel=1e-6)
    assert way.certificate.gap < 1.1e-5
    assert server.distillation is None


def test_what_is_shared_binds_a_student_too():
    """On 30B tokens it is larger than on the 38B that it would take."""
    text = TEXT.replace("13B", "1B")
    free, bound = (
        planned("free", shared, text) for shared in ("tokens: 1T", "tokens: 30B")
    )
    loose, (way,) = (joint.members[0].distillation.ways for joint in (free, bound))
    assert loose[0].student.tokens > 36e9
    assert way.student.tokens <= 30e9 * (1 + 1e-9)
    want = least(bound.members[0].target_loss, 500e9, "free", np.inf, 30e9)
    assert way.total == pytest.approx(want[2], rel=1e-4)
    assert way.total > loose[0].total * 1.001


def test_the_page_says_who_learns_and_json_has_it():
    joint = planned("free", "training_compute: 1e24")
    told = " ".join(render(portfolio_blocks(joint), 100).split())
    assert "A teacher pays for edge." in told
    assert "Students teacher student tokens lifetime over the plan " in told
    assert "The joint plan is one without teachers." in told
    short = " ".join(render(portfolio_blocks(joint, full=False), 100).split())
    assert "A teacher pays for edge." in short
    data = solved(joint.members, (None, None), (joint,))["plans"]
    assert data[0]["distillation"]["pays"] is True
    assert data[1]["distillation"] is None
    paid = planned("paid", "training_compute: 1e24")
    assert paid.members[0].distillation.pays is False
    assert "A teacher pays" not in render(portfolio_blocks(paid), 100)
