"""Rounding to sizes that exist, against solving each by hand."""

import pytest

from optimizer.analysis.plan.snap import snap
from optimizer.question.load import read_scenario
from optimizer.world.models import load_model
from optimizer.world.shapes import Shape

TEXT = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
SIZES = [("1B", 1e9), ("3B", 3e9), ("7B", 7e9), ("13B", 13e9)]


def test_each_size_is_trained_until_it_is_as_good():
    scenario = read_scenario(TEXT)
    surface = scenario.law.surface()
    s = surface.reducible(surface.loss(13e9, surface.optimal_tokens(13e9)))
    rows = {size.name: size for size in snap(scenario, SIZES).sizes}
    assert rows["1B"].tokens is None
    assert rows["1B"].fraction is None
    assert not rows["1B"].equal
    for name, N in SIZES[1:]:
        D = (surface.B / (s - surface.A * N**-surface.alpha)) ** (1 / surface.beta)
        assert rows[name].tokens == pytest.approx(D, rel=1e-9)
        assert rows[name].total == pytest.approx(6 * N * D + 2 * N * 2e12, rel=1e-9)


def test_the_best_is_the_cheapest_of_them(ask):
    found = snap(read_scenario(TEXT), SIZES)
    costs = {s.name: s.total for s in found.sizes if s.total is not None}
    assert found.best.name == min(costs, key=costs.get)
    optimum = ask(TEXT).cost.total
    assert found.best.fraction == pytest.approx(costs["7B"] / optimum - 1, rel=1e-6)


def test_equal_means_within_a_hundredth(ask):
    plan = ask(TEXT).plan.parameters
    sizes = [(f"{k}", plan * k) for k in (0.5, 0.92, 1.0, 1.08, 2)]
    equal = {s.name: s.equal for s in snap(read_scenario(TEXT), sizes).sizes}
    assert equal == {"0.5": False, "0.92": True, "1.0": True, "1.08": True, "2": False}


def test_limits_rule_sizes_out_and_what_was_fixed_is_set_aside():
    limited = read_scenario(TEXT + "limits: {parameters: 5B}\nfix: {tokens: 9T}\n")
    found = snap(limited, SIZES)
    assert found.best.name == "3B"
    assert [s.name for s in found.sizes if s.tokens is not None] == ["3B"]
    nothing = snap(read_scenario(TEXT + "limits: {tokens: 100B}\n"), SIZES)
    assert nothing.best is None


def test_under_a_budget_sizes_are_judged_by_their_loss():
    text = "law: besiroglu-2024-refit\nbudget: {training_compute: 1e23}\n"
    scenario = read_scenario(text)
    surface = scenario.law.surface()
    found = snap(scenario, SIZES)
    losses = {n: surface.loss(N, 1e23 / (6 * N)) for n, N in SIZES}
    for size in found.sizes:
        assert size.total == pytest.approx(losses[size.name], rel=1e-9)
    assert found.best.name == min(losses, key=losses.get)


def test_every_choice_of_the_scenario_is_tried_with_each_size():
    """A choice that the optimum rejects may be the best for another size."""
    text = TEXT + (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: [h100-sxm, l4], mfu: 0.3, price: $2/h}\n"
    )
    both = snap(read_scenario(text), SIZES)
    alone = [
        snap(read_scenario(text.replace("[h100-sxm, l4]", chip)), SIZES)
        for chip in ("h100-sxm", "l4")
    ]
    for index in range(1, len(SIZES)):
        least = min(found.sizes[index].total for found in alone)
        assert both.sizes[index].total == pytest.approx(least, rel=1e-9)


GQA = Shape(
    layers=30,
    width=3584,
    heads=28,
    kv_heads=4,
    ffn_width=9728,
    gated=True,
    vocabulary=64000,
)
PLAIN = Shape(layers=28, width=3584, vocabulary=64000, tied=True)
MIXTURE = Shape(
    layers=24,
    width=2560,
    heads=20,
    kv_heads=4,
    ffn_width=6912,
    gated=True,
    vocabulary=64000,
    experts=8,
    active_experts=2,
)
SHAPED = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h, attention: true}
serving:
  {model: roofline, hardware: h100-sxm, accelerators: 2, mfu: 0.4, mbu: 0.6,
   price: $2/h, attention: true}
