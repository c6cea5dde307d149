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
        # A target that would do leads to less than one parameter.
        ("total_cost: $1M", "No single change restores a plan"),
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


def test_repeated_data_that_support_more_than_numbers_hold_are_told(ask):
    """One line of the chart of sizes ended the answer: N_opt(U) is 3e-311·U^55."""
    law = "law: {E: 1.15, A: 14.1, B: 432425, alpha: 0.02, beta: 1.1}\n"
    asked = "target: {match: {parameters: 7B}}\ndemand: {tokens: 500B}\n"
    assert ask(law + asked).plan is not None
    told = r"yaml:4:23: data.unique_tokens: cannot be counted .* power .* = 55 "
    with pytest.raises(InputError, match=told):
        ask(law + asked + "data: {unique_tokens: 60B}\n")


def test_a_loss_that_tokens_alone_decide_is_told(ask):
    """Beside one token of data, parameters change the loss by a part in 1e9."""
    text = (
        "law: besiroglu-2024-refit\nobjective: dollars\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}\n"
        "serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}\n"
        "demand: {tokens: 4T}\nbudget: {training_time: 60 days, best_for: lifetime}\n"
        "limits: {tokens: 1}\n"
    )
    with pytest.raises(InputError, match="so near the lowest loss of its data"):
        ask(text)
    assert ask(text.replace("tokens: 1}", "tokens: 1B}")).plan is not None


def test_a_target_that_next_to_nothing_reaches_is_told(ask):
    """1e60 nats took sizes that no number holds, and ended as a defect."""
    law = "E: 0.1, A: 1.07, B: 102492, alpha: 0.02, beta: 0.35, G: 0.03, gamma: 0.8"
    text = f"law: {{{law}}}\ntarget: {{loss: 1e60}}\n"
    samples = "demand: {tokens: 1T, samples: {at_least: 1, at_most: 64}}\n"
    with pytest.raises(InputError, match="below one there is no model"):
        ask(text + samples)


def test_machines_of_which_another_is_whole_at_an_end_of_a_range(ask):
    """A guess of prices was for a program of another shape, and ended as a defect."""
    answer = ask(
        "law: {E: 2, A: 1, B: 6412, alpha: 0.077, beta: 0.0983}\nobjective: dollars\n"
        "target: {match: {parameters: 13B}}\n"
        "demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300,\n"
        "  lifetime: 2 years}\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}\n"
        "serving: {model: roofline, hardware: h100-sxm, precision: fp8, mfu: 50 %,\n"
        "  mbu: 70 %, price: $2/h, max_time_per_output_token: 30 ms}\n"
        "architecture: {layers: 1480, width: 5120, kv_heads: 8, head_size: 128}\n"
        "post_training: {rollout_tokens: 500B, trained_on: 20 %, input_tokens: 500,\n"
        "  output_tokens: 8000}\n"
    )
    for near in answer.near_optimal:
        assert near.parameters[0] <= answer.plan.parameters <= near.parameters[1]


def test_overtraining_beyond_numbers_is_told(ask):
    """It was `inf × the Chinchilla-optimal tokens of its size`."""
    with pytest.raises(InputError, match="training-optimal model is next to none"):
        ask(
            "law: {E: 0.66, A: 23306, B: 0.0306, alpha: 0.1, beta: 0.02}\n"
            "target: {match: {parameters: 7B}}\ndemand: {tokens: 65T}\n"
            "limits: {parameters: 200}\n"
        )


def test_what_is_fixed_where_the_best_is_no_model_is_told(ask):
    """Without what is fixed the law asks for less than one token."""
    with pytest.raises(InputError, match="and below one there is no model"):
        ask(
            "law: {E: 0.32, A: 9.12, B: 206108, alpha: 0.96, beta: 0.11, k: 0.96,\n"
            "  counts: non-embedding}\ntarget: {match: {model: llama-3-8b}}\n"
            "fix: {parameters: 8030261248}\ndemand: {tokens: 50T}\n"
        )


def test_a_target_whose_cure_no_file_takes_ends_the_search_for_one(ask):
    """It was looked for an infinite way further, until the numbers ended."""
    answer = ask(
        "law: {E: 1.7, A: 1, B: 1e6, alpha: 0.135, beta: 0.864, G: 5.4e+29,\n"
        "      gamma: 0.315}\n"
        "plan: {parameters: 7B, tokens: 2M}\n"
        "serving: {weights: int4, batch: 1, context: 8192, "
        "quantization_penalty: true}\n"
        "architecture: {layers: 28, width: 3072, kv_heads: 8, head_size: 128}\n"
        "demand: {requests: 200M/day, input_tokens: 300, output_tokens: 150,\n"
        "         lifetime: 2 years}\n"
        "limits: {memory: 4 GB}\n"
    )
    assert answer.plan is None
    assert "5.4e+29" in answer.infeasibility.reason


def test_a_demand_that_no_number_holds_suits_no_plan_and_refuses_none(ask):
    """A plan on 15,000 epochs: `demand: serves more tokens than any number`."""
    answer = ask(
        "law: besiroglu-2024-refit\n"
        "plan: {parameters: 8B, tokens: 15T}\n"
        "demand: {tokens: 50T}\n"
        "data: {unique_tokens: 1B}\n"
    )
    assert answer.own.implied_demand is None
    assert "more than any number" in answer.own.implied_reason
