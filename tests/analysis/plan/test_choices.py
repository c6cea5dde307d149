"""Lists in place of values: the best equals the least of separate solves."""

import itertools

import pytest

from optimizer.algebra.program import Status
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario

TEXT = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving:
  model: roofline
  hardware: h100-sxm
  weights: fp8
  mfu: 0.5
  mbu: 0.7
  price: $2/h
  max_time_per_output_token: 12 ms
demand: {requests: 1M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
"""
HARDWARE = ("h100-sxm", "l4", "a100-80-sxm")
WEIGHTS = ("bf16", "int4", "fp8")


def listed(values):
    return f"[{', '.join(map(str, values))}]"


def test_the_best_is_the_least_of_separate_solves(ask):
    answer = ask(
        TEXT,
        f"serving.hardware={listed(HARDWARE)}",
        f"serving.weights={listed(WEIGHTS)}",
        "serving.accelerators=[1, 2]",
    )
    rows = {tuple(row.choice.values()): row for row in answer.alternatives}
    assert len(rows) == 18
    totals = {}
    for chip, weights, count in itertools.product(HARDWARE, WEIGHTS, (1, 2)):
        alone = ask(
            TEXT,
            f"serving.hardware={chip}",
            f"serving.weights={weights}",
            f"serving.accelerators={count}",
        )
        row = rows[chip, weights, str(count)]
        if alone.plan is None:
            assert row.status == "infeasible"
            assert alone.infeasibility.reason.startswith(row.reason)
            assert row.total is None
            continue
        assert row.total == pytest.approx(alone.cost.total, rel=1e-10)
        totals[chip, weights, str(count)] = alone.cost.total
    best = min(totals, key=totals.get)
    assert tuple(answer.choice.values()) == best
    assert answer.choice.keys() == {
        *("serving.hardware", "serving.weights", "serving.accelerators")
    }
    assert answer.cost.total == pytest.approx(totals[best], rel=1e-10)
    assert [k for k, row in rows.items() if row.status == "best"] == [best]
    assert passes(answer.certificate)
    # Each kind of row occurs: an L4 is too slow for one of these models.
    assert {row.status for row in rows.values()} == {"best", "optimal", "infeasible"}


def test_what_does_not_fit_together_is_a_row_with_the_reason(ask):
    answer = ask(
        TEXT,
        "serving.hardware=[h100-sxm, a100-80-sxm]",
        "serving.precision=[bf16, fp8]",
    )
    (refused,) = (row for row in answer.alternatives if row.status == "refused")
    assert refused.choice == {
        "serving.hardware": "a100-80-sxm",
        "serving.precision": "fp8",
    }
    assert "a100-80-sxm has no fp8 peak" in refused.reason
    assert refused.total is None
    assert answer.choice["serving.precision"] == "fp8"


def test_a_budget_takes_the_choice_of_least_loss(ask):
    text = TEXT.replace("target: {match: {parameters: 13B}}", "budget: {cost: $80k}")
    answer = ask(text, f"serving.weights={listed(WEIGHTS)}")
    losses = {w: ask(text, f"serving.weights={w}").plan.loss for w in WEIGHTS}
    assert answer.choice == {"serving.weights": min(losses, key=losses.get)}
    found = {row.choice["serving.weights"]: row.total for row in answer.alternatives}
    assert found == pytest.approx(losses, rel=1e-10)


def test_experts_are_chosen_at_one_loss(ask):
    text = "law: ludziejewski-2025\ntarget: {loss: 2.3}\ndemand: {tokens: 1T}\n"
    answer = ask(text, "experts=[1, 8, 32]")
    alone = {str(e): ask(text, f"experts={e}").cost.total for e in (1, 8, 32)}
    assert answer.choice == {"experts": min(alone, key=alone.get)}
    found = {row.choice["experts"]: row.total for row in answer.alternatives}
    assert found == pytest.approx(alone, rel=1e-10)


def test_a_list_of_one_stream(ask):
    text = (
        TEXT.replace(
            "demand: {requests", "demand:\n  - {name: chat, requests"
        ).rstrip()[:-1]
        + ", serving: {weights: [bf16, int4]}}\n"
    )
    answer = ask(text)
    assert answer.choice == {"demand[0].serving.weights": "int4"}


def test_where_no_choice_has_a_plan_each_says_why(ask):
    answer = ask(
        TEXT, "serving.weights=[bf16, fp8]", "serving.max_time_per_output_token=0.3 ms"
    )
    assert answer.status is Status.INFEASIBLE
    assert answer.infeasibility.reason
    assert answer.choice == {"serving.weights": "fp8"}  # half the bytes of a step
    assert all(row.reason for row in answer.alternatives)
    assert {row.status for row in answer.alternatives} == {"infeasible"}


def test_a_described_chip_among_the_choices(ask):
    own = (
        "{name: mine, peaks: {bf16: 2000 TFLOP/s, fp8: 4000 TFLOP/s}, memory: 300 GB, "
        "bandwidth: 20 TB/s}"
    )
    answer = ask(TEXT, f"serving.hardware=[h100-sxm, {own}]")
    assert answer.choice == {"serving.hardware": "mine"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("serving.weights=[]",), "serving.weights: is an empty list; give one value"),
        (("serving.weights=[fp8, fp8]",), "serving.weights: has a value twice"),
        (
            ("serving.hardware=[h100-sxm, h100-sxn]", "serving.weights=[fp8]"),
            None,
        ),
        (
            ("serving.hardware=[h100-sxn, h101]",),
            "serving.hardware: must be a .yaml file or one",
        ),
        (
            (f"serving.accelerators={listed(range(1, 300))}",),
            "serving.accelerators: makes 299 combinations",
        ),
        (("serving.mfu=[0.3, 0.5]",), "serving.mfu: "),
    ],
)
def test_lists_that_cannot_be_chosen_from(ask, overrides, message):
    if message is None:
        answer = ask(TEXT, *overrides)
        assert [row.status for row in answer.alternatives] == ["best", "refused"]
        return
    with pytest.raises(InputError) as caught:
        read_scenario(TEXT, "s.yaml", overrides)
    assert message in str(caught.value)


def test_experts_cannot_be_compared_by_a_match():
    text = (
        "law: ludziejewski-2025\ntarget: {match: {parameters: 2B}}\n"
        "demand: {tokens: 1T}\nexperts: [1, 8]\n"
    )
    with pytest.raises(InputError, match="another quality for each number of experts"):
        read_scenario(text)
