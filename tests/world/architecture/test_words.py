"""What a config says can be said in words of a scenario, with the same figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.world.architecture.record import Record
from optimizer.world.architecture.words import Group, Words
from optimizer.world.described import record_named

DEEPSEEK_V3 = """
width: 7168
vocabulary: 129280
heads: 128
latent: 512
rotary: 64
query_latent: 1536
head_size: 128
gated: true
layers:
  - {count: 3, kind: latent, value_size: 128, ffn_width: 18432}
  - {count: 58, kind: latent, value_size: 128, experts: 256, active_experts: 8,
     expert_width: 2048, shared_width: 2048}
"""
DEEPSEEK_V32 = DEEPSEEK_V3 + "index: {heads: 64, width: 128, reads: 2048}\n"
GPT_OSS = """
width: 2880
vocabulary: 201088
heads: 64
kv_heads: 8
head_size: 64
gated: true
experts: 128
active_experts: 4
expert_width: 2880
layers:
  - {count: 18, kind: sliding, window: 128}
  - {count: 18, kind: full}
"""
QWEN35 = """
width: 5120
vocabulary: 248320
gated: true
ffn_width: 17408
layers:
  - {count: 48, kind: linear, state: 3227648 B, weights: 115.9M}
  - {count: 16, kind: full, heads: 24, kv_heads: 4, head_size: 256, weights: 104.9M}
"""


def said(text: str, tmp_path: Path) -> Record:
    path = tmp_path / "words.yaml"
    path.write_text(text, encoding="utf-8")
    return record_named(str(path))


@pytest.mark.parametrize(
    ("text", "model", "near"),
    [
        (DEEPSEEK_V3, "deepseek-v3", 1e-4),
        (DEEPSEEK_V32, "deepseek-v3.2", 1e-4),
        (GPT_OSS, "gpt-oss-120b", 1e-3),
        (QWEN35, "qwen3.5-27b", 2e-3),
    ],
    ids=["latent", "index", "windows", "states"],
)
def test_words_say_what_the_config_says(
    text: str, model: str, near: float, tmp_path: Path
) -> None:
    """The configs are counted tensor by tensor elsewhere; norms are left out here."""
    words, config = said(text, tmp_path), record_named(model)
    assert words.total == pytest.approx(config.total, rel=near)
    assert words.active() == pytest.approx(config.active(), rel=2e-3)
    for context in (100, 4096, 32768, 131072):
        assert words.cache(context) == pytest.approx(config.cache(context), rel=1e-3)
        assert words.attention(context) == pytest.approx(config.attention(context))


def test_each_kind_keeps_what_it_says(tmp_path: Path) -> None:
    """Counted by hand: 2 bytes times heads times key and value, by what is kept."""
    record = said(
        """
width: 64
heads: 4
kv_heads: 2
head_size: 16
value_size: 8
layers:
  - {count: 1, kind: full}
  - {count: 1, kind: sliding, window: 33}
  - {count: 1, kind: chunked, window: 65}
  - {count: 1, kind: compressed, every: 4, weights: 1}
  - {count: 1, kind: state-space, state: 500 B, weights: 1}
  - {count: 1, kind: shared}
  - {count: 1, kind: none, gated: false, ffn_width: 8}
""",
        tmp_path,
    )
    entry = 2 * 2 * (16 + 8)
    assert record.cache(100) == entry * (100 + 32 + 64 + 25) + 500
    assert list(record.kinds) == [
        "full", "sliding", "chunked", "compressed", "state-space", "shared", "none",
    ]  # fmt: skip
    whole = 64 * (4 * 16 + 2 * 16 + 2 * 8 + 4 * 8)  # queries, keys, values, outputs
    shared = 64 * (4 * 16 + 4 * 8)
    assert record.total == 3 * whole + shared + 2 + 2 * 64 * 8


def test_embeddings_of_layers_and_told_parameters(tmp_path: Path) -> None:
    text = """
width: 64
vocabulary: 1000
tied: true
layer_embeddings: 16
prediction: 5K
heads: 4
layers: [{count: 3, kind: full}]
"""
    record = said(text, tmp_path)
    layer = 4 * 64 * 64 + 2 * 64 * 16
    assert record.total == 64_000 + 3 * 16_000 + 3 * layer + 3 * 64 * 16
    assert record.active("without_input_embedding") == record.total - 3 * 16_000
    assert record.prediction == 5000
    told = said(text + "parameters: {total: 2M, active: 1M}\n", tmp_path)
    assert told.total == 2_000_000
    assert told.active() == 1_000_000
    assert told.mixture
    assert told.cache(100) == record.cache(100)


SLIDING = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 7.3B, tokens: 6T}}
fix: {parameters: 7.3B}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h,
  context: 34048}
architecture:
  width: 4096
  heads: 32
  parameters: {total: 7.3B}
  layers:
    - {count: 24, kind: sliding, window: 4096}
    - {count: 8, kind: full}
demand: {requests: 100k/day, input_tokens: 33000, output_tokens: 1048, lifetime: 1 year}
"""


def test_windows_in_a_scenario() -> None:
    """Three of four layers see 4,096 tokens: 6.1 GB a sequence, a batch of ten.

    With every layer full a sequence keeps 17.9 GB, and the batch is three.
    """
    answer = solve(read_scenario(SLIDING))
    kept = 2 * 2 * 4096 * (24 * 4095 + 8 * 34048)
    assert kept == pytest.approx(6.07e9, rel=1e-3)
    assert answer.serving[0].batch == (80 * 2**30 * 0.9 - 14.6e9) // kept == 10
    full = solve(read_scenario(SLIDING.replace("sliding, window: 4096", "full")))
    assert full.serving[0].batch == 3


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("kind: warp", "layers[0].kind: must be one of full"),
        ("kind: linear, weights: 1M", "layers[0].state: is missing for linear layers"),
        ("kind: linear, state: 1 MB", "layers[0].weights: is missing"),
        ("kind: sliding, heads: 4", "layers[0].window: is missing"),
        ("kind: full, heads: 3", "layers[0].heads: must divide 64"),
        ("kind: full, heads: 4, kv_heads: 3", "layers[0].kv_heads: must divide the 4"),
        ("kind: full, heads: 0", "layers[0].heads: must be above 0"),
        ("kind: none, experts: 4", "layers[0].gated: is missing"),
        (
            "kind: none, gated: true, experts: 4, active_experts: 5, expert_width: 8",
            "layers[0].active_experts: must be at most the 4 experts",
        ),
        ("kind: none, count: 9000", "layers: must be 1 to 2000"),
    ],
)
def test_refused(group: str, wanted: str, tmp_path: Path) -> None:
    count = "" if "count" in group else "count: 2, "
    with pytest.raises(InputError) as caught:
        said(f"width: 64\nlayers: [{{{count}{group}}}]\n", tmp_path)
    assert wanted in str(caught.value)


def test_the_page_has_every_word(root: Path) -> None:
    page = (root / "docs" / "architectures.md").read_text(encoding="utf-8")
    missing = [
        word
        for word in (*Words.model_fields, *Group.model_fields)
        if f"`{word}" not in page
    ]
    assert not missing
