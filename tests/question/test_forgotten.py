"""What is allowed and hardly meant is told; what replaces another word says so."""

import pytest

from optimizer.errors import InputError
from optimizer.question.forgotten import oddities
from optimizer.question.load import read_scenario

TEXT = """\
name: s
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
DAILY = """\
name: s
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand:
  requests: 3M/day
  input_tokens: 800
  output_tokens: 300
  lifetime: 2 years
"""


def odd(text, *overrides):
    return list(oddities(read_scenario(text, "s.yaml", overrides)))


def codes(answer):
    return {warning.code for warning in answer.warnings}


def test_what_is_meant_is_no_oddity():
    assert odd(TEXT) == odd(DAILY) == []
    assert odd(TEXT, "demand.tokens=0") == []


def test_a_forgotten_suffix(ask):
    """`parameters: 13` gave a plan of 13 parameters on 786 tokens, and `check: ok`."""
    (found,) = odd(TEXT.replace("13B", "13"))
    assert found == (
        "forgotten-unit",
        "target.match.parameters is 13: did you mean 13B?",
    )
    ((_, told),) = odd(TEXT, "demand.tokens=2")
    assert told == "demand.tokens is 2: did you mean 2T?"
    assert "forgotten-unit" in codes(ask(TEXT, "demand.tokens=2"))


def test_requests_in_all_beside_a_lifetime(ask):
    """Without `/day`, 3M requests were 7.2B tokens in place of 5.26T."""
    ((code, told),) = odd(DAILY.replace("3M/day", "3M"))
    assert code == "forgotten-unit"
    assert told.startswith("demand.requests counts requests in all")
    assert "5M/day" in told
    assert "forgotten-unit" in codes(ask(DAILY.replace("3M/day", "3M")))


def test_a_value_that_is_replaced_by_its_alternative_is_said(ask):
    ((code, told),) = odd(TEXT, "target.loss=2.1")
    assert code == "replaced"
    assert told == (
        "--set target.loss=2.1 takes the place of target.match of s.yaml:3:10"
    )
    budget = TEXT.replace(
        "target: {match: {parameters: 13B}}", "budget: {compute: 1e23}"
    )
    assert "replaced" in codes(ask(budget, "budget.training_compute=1e22"))


def test_two_overrides_that_exclude_each_other_are_a_mistake():
    with pytest.raises(InputError) as caught:
        read_scenario(TEXT, "s.yaml", ("fix.parameters=8B", "fix.tokens=15T"))
    assert str(caught.value) == (
        "--set fix.tokens=15T: cannot stand beside --set fix.parameters=8B; keep one "
        "of them"
    )


def test_numbers_say_where_they_came_from(ask):
    """`--set target.match.parameters=8B` was said to come from the law."""
    answer = ask(
        TEXT + "limits: {tokens: 300B}\n",
        "target.match.parameters=8B",
        "limits.parameters=9B",
    )
    moves = {move.input: move.source for move in answer.sensitivities}
    assert moves["target.match.parameters"] == "--set target.match.parameters=8B"
    assert moves["demand.tokens"].startswith("scenario.yaml:4:")
    assert moves["law.A"] == "law"
    walls = {wall.name: wall.source for wall in answer.limits}
    assert walls["limits.parameters"] == "--set limits.parameters=9B"
    assert walls["limits.tokens"].startswith("scenario.yaml:5:")


SHAPED = (
    DAILY + "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n"
)


def test_an_architecture_that_nothing_reads(ask):
    """2·N a token is the same with any layers, and the answer did not say so."""
    ((code, told),) = odd(SHAPED)
    assert code == "unread-architecture"
    assert "model: measured" in told
    assert ask(SHAPED).plan == ask(DAILY).plan


@pytest.mark.parametrize(
    "more",
    [
        "serving: {attention: true}\n",
        "serving: {hardware: h100-sxm, precision: fp8, model: measured}\n",
        "limits: {memory: 60 GB}\nserving: {weights: int4, context: 8192}\n",
    ],
)
def test_one_that_is_read(more):
    assert odd(SHAPED + more) == []
