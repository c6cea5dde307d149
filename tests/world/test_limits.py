"""Walls: what each measures, and what it needs."""

import pytest

from optimizer.algebra.posynomial import Term
from optimizer.reading.document import load_text
from optimizer.reading.fields import read_model
from optimizer.world.costs import Architecture, CostLine, value
from optimizer.world.limits import counted, memory_wall, wall
from optimizer.world.machines import Serving

TRAINING = CostLine(
    "training",
    "training",
    {
        "FLOP": (Term("training", 6.0, {"N": 1.0, "D": 1.0}),),
        "s": (Term("training", 3.0, {"N": 1.0, "D": 1.0}),),
        "USD": (Term("training", 0.5, {"N": 1.0, "D": 1.0}),),
    },
)
SERVING = CostLine(
    "chat",
    "inference",
    {"FLOP": (Term("tokens", 10.0, {"N": 1.0}),), "USD": ()},
    share=0.25,
)
POINT = {"N": 2.0, "D": 3.0}
BILL = (TRAINING, SERVING)


def used(limit):
    return sum(value(term, POINT) for term in limit.terms)


@pytest.mark.parametrize(
    ("name", "unit", "amount"),
    [
        ("limits.parameters", "parameters", 2),
        ("limits.tokens", "tokens", 3),
        ("limits.training_compute", "FLOP", 36),
        ("budget.training_compute", "FLOP", 36),
        ("limits.training_time", "s", 18 / 8),
        ("limits.training_cost", "USD", 3),
        ("limits.total_cost", "USD", 3),
        ("budget.cost", "USD", 3),
        ("budget.compute", "FLOP", 36 + 20 / 4),
    ],
)
def test_each_word_measures_its_own(name, unit, amount):
    """Serving counts by its share, and only in the whole; time is of 8 machines."""
    limit = wall(name, 100.0, BILL, 8)
    assert (limit.name, limit.unit, limit.bound) == (name, unit, 100.0)
    assert used(limit) == pytest.approx(amount)


def test_what_a_limit_lacks_is_said():
    with pytest.raises(ValueError, match="accelerators: 384"):
        wall("limits.training_time", 1.0, BILL, None)
    with pytest.raises(ValueError, match="the energy of training cannot be told"):
        wall("limits.energy", 1.0, BILL, 8)
    timed = CostLine("t", "training", {**TRAINING.terms, "kWh": ()})
    with pytest.raises(ValueError, match="the energy of serving chat cannot be told"):
        wall("limits.energy", 1.0, (timed, SERVING), 8)
    bare = CostLine("training", "training", {"FLOP": ()})
    with pytest.raises(ValueError, match="the time of training cannot be told"):
        wall("limits.training_time", 1.0, (bare,), 8)


@pytest.mark.parametrize("bound", [1e-300, 1e-320])
def test_a_bound_out_of_all_proportion_is_refused(bound):
    with pytest.raises(ValueError, match="a bound that some plan can keep"):
        wall("limits.training_compute", bound, BILL, 8)


@pytest.mark.parametrize(
    ("coefficient", "words"),
    [(0.0, "the carbon of every plan is zero"), (1e300, "no amount that a plan can")],
)
def test_an_objective_that_is_no_amount_is_refused(coefficient, words):
    line = CostLine(
        "training", "training", {"kgCO2e": (Term("t", coefficient, {"N": 1.0}),)}
    )
    with pytest.raises(ValueError, match=words):
        counted((line,), "kgCO2e")


def serving(text):
    return read_model(load_text(text, "s.yaml"), Serving)


LLAMA = Architecture(layers=32, width=4096, kv_heads=8, head_size=128)


def test_memory_of_llama_3_8b():
    """16.06 GB of bf16 weights and 131,072 bytes a token of cache (its config)."""
    store = serving("{batch: 10, context: 8192}")
    limit = memory_wall("limits.memory", 80e9, store, LLAMA)
    bytes_ = sum(value(t, {"N": 8.03e9}) for t in limit.terms)
    assert bytes_ == pytest.approx(16.06e9 + 81920 * 131072, rel=1e-12)
    four = memory_wall("limits.memory", 80e9, serving("{weights: int4}"), None)
    assert sum(value(t, {"N": 8.03e9}) for t in four.terms) == 4.015e9
    one = memory_wall("limits.memory", 80e9, serving("{context: 1, kv: fp8}"), LLAMA)
    assert one.terms[1].coefficient == 65536


def test_a_cache_needs_a_shape_and_a_batch_a_context():
    shapeless = Architecture(layers=32, width=4096)
    for shape in (None, shapeless):
        with pytest.raises(ValueError, match="kv_heads: 8"):
            memory_wall("limits.memory", 1e9, serving("{context: 8}"), shape)
    with pytest.raises(ValueError, match="context: 4000"):
        memory_wall("limits.memory", 1e9, serving("{batch: 8}"), LLAMA)
