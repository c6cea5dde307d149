"""Members of a sweep are formulated together, not one by one."""

import numpy as np
import pytest

from optimizer.question.load import read_scenario
from optimizer.question.vary import groups, plan

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
