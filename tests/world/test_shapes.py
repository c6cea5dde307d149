"""Parameters from an architecture, against what papers and model cards print."""

import pytest

from optimizer.errors import InputError
from optimizer.reading.document import load_text
from optimizer.reading.fields import read_model
from optimizer.world.models import load_model, model_names, shape_of, size_in, stored
from optimizer.world.shapes import Entry, Shape

LLAMA_3_8B = Shape(
    layers=32,
    width=4096,
    heads=32,
    kv_heads=8,
    ffn_width=14336,
    gated=True,
    vocabulary=128256,
)
MIXTRAL = Shape(
    layers=32,
    width=4096,
    heads=32,
    kv_heads=8,
    ffn_width=14336,
    gated=True,
    vocabulary=32000,
    experts=8,
    active_experts=2,
)


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        # The Llama 3 Herd of Models, Table 3; the card says 8.03B.
        (LLAMA_3_8B, 8.03e9),
        # Llama 2, arXiv 2307.09288, Table 1 and the card's 6.74B.
        (
            Shape(
                layers=32,
                width=4096,
                heads=32,
                ffn_width=11008,
                gated=True,
                vocabulary=32000,
            ),
            6.74e9,
        ),
        # The Llama 3 Herd of Models, Table 3; the card says 70.6B.
        (
            Shape(
                layers=80,
                width=8192,
                heads=64,
                kv_heads=8,
                ffn_width=28672,
                gated=True,
                vocabulary=128256,
            ),
            70.6e9,
        ),
    ],
)
def test_all_parameters_are_those_of_the_card(shape, parameters):
    assert shape.size("total") == pytest.approx(parameters, rel=1e-3)
    assert shape.stored == shape.size("total") == shape.size("active")


def test_gpt_3_is_96_layers_of_12288():
    """Brown et al. 2020, Table 2.1: 175.0B; Kaplan et al. 2020, Table 1: 12·L·d²."""
    shape = Shape(layers=96, width=12288, heads=96, vocabulary=50257, tied=True)
    assert shape.size("non-embedding") == 12 * 96 * 12288**2
    assert shape.size("total") == pytest.approx(175.0e9, rel=4e-3)


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"ffn_width": 12288, "gated": False},
        {"ffn_width": 8192, "gated": True},
        {"heads": 24, "kv_heads": 24},
        {"head_size": 128},
    ],
)
def test_the_plain_transformer_has_twelve_squares_a_layer(block):
    """Kaplan et al. 2020, Table 1; Shazeer 2020 for 8/3 of the width with a gate."""
    shape = Shape(layers=20, width=3072, **block)
    assert shape.size("non-embedding") == 12 * 20 * 3072**2
    assert shape.attended == shape.cached == 3072


def test_a_mixture_counts_what_a_token_passes_and_stores_all():
    """46.7B of which 12.9B are used for a token: Mistral, "Mixtral of experts"."""
    assert MIXTRAL.stored == pytest.approx(46.7e9, rel=1e-3)
    for counts in ("total", "active"):
        assert MIXTRAL.size(counts) == pytest.approx(12.9e9, rel=2e-3)


@pytest.mark.parametrize(("experts", "n", "d"), [(1, 8, 512), (8, 12, 1024)])
def test_a_switch_is_counted_as_its_law_counts(experts, n, d):
    """Ludziejewski et al. 2025: 2·d·V + 13·n·d² active and (4 + 9E)·n·d² in all."""
    shape = Shape(
        layers=n,
        width=d,
        ffn_width=3 * d,
        gated=True,
        vocabulary=50257,
        experts=experts,
        active_experts=1,
    )
    embeddings, router = 2 * d * 50257, n * d * experts
    assert shape.size("active") == embeddings + 13 * n * d**2 + router
    assert shape.stored == embeddings + (4 + 9 * experts) * n * d**2 + router


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        *(("qwen3-0.6b", 0.44e9), ("qwen3-1.7b", 1.4e9), ("qwen3-4b", 3.6e9)),
        *(("qwen3-8b", 6.95e9), ("qwen3-14b", 13.2e9), ("qwen3-32b", 31.2e9)),
    ],
)
def test_without_embeddings_it_is_what_the_qwen3_cards_print(name, bare):
    model = load_model(name)
    assert size_in(model, "non-embedding") == pytest.approx(bare, rel=0.01)
    counted = model.architecture.size("non-embedding")
    assert counted == pytest.approx(size_in(model, "non-embedding"), rel=2e-4)