demand: {requests: 2B, input_tokens: 2000, output_tokens: 300}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128, sequence: 8192}
"""


def own(shape, **more):
    """The words of an architecture, as a scenario spells it out."""
    words = {
        "layers": shape.layers,
        "width": shape.width,
        "kv_heads": round(shape.cached / 128),
        "head_size": 128,
        "sequence": 8192,
        **more,
    }
    return "{" + ", ".join(f"{k}: {v}" for k, v in words.items()) + "}"


@pytest.mark.parametrize("shape", [GQA, PLAIN], ids=["grouped", "plain"])
def test_an_architecture_is_solved_with_its_own_attention_and_cache(ask, shape):
    """As by hand: the scenario with that architecture, fixed to its parameters."""
    N = shape.size("total")
    (size,) = snap(read_scenario(SHAPED), [("own", shape)]).sizes
    by_hand = ask(SHAPED, f"architecture={own(shape)}", f"fix={{parameters: {N!r}}}")
    assert size.parameters == N
    assert size.tokens == pytest.approx(by_hand.plan.tokens, rel=1e-9)
    assert size.total == pytest.approx(by_hand.cost.total, rel=1e-9)
    optimum = ask(SHAPED).cost.total
    assert size.fraction == pytest.approx(size.total / optimum - 1, rel=1e-6)
    inherited = ask(SHAPED, f"fix={{parameters: {N!r}}}").cost.total
    assert abs(size.total / inherited - 1) > 1e-3
    assert size.inherited == ("sequence",)
    assert size.architecture["sequence"] == 8192
    assert size.architecture["width"] == shape.width


def test_a_sequence_of_its_own_is_kept(ask):
    shape = GQA.model_copy(update={"sequence": 2048})
    (size,) = snap(read_scenario(SHAPED), [("own", shape)]).sizes
    N = GQA.size("total")
    by_hand = ask(
        SHAPED,
        f"architecture={own(GQA, sequence=2048)}",
        f"fix={{parameters: {N!r}}}",
    )
    assert size.inherited == ()
    assert size.total == pytest.approx(by_hand.cost.total, rel=1e-9)


def test_a_size_without_an_architecture_has_the_scenarios(ask):
    found = snap(read_scenario(SHAPED), [("7B", 7e9), ("own", GQA)])
    assert found.sizes[0].architecture is None
    assert set(found.sizes[0].inherited) == {
        *("layers", "width", "kv_heads", "head_size", "sequence")
    }
    by_hand = ask(SHAPED, "fix={parameters: 7B}")
    assert found.sizes[0].total == pytest.approx(by_hand.cost.total, rel=1e-9)
    assert any(note.startswith("7B has no architecture of its") for note in found.notes)
    assert any("sequence of own is the scenario's, 8192" in n for n in found.notes)
    assert snap(read_scenario(TEXT), [("7B", 7e9), ("own", GQA)]).notes == ()


def test_heads_of_its_own_that_nobody_named_are_told():
    notes = snap(read_scenario(SHAPED), [("own", PLAIN)]).notes
    assert any("own: without kv_heads, every head" in note for note in notes)
    model = ("llama-2-7b", load_model("llama-2-7b"))
    notes = snap(read_scenario(SHAPED), [model]).notes
    assert not any("without kv_heads" in note for note in notes)


def test_a_published_model_brings_its_architecture(ask):
    """Qwen3 4B: 32 heads of 128 in a width of 2560, so that attention is wider."""
    model = load_model("qwen3-4b")
    (size,) = snap(read_scenario(SHAPED), [("qwen3-4b", model)]).sizes
    shape = own(model.architecture, width=4096)  # attention of 32 · 128
    by_hand = ask(
        SHAPED, f"architecture={shape}", f"fix={{parameters: {model.parameters!r}}}"
    )
    assert size.total == pytest.approx(by_hand.cost.total, rel=1e-9)


def test_memory_holds_all_experts_and_compute_passes_some():
    """The weights at one byte, just within the memory and just beyond it."""
    text = TEXT + "serving: {hardware: h100-sxm, weights: fp8}\n"
    for room, fits in ((1.0001, True), (0.9999, False)):
        limit = f"limits: {{memory: {MIXTURE.stored * room!r} B}}\n"
        (size,) = snap(read_scenario(text + limit), [("mixture", MIXTURE)]).sizes
        assert size.parameters == MIXTURE.size("total") < MIXTURE.stored / 2
        assert size.stored == MIXTURE.stored
        assert (size.tokens is not None) == fits
    assert size.conflict == ("limits.memory",)
    assert size.reason.startswith("cannot keep limits.memory of 1")


def test_the_law_says_what_its_parameters_are():
    """Under a law without embeddings the same architecture is a smaller size."""
    whole, bare = (
        snap(read_scenario(TEXT.replace("besiroglu-2024-refit", law)), [("own", GQA)])
        for law in ("besiroglu-2024-refit", "kumar-2024")
    )
    embeddings = 2 * 64000 * 3584
    assert whole.sizes[0].parameters - bare.sizes[0].parameters == embeddings
    assert bare.notes == (
        "kumar-2024 counts non-embedding parameters, and so do these",
    )
    model = load_model("llama-3-8b")
    scenario = read_scenario(TEXT.replace("besiroglu-2024-refit", "kumar-2024"))
    (size,) = snap(scenario, [("llama-3-8b", model)]).sizes
    assert size.parameters == 8030261248 - 2 * 128256 * 4096


def test_a_published_model_is_as_good_as_itself_under_every_law(ask):
    """Its reference and its size are counted alike."""
    for law in ("besiroglu-2024-refit", "kumar-2024", "kaplan-2020"):
        text = f"law: {law}\ntarget: {{match: {{model: llama-3-8b}}}}\n"
        scenario = read_scenario(text + "demand: {tokens: 2T}\n")
        (size,) = snap(scenario, [("llama-3-8b", load_model("llama-3-8b"))]).sizes
        assert size.tokens == pytest.approx(15e12, rel=1e-6)
        codes = {w.code for w in ask(text + "demand: {tokens: 2T}\n").warnings}
        assert "parameter-unit" not in codes


def test_what_a_size_cannot_keep_is_told_without_the_size():
    text = TEXT + "limits: {tokens: 500B, parameters: 9B}\n"
    rows = {s.name: s for s in snap(read_scenario(text), SIZES).sizes}
    assert rows["1B"].reason == "cannot reach the target of 2.1028 nats"
    assert rows["1B"].conflict == ("target",)
    assert rows["3B"].reason == (
        "cannot reach the target of 2.1028 nats under limits.tokens of 500B"
    )
    assert set(rows["3B"].conflict) == {"target", "limits.tokens"}
    assert rows["13B"].reason == "cannot keep limits.parameters of 9B"
    assert all(row.reason is None for row in rows.values() if row.tokens)


def test_an_architecture_may_do_what_that_of_the_scenario_cannot():
    """A cache of one head where the scenario's fills the memory."""
    wide = "{layers: 80, width: 8192, kv_heads: 64, head_size: 128, sequence: 8192}"
    text = SHAPED.replace("accelerators: 2", "accelerators: 2, context: 90000")
    scenario = read_scenario(text, "x", [f"architecture={wide}"])
    slim = PLAIN.model_copy(update={"heads": 28, "kv_heads": 1})
    found = snap(scenario, [("7B", 7e9), ("slim", slim)])
    assert found.sizes[0].tokens is None
    assert found.best.name == "slim"
    assert found.best.fraction is None
    assert found.best.equal


