"""Targets as an error on downstream tasks (Gadre et al. 2024, arXiv 2403.08540)."""

import math

import pytest

from optimizer.errors import InputError
from optimizer.question.inputs import STEP
from optimizer.world.laws import load_law

TEXT = "law: gadre-2024-c4\ntarget: {error: 0.6}\ndemand: {tokens: 1T}\n"


def test_an_error_is_the_loss_that_the_law_maps_to_it(ask):
    """Eq. 5, Err = ε − k·exp(−γL), with the 17-task figures of the authors' code."""
    a = ask(TEXT)
    loss = math.log(2.07891 / (0.849742 - 0.6)) / 0.756121
    assert a.target_loss == pytest.approx(loss, rel=1e-12)
    assert load_law("gadre-2024-c4").error.error(loss) == pytest.approx(0.6)


def test_its_elasticity_is_a_difference_of_solves(ask):
    found = {s.input: s.elasticity for s in ask(TEXT).sensitivities}
    h = 1e-5
    up, down = (ask(TEXT, f"target.error={0.6 * (1 + h * k)!r}") for k in (1, -1))
    slope = (math.log(up.cost.total) - math.log(down.cost.total)) / (2 * h)
    assert found["target.error"] == pytest.approx(slope, rel=1e-6)
    assert h > STEP


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["target.error=0.9"], "errors that this law knows, got 0.9"),
        (["law=besiroglu-2024-refit"], "needs a law that maps loss to error"),
    ],
)
def test_errors_that_no_loss_has_are_refused(ask, overrides, message):
    with pytest.raises(InputError, match=message):
        ask(TEXT, *overrides)
