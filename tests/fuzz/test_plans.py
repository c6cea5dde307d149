"""Each plan of a plain law against an evaluation of the test's own, and a scan over N.

Nothing of the package is used but the command: the loss and the cost are written here
again, in 40 digits, and every size in fine logarithmic steps is tried.
"""

import json
from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.fuzz.command import run, well_ended
from tests.fuzz.search import search
from tests.fuzz.words import text

DIGITS = Context(prec=40)
SIZES = np.geomspace(1, 1e18, 20_001)  # [parameters]; a step is 0.21 %
NEAR = 1e-6  # of a limit, which a plan may touch


def _power(base, exponent):
    return DIGITS.power(Decimal(base), Decimal(exponent))


def _loss(law, N, D):
    """E + A·N^-α + B·D^-β in 40 digits [nats]."""
    size = Decimal(law["A"]) * _power(N, -law["alpha"])
    data = Decimal(law["B"]) * _power(D, -law["beta"])
    return Decimal(law["E"]) + size + data


def _tokens(law, loss):
    """Fewest training tokens for a loss at each of SIZES; inf where none will do."""
    left = loss - law["E"] - law["A"] * SIZES ** -law["alpha"]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = (left / law["B"]) ** (-1 / law["beta"])
    return np.where(left > 0, np.maximum(found, 1), np.inf)


def _allowed(limits, N, D):
    """Whether sizes and tokens keep the limits, each with a hair to spare."""
    used = {"parameters": N, "tokens": D, "training_compute": 6 * N * D}
    fits = np.isfinite(D)
    for name, most in limits.items():
        fits &= used[name] <= most * (1 - NEAR)
    return fits


@st.composite
def _questions(draw):
    """A plain law, what is served, and limits of which some bind."""
    law = {
        "E": draw(st.floats(0.5, 2.5)),
        "A": 10 ** draw(st.floats(0, 4)),
        "B": 10 ** draw(st.floats(0, 4)),
        "alpha": draw(st.floats(0.15, 0.6)),
        "beta": draw(st.floats(0.15, 0.6)),
    }
    size, tokens = 10 ** draw(st.floats(6, 13)), 10 ** draw(st.floats(8, 15))
    served = draw(st.sampled_from([0, 1])) * 10 ** draw(st.floats(6, 17))
    limits = {}
    for name, near in (
        ("parameters", size),
        ("tokens", tokens),
        ("training_compute", 6 * size * tokens),
    ):
        if draw(st.integers(0, 2)) == 0:
            limits[name] = max(1.0, near * 10 ** draw(st.floats(-1.5, 1.5)))
    return law, float(_loss(law, size, tokens)), served, limits, 6 * size * tokens


def _asked(law, served, limits, **question):
    demand = {"tokens": served}
    scenario = {"law": law, "demand": demand, "limits": limits, **question}
    done = run(["solve", "-", "--format", "json"], text(scenario))
    well_ended(done)
    if done.code == 2:
        assert "below one there is no model" in done.err
        return None
    (plan,) = json.loads(done.out)["plans"]
    return plan


@search(50, question=_questions())
def test_no_size_reaches_the_target_for_less(question):
    law, loss, served, limits, _ = question
    found = _asked(law, served, limits, target={"loss": loss})
    D = _tokens(law, loss)
    cost = np.where(
        _allowed(limits, SIZES, D), 6 * SIZES * D + 2 * SIZES * served, np.inf
    )
    if found is None:  # then the cheapest has one parameter or one token
        assert min(SIZES[np.argmin(cost)], D[np.argmin(cost)]) < 1.01
        return
    if found["status"] == "infeasible":
        assert not np.isfinite(cost).any(), (question, SIZES[np.argmin(cost)])
        return
    N, D = found["plan"]["parameters"], found["plan"]["tokens"]
    assert float(_loss(law, N, D)) <= loss * (1 + 1e-9)
    used = {"parameters": N, "tokens": D, "training_compute": 6 * N * D}
    assert all(used[name] <= most * (1 + NEAR) for name, most in limits.items())
    exact = 6 * Decimal(N) * Decimal(D) + 2 * Decimal(N) * Decimal(served)
    # A number within 1e-9 of a limit is put on it, here N and D.
    assert found["cost"]["total"] == pytest.approx(float(exact), rel=3e-9)
    assert found["cost"]["total"] <= cost.min() * (1 + NEAR)


@search(30, question=_questions())
def test_no_size_buys_a_lower_loss(question):
    law, _, served, limits, compute = question
    found = _asked(law, served, limits, budget={"compute": compute})
    D = np.minimum(compute / SIZES - 2 * served, np.inf) / 6
    D = np.minimum(D, limits.get("tokens", np.inf))
    D = np.minimum(D, limits.get("training_compute", np.inf) / 6 / SIZES)
    fits = (D >= 1) & (limits.get("parameters", np.inf) * (1 - NEAR) >= SIZES)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = law["E"] + law["A"] * SIZES ** -law["alpha"]
        loss = np.where(fits, loss + law["B"] * D ** -law["beta"], np.inf)
    if found is None:  # where the scan ends there may be fewer tokens yet
        assert min(SIZES[np.argmin(loss)], D[np.argmin(loss)]) < 1.01 or fits[-1]
        return
    if found["status"] == "infeasible":
        assert not np.isfinite(loss).any(), question
        return
    N, D = found["plan"]["parameters"], found["plan"]["tokens"]
    assert 6 * N * D + 2 * N * served <= compute * (1 + NEAR)
    assert found["plan"]["loss"] == pytest.approx(float(_loss(law, N, D)), rel=1e-9)
    assert found["plan"]["loss"] <= loss.min() * (1 + NEAR)