def test_a_cheaper_architecture_leaves_the_optimum_behind(ask):
    """Then only those within 1 % of it are equal to it."""
    plan = ("plan", ask(SHAPED).plan.parameters)
    assert snap(read_scenario(SHAPED), [plan]).sizes[0].equal
    slim = PLAIN.model_copy(update={"heads": 28, "kv_heads": 1})
    found = snap(read_scenario(SHAPED), [plan, ("slim", slim)])
    assert found.best.name == "slim"
    assert found.best.fraction < -0.01
    assert [size.equal for size in found.sizes] == [False, True]


SWITCH = """\
law: ludziejewski-2025
experts: [1, 8]
target: {loss: 2.2}
demand: {tokens: 2T}
limits: {memory: 200 GB}
"""


def test_under_a_law_of_mixtures_the_experts_are_those_of_the_architecture(ask):
    shape = MIXTURE.model_copy(update={"active_experts": 1})
    N = shape.size("active")
    (size,) = snap(read_scenario(SWITCH), [("switch", shape)]).sizes
    alone = ask(SWITCH.replace("[1, 8]", "8"), f"fix={{parameters: {N!r}}}")
    assert size.tokens == pytest.approx(alone.plan.tokens, rel=1e-9)
    for wrong, told in (
        (MIXTURE, "sends a token to 2 experts, and ludziejewski-2025 is of mixtures"),
        (
            shape.model_copy(update={"experts": 16}),
            "has 16 experts a layer, and the scenario asks ludziejewski-2025 for 1, 8",
        ),
    ):
        with pytest.raises(ValueError, match=told):
            snap(read_scenario(SWITCH), [("wrong", wrong)])
