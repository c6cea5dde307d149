"""A mixture's plan says which parameters it means, and what its law knows of it."""

import pytest

from optimizer.report.pages.headline import headline

DENSE = """\
name: s
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
SHAPE = "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128"
MIXED = DENSE + SHAPE + ", parameters: {total: 30B, active: 3B}}\n"
SPARSE = (
    DENSE.replace("besiroglu-2024-refit", "tian-2025-leverage")
    + "sparse: {activation: 10 %, granularity: 12, beyond_fit: true}\n"
)
EXPERTS = """\
name: s
law: ludziejewski-2025
experts: 8
target: {loss: 2.3}
demand: {tokens: 2T}
"""


def codes(answer):
    return {warning.code for warning in answer.warnings}


def sparse_told(answer):
    (found,) = (one for one in answer.warnings if one.code == "sparse-experts")
    return found.message


def test_a_dense_model_has_one_number_of_parameters(ask):
    answer = ask(DENSE)
    assert answer.mixture is None
    assert "active" not in headline(answer)
    assert "dense-law" not in codes(answer)


def test_the_words_of_a_mixture_tell_what_is_stored(ask):
    """A plan of 43.8B stored parameters read `Train 4.38B parameters`."""
    answer = ask(MIXED)
    plan = answer.plan.parameters
    assert answer.mixture.stored_parameters == pytest.approx(10 * plan, rel=1e-12)
    assert not answer.mixture.at_most
    assert "B active parameters, " in headline(answer)
    assert " in all, on " in headline(answer)
    assert "dense-law" in codes(answer)


def test_a_law_of_mixtures_knows_what_its_experts_store(ask):
    """Ludziejewski et al. 2025: up to (4 + 9·E)/13 times as many for E experts."""
    answer = ask(EXPERTS)
    stored = answer.plan.parameters * (4 + 9 * 8) / 13
    assert answer.mixture.stored_parameters == pytest.approx(stored, rel=1e-12)
    assert answer.mixture.at_most
    assert "dense-law" not in codes(answer)
    assert ask(EXPERTS, "experts=1").mixture is None


def test_a_bound_is_called_one(ask):
    answer = ask(SPARSE)
    assert answer.mixture.at_most
    assert answer.mixture.stored_parameters == pytest.approx(
        10 * answer.plan.parameters, rel=1e-12
    )
    assert "B active parameters, at most " in headline(answer)
    assert "at most N over activation" in sparse_told(answer)


def test_what_words_tell_of_all_parameters_is_no_bound(ask):
    """The page said 15B in all, and the warning beside it at most N over activation."""
    answer = ask(SPARSE + SHAPE + ", parameters: {total: 30B, active: 5B}}\n")
    assert not answer.mixture.at_most
    assert answer.mixture.stored_parameters == pytest.approx(
        6 * answer.plan.parameters, rel=1e-12
    )
    assert "those of its architecture" in sparse_told(answer)
