import pytest

from optimizer.errors import InputError, Mark
from optimizer.world.described import record_named
from optimizer.world.models import (
    load_model,
    model_names,
    size_in,
    unsure,
)


def transformer(
    shape: tuple[int, ...],
    *,
    head: int = 128,
    tied: bool = False,
    head_norms: int = 0,
    biased_norms: bool = False,
) -> int:
    """Return the weights of a gated transformer, from its released configuration.

    Attention has four matrices, the feed-forward block three; each layer has two
    norms and one norm closes the stack; embeddings stand twice where not tied.

    Args:
        shape: width, layers, heads, KV heads, inner width, words.
        head: the width of a head.
        tied: the embeddings also read the answer out.
        head_norms: weights that normalise queries and keys, a layer.
        biased_norms: norms have biases.
    """
    width, layers, heads, kv_heads, inner, words = shape
    attention = 2 * width * heads * head + 2 * width * kv_heads * head
    norm = width * (2 if biased_norms else 1)
    layer = attention + 3 * width * inner + 2 * norm + head_norms
    return layers * layer + words * width * (1 if tied else 2) + norm


LLAMA = {
    "llama-7b": (4096, 32, 32, 32, 11008, 32000),
    "llama-13b": (5120, 40, 40, 40, 13824, 32000),
    "llama-33b": (6656, 60, 52, 52, 17920, 32000),
    "llama-65b": (8192, 80, 64, 64, 22016, 32000),
    "llama-2-7b": (4096, 32, 32, 32, 11008, 32000),
    "llama-2-13b": (5120, 40, 40, 40, 13824, 32000),
    "llama-2-70b": (8192, 80, 64, 8, 28672, 32000),
    "llama-3-8b": (4096, 32, 32, 8, 14336, 128256),
    "llama-3-70b": (8192, 80, 64, 8, 28672, 128256),
    "llama-3.1-8b": (4096, 32, 32, 8, 14336, 128256),
    "llama-3.1-70b": (8192, 80, 64, 8, 28672, 128256),
    "llama-3.1-405b": (16384, 126, 128, 8, 53248, 128256),
}
QWEN3 = {
    "qwen3-0.6b": (1024, 28, 16, 8, 3072, True, 0.44e9),
    "qwen3-1.7b": (2048, 28, 16, 8, 6144, True, 1.4e9),
    "qwen3-4b": (2560, 36, 32, 8, 9728, True, 3.6e9),
    "qwen3-8b": (4096, 36, 32, 8, 12288, False, 6.95e9),
    "qwen3-14b": (5120, 40, 40, 8, 17408, False, 13.2e9),
    "qwen3-32b": (5120, 64, 64, 8, 25600, False, 31.2e9),
}
OLMO2 = {
    "olmo-2-7b": (4096, 32, 32, 32, 11008),
    "olmo-2-13b": (5120, 40, 40, 40, 13824),
    "olmo-2-32b": (5120, 64, 40, 8, 27648),
}


@pytest.mark.parametrize("name", LLAMA)
def test_llama_counts_follow_from_their_configurations(name: str) -> None:
    """Shapes: LLaMA 2302.13971 Table 2, The Llama 3 Herd of Models Table 3."""
    assert load_model(name).parameters == transformer(LLAMA[name])


@pytest.mark.parametrize(
    ("name", "shape", "head"),
    [
        ("llama-3.2-1b", (2048, 16, 32, 8, 8192, 128256), 64),
        ("llama-3.2-3b", (3072, 28, 24, 8, 8192, 128256), 128),
    ],
)
def test_llama_3_2_counts_as_the_card_prints_them(
    name: str, shape: tuple[int, ...], head: int
) -> None:
    """The card says 1.23B and 3.21B, with shared embeddings."""
    count = transformer(shape, head=head, tied=True)
    assert load_model(name).parameters == pytest.approx(count, rel=0.005)