def test_a_mixture_of_qwen3_is_what_its_card_prints():
    """30.5B in total, 29.9B without embeddings, 3.3B activated."""
    shape = load_model("qwen3-30b-a3b").architecture
    assert shape.stored == pytest.approx(30.5e9, rel=2e-3)
    assert shape.stored - shape.embeddings == pytest.approx(29.9e9, rel=2e-3)
    assert shape.size("total") == pytest.approx(3.3e9, rel=0.02)


SHAPED = [name for name in model_names() if load_model(name).architecture is not None]


@pytest.mark.parametrize("name", SHAPED)
def test_the_library_counts_its_models_as_it_says(name):
    """Norms and biases are all that is missing; GPT-3 learned its positions too."""
    model = load_model(name)
    exact = "counted from the" in model.source
    close = 2e-4 if exact else 5e-3
    assert stored(model.architecture) == pytest.approx(model.parameters, rel=close)
    if exact:
        assert stored(model.architecture) < model.parameters
    assert size_in(model, "total") == (model.active_parameters or model.parameters)
    assert shape_of(model) is model.architecture


def test_models_of_which_no_shape_is_known_are_counted_whole():
    model = load_model("gopher-280b")
    assert size_in(model, "non-embedding") == size_in(model, "total") == 280e9
    assert (stored(model), shape_of(model)) == (280e9, None)
    assert (size_in(7e9, "non-embedding"), stored(7e9)) == (7e9, None)
    deepseek = load_model("deepseek-v3")
    assert (size_in(deepseek, "total"), stored(deepseek)) == (37e9, 671e9)


def test_heads_need_not_be_as_wide_as_the_model():
    """Qwen3 0.6B has 16 heads of 128 in a model of 1024, and 8 for keys and values."""
    shape = load_model("qwen3-0.6b").architecture
    assert (shape.width, shape.attended, shape.cached) == (1024, 2048, 1024)


@pytest.mark.parametrize("counts", ["total", "active"])
def test_embeddings_that_count_need_a_vocabulary(counts):
    shape = Shape(layers=32, width=4096)
    assert shape.size("non-embedding") == shape.stored
    with pytest.raises(ValueError, match="add vocabulary: 128256"):
        shape.size(counts)


def test_tied_embeddings_stand_once():
    once, twice = (
        Shape(layers=2, width=64, vocabulary=1000, tied=tied) for tied in (True, False)
    )
    assert twice.size("total") - once.size("total") == 64 * 1000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("width: 4096", "layers: is missing"),
        ("layers: 0, width: 4096", "layers: must be above 0, got 0"),
        ("layers: 32.5, width: 4096", "layers: must be a whole number"),
        (
            "layers: 2, width: 4096, heads: 30",
            "heads: must divide the width of 4096 where head_size is not given, got 30",
        ),
        (
            "layers: 2, width: 4096, head_size: 100",
            "head_size: must divide the width of 4096 where heads is not given, got 1",
        ),
        ("layers: 2, width: 4096, kv_heads: 8", "kv_heads: needs the size of a head"),
        (
            "layers: 2, width: 4096, heads: 32, kv_heads: 7",
            "kv_heads: must divide the 32 heads of a width of 4096, got 7",
        ),
        (
            "layers: 2, width: 4096, head_size: 128, kv_heads: 5",
            "kv_heads: must divide the 32 heads of a width of 4096, got 5",
        ),
        ("layers: 2, width: 4096, ffn_width: 9", "ffn_width: may be of two matrices"),
        (
            "layers: 2, width: 4096, experts: 8",
            "experts: is half of a mixture; add act",
        ),
        (
            "layers: 2, width: 4096, active_experts: 8",
            "active_experts: is half of a mixture; add experts: 8",
        ),
        (
            "layers: 2, width: 4096, experts: 8, active_experts: 9",
            "active_experts: must be at most the 8 experts, got 9",
        ),
        ("layers: 2, width: 4096, tied: yes", "tied: must be true or false"),
        ("layers: 2, width: 4096, widht: 4", 'widht: unknown word "widht"; did you'),
        ('layers: 2, width: 4096, name: ""', "name: must have at least 1 char"),
    ],
)
def test_mistakes_are_told(words, told):
    with pytest.raises(InputError) as caught:
        read_model(load_text(f"{{{words}}}", "shape.yaml"), Entry)
    (line,) = str(caught.value).splitlines()
    assert f": {told}" in line


def test_two_mistakes_of_one_architecture_are_told_at_once():
    text = "{layers: 2, width: 4096, heads: 32, kv_heads: 7, ffn_width: 9, experts: 8}"
    with pytest.raises(InputError) as caught:
        read_model(load_text(text, "shape.yaml"), Entry)
    assert len(str(caught.value).splitlines()) == 3
