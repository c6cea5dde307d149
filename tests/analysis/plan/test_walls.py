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