@pytest.mark.parametrize("name", QWEN3)
def test_qwen3_counts_follow_from_their_configurations(name: str) -> None:
    """The cards also print the parameters without embeddings, the last figure."""
    width, layers, heads, kv_heads, inner, tied, bare = QWEN3[name]
    words = 151936
    shape = (width, layers, heads, kv_heads, inner, words)
    parameters = load_model(name).parameters
    assert parameters == transformer(shape, tied=tied, head_norms=2 * 128)
    embeddings = words * width * (1 if tied else 2)
    assert parameters - embeddings == pytest.approx(bare, rel=0.01)


@pytest.mark.parametrize("name", OLMO2)
def test_olmo_2_counts_follow_from_their_configurations(name: str) -> None:
    """Queries and keys are normalised over all their heads."""
    norms = 128 * (OLMO2[name][2] + OLMO2[name][3])
    count = transformer((*OLMO2[name], 100352), head_norms=norms)
    assert load_model(name).parameters == count


def test_smollm3_count_follows_from_its_configuration() -> None:
    count = transformer((2048, 36, 16, 4, 11008, 128256), tied=True)
    assert load_model("smollm3-3b").parameters == count == 3_075_098_624


def test_stablelm_count_is_the_one_on_its_card() -> None:
    """2,795,443,200 on the card; its layer norms have biases."""
    count = transformer((2560, 32, 32, 32, 6912, 50304), head=80, biased_norms=True)
    assert load_model("stablelm-3b-4e1t").parameters == count == 2_795_443_200


@pytest.mark.parametrize(
    ("size", "embedding", "other", "tokens"),
    [
        ("1b", 302e6, 698e6, 2e12),
        ("4b", 675e6, 3209e6, 4e12),
        ("12b", 1012e6, 10759e6, 12e12),
        ("27b", 1416e6, 25600e6, 14e12),
    ],
)
def test_gemma_3_sums_of_the_report(
    size: str, embedding: float, other: float, tokens: float
) -> None:
    """Gemma 3 Technical Report, Table 1 and Section 2.2.

    The embeddings are 262,144 words of width 1152, 2560, 3840 and 5376.
    """
    model = load_model(f"gemma-3-{size}")
    assert model.parameters == embedding + other
    assert model.tokens == tokens
    width = {"1b": 1152, "4b": 2560, "12b": 3840, "27b": 5376}[size]
    assert embedding == pytest.approx(262144 * width, rel=0.01)


def test_training_compute_as_the_papers_print_it() -> None:
    """6·N·D: GPT-3 3.14e23 (Table D.1), Llama 3 405B 3.8e25 (Section 1).

    Gopher's and Chinchilla's are equal by design, 5.76e23 by the authors' count.
    """
    compute = {
        name: 6 * load_model(name).parameters * load_model(name).tokens
        for name in ("gpt-3-175b", "gopher-280b", "chinchilla-70b", "llama-3.1-405b")
    }
    assert compute["gpt-3-175b"] == pytest.approx(3.14e23, rel=0.01)
    assert compute["llama-3.1-405b"] == pytest.approx(3.8e25, rel=0.01)
    assert compute["chinchilla-70b"] == pytest.approx(5.76e23, rel=0.03)
    assert compute["gopher-280b"] == pytest.approx(5.76e23, rel=0.15)


def test_mixtures_of_experts_alone_have_active_parameters() -> None:
    """DeepSeek-V3 Technical Report: 671B in total, 37B activated, 14.8T tokens."""
    models = [load_model(name) for name in model_names()]
    mixtures = {m.name for m in models if m.active_parameters is not None}
    assert mixtures == {
        *("qwen3-30b-a3b", "qwen3-235b-a22b", "deepseek-v3", "deepseek-v4-flash"),
        *("kimi-k2", "glm-5", "nemotron-3-nano-30b-a3b"),
        *("glm-4.5", "qwen3-next-80b-a3b", "kimi-linear-48b-a3b"),
    }
    for model in models:
        if model.active_parameters is not None:
            assert model.active_parameters < model.parameters / 5
    deepseek = load_model("deepseek-v3")
    assert (deepseek.active_parameters, deepseek.tokens) == (37e9, 14.8e12)


