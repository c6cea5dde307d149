"""Where numbers leave what exists: told with their place, never a plan."""

import pytest

from optimizer.errors import InputError

# Far outside any run, this law reaches the target with next to no parameters.
DENORMAL = """\
law: {E: 0.5, A: 0.001, B: 2085, alpha: 0.02, beta: 0.01}
objective: dollars
target: {match: {parameters: 1287988927.5721698, tokens: 38020838076.48693}}
training: {hardware: h100-sxm, mfu: 0.4, price: 1e-12}
serving: {hardware: h100-sxm, mfu: 0.1, price: 1000000000.0}
demand: {tokens: 1e+33}
"""


def test_a_plan_below_one_parameter_is_refused(ask):
    with pytest.raises(InputError, match="parameters, and below one there is no model"):
        ask(DENORMAL)


def test_one_parameter_is_no_limit_of_ordinary_plans(ask):
    """A small model for a weak target stays an answer."""
    answer = ask("law: besiroglu-2024-refit\ntarget: {loss: 9}\ndemand: {tokens: 1M}\n")
    assert answer.plan.parameters > 1
    assert answer.plan.tokens > 1


@pytest.mark.parametrize(
    ("limits", "instead"),
    [
        ("training_time: 30 days", "In place of more time, 15300 accelerators"),
        ("total_cost: $1M", "The smallest change that restores a plan is target"),
    ],
)
def test_a_cure_beyond_what_a_field_takes_is_not_advised(ask, limits, instead):
    """One accelerator, a 400B to match: no plan, and no end of the answer."""
    answer = ask(
        "law: besiroglu-2024-refit\nobjective: dollars\n"
        "target: {match: {parameters: 400B}}\n"
        "training: {hardware: h100-sxm, mfu: 40 %, accelerators: 1, price: $2/h}\n"
        "serving: {hardware: h100-sxm, mfu: 40 %, price: $1e15/h}\n"
        f"demand: {{tokens: 2T}}\nlimits: {{{limits}}}\n"
    )
    assert answer.plan is None
    reason = answer.infeasibility.reason
    assert instead in reason
    assert f"limits.{limits.partition(':')[0]} to" not in reason
