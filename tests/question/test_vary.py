"""Members of a sweep are formulated together, not one by one."""

from functools import partial

import numpy as np
import pytest

from optimizer.analysis.plan.reach import out_of_reach, unreachable
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario
from optimizer.question.vary import groups, member, plan

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
