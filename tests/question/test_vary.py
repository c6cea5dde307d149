"""Members of a sweep are formulated together, not one by one."""

from functools import partial

import numpy as np
import pytest

from optimizer.analysis.plan.reach import out_of_reach, unreachable
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.inputs import changed
from optimizer.question.load import read_scenario
from optimizer.question.vary import groups, member, plan
from optimizer.records import replace

TARGETS = {
    "a loss": "{loss: 2.1}",
    "a model to match": "{match: {parameters: 13B}}",
    "a model to match, with its tokens": "{match: {parameters: 13B, tokens: 1T}}",
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_law_that_varies_is_one_group(target):
    """A check that knows plain numbers only parts a thousand draws into a thousand."""
    text = f"law: besiroglu-2024-refit\ntarget: {TARGETS[target]}\n"
    varied = ["law.alpha=0.33,0.34,0.35", "law.A=400,480,500"]
    sweep = plan(read_scenario(text + "demand: {tokens: 2T}\n"), varied)
    columns = sweep.columns(0, 9)
    found = list(groups(sweep, columns, lambda scenario, question: question))
    assert [group.problem for group in found] == [""]
    assert np.sort(found[0].rows).tolist() == list(range(9))


@pytest.mark.parametrize("limits", ["{parameters: 9B}", "{parameters: 9B, tokens: 1T}"])
def test_limits_of_a_size_part_no_batch(limits):
    """Whether a limit leaves a target is asked of all draws at once."""
    text = f"law: besiroglu-2024-refit\ntarget: {{loss: 2.1}}\nlimits: {limits}\n"
    varied = ["law.alpha=0.33,0.34,0.35", "law.A=400,480,500"]
    sweep = plan(read_scenario(text + "demand: {tokens: 2T}\n"), varied)
    found = list(groups(sweep, sweep.columns(0, 9), out_of_reach))
    singly = [
        unreachable(one, formulate(one))
        for one in map(partial(member, sweep), range(9))
    ]
    assert len(found) == len({group.view for group in found})
    for group in found:
        assert {singly[row] is not None for row in group.rows} == {group.view}


@pytest.mark.parametrize(
    ("varied", "told"),
    [
        ("law.alpha=0.3,-1,0.32", "law.alpha: must be above 0, got -1"),
        ("law.extras.R_D_star=10,-3,15", "must be above 0, got -3"),
        ("law.pass_at_k.theta1=3,-1,6", "must be above 0, got -1"),
        ("law.pass_at_k.theta2=0.8,2,0.9", "must be above 0 and at most 1, got 2"),
    ],
)
def test_each_number_of_a_law_in_a_list_is_one_that_a_law_can_have(
    tmp_path, varied, told
):
    """The first and the last were checked; one between gave a certified plan."""
    (tmp_path / "law.yaml").write_text(
        "form: chinchilla\n"
        "coefficients: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283}\n"
        "extras: {R_D_star: 15, R_N_star: 5}\n"
        "pass_at_k: {theta0: 2.2, theta1: 6, theta2: 0.9, theta3: 1, theta4: -0.5}\n"
    )
    text = f"law: {tmp_path}/law.yaml\ntarget: {{loss: 2.1}}\ndemand: {{tokens: 2T}}\n"
    scenario = read_scenario(text)
    with pytest.raises(InputError) as caught:
        plan(scenario, [varied])
    assert told in str(caught.value)


def test_a_scenario_is_formulated_once_and_a_changed_one_anew():
    one = read_scenario(
        "{law: kaplan-2020, target: {loss: 2.5}, demand: {tokens: 1T}}", "a.yaml"
    )
    other = changed(one, ("target", "loss"), lambda loss: loss + 0.1)
    assert formulate(one) is formulate(one)
    assert formulate(other).target == pytest.approx(2.6)
    assert formulate(one).target == 2.5
    assert formulate(replace(one)) is not formulate(one)
