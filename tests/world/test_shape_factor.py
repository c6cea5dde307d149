"""The shape factor: the numbers of its source, and what `--snap` makes of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from optimizer.analysis.plan.snap import snap
from optimizer.question.load import read_scenario
from optimizer.world.models import load_model, record_named
from optimizer.world.shape_factor import BEST, factor, relative_factor

TEXT = """
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
BUDGET = """
law: besiroglu-2024-refit
budget: {training_compute: 1e24}
demand: {tokens: 2T}
"""


def test_numbers_of_the_source() -> None:
    """arXiv 2510.18245, section 5.1: the least f, and f of another shape."""
    assert factor(*BEST) == pytest.approx(1.0028, abs=5e-5)
    assert factor(0.066, 4.8) == pytest.approx(1.0157, abs=5e-5)


def test_nothing_near_is_better() -> None:
    """Brute force: no shape of a grid is below the one that is called best."""
    grid = [
        factor(math.exp(a / 50), math.exp(b / 50))
        for a in range(-200, -60)
        for b in range(-30, 80)
    ]
    assert min(grid) >= factor(*BEST) - 1e-6


def test_only_shapes_that_it_knows() -> None:
    llama = record_named("llama-3-8b")
    wide = llama.width / math.sqrt(llama.active("without_embeddings"))
    (layer,) = set(llama.layers)
    r = layer.feed.parameters / layer.mixer.parameters
    assert relative_factor(llama) == pytest.approx(factor(wide, r) / factor(*BEST))
    for other in ("mixtral-8x7b", "qwen3.5-27b", "deepseek-v3"):
        assert relative_factor(record_named(other)) is None


@pytest.mark.parametrize("text", [TEXT, BUDGET], ids=["target", "budget"])
def test_snap_with_shapes(text: str) -> None:
    """A size needs the tokens with which the law promises the loss over f.

    The tokens are checked by the law alone; a bare size and a mixture are as they are
    without the factor.
    """
    scenario = read_scenario(text)
    sizes = [
        ("llama-3-8b", load_model("llama-3-8b")),
        ("9B", 9e9),
        ("mixtral-8x7b", load_model("llama-2-7b")),
    ]
    plain, shaped = snap(scenario, sizes), snap(scenario, sizes, shapes=True)
    one, two = plain.sizes[0], shaped.sizes[0]
    f = two.shape_factor
    assert f is not None
    assert f == relative_factor(record_named("llama-3-8b"))
    surface = scenario.law.surface()
    if text == TEXT:
        needed = surface.loss(one.parameters, one.tokens or 0) / f
        assert surface.loss(two.parameters, two.tokens or 0) == pytest.approx(
            needed, rel=1e-8
        )
    else:
        assert two.total == pytest.approx(f * (one.total or 0), rel=1e-9)
    assert (two.total or 0) > (one.total or 0)
    bare = shaped.sizes[1]
    assert bare.shape_factor is None
    assert replace(bare, equal=plain.sizes[1].equal) == plain.sizes[1]
    assert any("0.75 %" in note for note in shaped.notes)
    assert not any("0.75 %" in note for note in plain.notes)