@pytest.mark.parametrize("name", model_names())
def test_every_model_is_named_by_its_size_and_has_a_source(name: str) -> None:
    model = load_model(name)
    assert model.name == name
    assert any(word in model.source for word in ("arXiv", "card", "README of"))
    assert 1e11 < model.tokens <= 36e12  # 36T: the most of any published run
    sizes = [p for p in name.split("-") if p[0].isdigit() and p.endswith("b")]
    for size in sizes:
        assert model.parameters == pytest.approx(float(size[:-1]) * 1e9, rel=0.25)


def test_bounds_and_distillation_are_said() -> None:
    assert "at least" in load_model("llama-3-8b").note
    assert "up to 9T" in load_model("llama-3.2-3b").note
    assert "distill" in load_model("gemma-3-4b").note
    assert "four times" in load_model("stablelm-3b-4e1t").note


@pytest.mark.parametrize(
    ("word", "near"), [("llama3-8b", "llama-3-8b"), ("Qwen3-4B", "qwen3-4b")]
)
def test_an_unknown_model_is_told_the_near_one(word: str, near: str) -> None:
    with pytest.raises(InputError) as raised:
        load_model(word, Mark("plan.yaml", 3, 12), "target.match.model")
    (problem,) = raised.value.problems
    assert str(problem).startswith(
        "plan.yaml:3:12: target.match.model: must be one of gpt-3-175b, "
    )
    assert str(problem).endswith(f', got "{word}"; did you mean "{near}"?')


@pytest.mark.parametrize("word", ["", "gpt-9", "\x00", "x" * 10_000])
def test_a_name_of_no_model_is_an_input_error(word: str) -> None:
    with pytest.raises(InputError) as raised:
        load_model(word)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    ("name", "size"),
    [
        # Gemma 3 Technical Report (2503.19786), Table 1: without embeddings.
        ("gemma-3-1b", 698e6),
        ("gemma-3-4b", 3209e6),
        ("gemma-3-12b", 10759e6),
        ("gemma-3-27b", 25600e6),
        # The release: 36.6B active with the output head of 0.9B, without the input's.
        ("deepseek-v3", 35.7e9),
    ],
)
def test_a_law_without_embeddings_counts_none_where_the_split_is_known(name, size):
    model = load_model(name)
    assert size_in(model, "non-embedding") == size
    assert size_in(model, "total") == (model.active_parameters or model.parameters)
    assert unsure(model, "non-embedding") == ""


@pytest.mark.parametrize(
    ("name", "width", "most"),
    [("gopher-280b", 16384, 0.4), ("chinchilla-70b", 8192, 0.8)],
)
def test_where_it_is_not_known_the_size_of_the_doubt_is(name, width, most):
    """32,000 tokens of the model's width, shared or not (2112.11446, 2203.15556)."""
    model = load_model(name)
    assert model.embeddings_up_to == pytest.approx(2 * 32_000 * width, rel=0.002)
    assert 100 * model.embeddings_up_to / model.parameters < most
    told = unsure(model, "non-embedding")
    assert "counted with its embeddings, which nobody tells: up to" in told
    assert unsure(model, "total") == ""


def test_every_model_of_the_library_is_known_or_said_to_be_uncertain():
    for name in model_names():
        model = load_model(name)
        known = model.architecture is not None or model.non_embedding is not None
        assert known == (not unsure(model, "non-embedding")), name
        assert known or model.embeddings_up_to is not None, name


def test_a_model_of_the_library_tells_its_training_licence_and_source():
    """GLM-5's README: pre-training data grew "from 23T to 28.5T" from GLM-4.5."""
    notes = record_named("glm-4.5").notes
    assert "trained on 23T tokens" in notes
    assert "licence: MIT" in notes
    assert any(note.startswith("source: GLM-4.5 configuration") for note in notes)
    assert "licence: Llama 3.1 Community License" in record_named("llama-3.1-8b").notes
    assert "no licence was read by us" in record_named("smollm3-3b").notes
