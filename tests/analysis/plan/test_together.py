"""Searches hand in hand: each hears its own solutions, in its own order."""

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan import together as module
from optimizer.analysis.plan.together import together
from optimizer.errors import Defect
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario


def question(loss):
    text = (
        f"law: besiroglu-2024-refit\ntarget: {{loss: {loss}}}\ndemand: {{tokens: 2T}}\n"
    )
    return formulate(read_scenario(text, "one.yaml"))


def costs(*rounds):
    """A search that asks round after round, and returns all that it was told."""
    told = []
    for losses in rounds:
        found = yield [question(loss) for loss in losses]
        told.append([one.value for one in found])
    return told


def test_searches_of_different_lengths_hear_their_own():
    asked = ([2.0, 2.1], [2.2]), (), ([2.05],), ([2.3], [], [2.0])
    found = together([costs(*rounds) for rounds in asked])
    alone = [together([costs(*rounds)])[0] for rounds in asked]
    assert found == alone
    assert [[len(one) for one in each] for each in found] == [
        [2, 1],
        [],
        [1],
        [1, 0, 1],
    ]
    # A lower loss costs more: nobody hears what another asked.
    (first, second), (third,) = found[0]
    assert first == found[3][2][0] > found[2][0][0] > second > third > found[3][0][0]


def test_one_round_is_one_call(monkeypatch):
    calls = []
    solve_each = module.solve_each

    def counted(programs, *starts):
        calls.append(len(programs))
        return solve_each(programs, *starts)

    monkeypatch.setattr(module, "solve_each", counted)
    together([costs([2.0, 2.1], [2.2]), costs([2.3])])
    assert calls == [3, 1]


def test_what_one_raises_is_raised():
    def failing():
        (found,) = yield [question(2.0)]
        assert found.status is Status.OPTIMAL
        raise Defect("of its own")

    with pytest.raises(Defect, match="of its own"):
        together([costs([2.1], [2.2]), failing()])


def test_none_is_none():
    assert together([]) == []
