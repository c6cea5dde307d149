"""Published configs against parameters counted tensor by tensor and caches as held.

The table was counted with the reference implementation: every tensor on a meta device,
the cache of a bf16 model with its recurrent states in fp32.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from optimizer.reading.fields import FieldError
from optimizer.world.architecture.load import load_record
from optimizer.world.architecture.read import read_config
from optimizer.world.described import record_named
from optimizer.world.models import described_names, model_names

# The row of the table, and the folder of the config where its name is another.
ROWS = {
    "llama-3.1-8b": "meta-llama-3.1-8b",
    "llama-3.1-70b": "meta-llama-3.1-70b",
    "llama-4-scout": "llama-4-scout-17b-16e-instruct",
    "qwen3-0.6b": "",
    "qwen3-1.7b": "",
    "qwen3-32b": "",
    "qwen3-30b-a3b": "",
    "qwen3-235b-a22b": "",
    "qwen3-coder-480b-a35b": "qwen3-coder-480b-a35b-instruct",
    "qwen3.5-27b": "",
    "qwen3.5-35b-a3b": "",
    "qwen3.5-122b-a10b": "",
    "gpt-oss-120b": "",
    "deepseek-v3": "",
    "deepseek-v3.2": "",
    "deepseek-v4-flash": "",
    "kimi-k2": "kimi-k2-instruct",
    "gemma-4-31b": "gemma-4-31b-it-nvfp4",
    "glm-5": "",
    "glm-5.1": "glm-5",
    "glm-5.3": "",
    "minimax-m2.5": "",
    "nemotron-3-nano-30b-a3b": "nvidia-nemotron-3-nano-30b-a3b-bf16",
    "nemotron-3-ultra-550b-a55b": "nvidia-nemotron-3-ultra-550b-a55b-bf16",
    "nemotron-h-56b": "nemotron-h-56b-base-8k",
    "mixtral-8x7b": "mixtral-8x7b-v0.1",
    "mixtral-8x22b": "mixtral-8x22b-v0.1",
}
FOOTINGS = {
    "all": "active_all_B",
    "without_input_embedding": "active_without_input_embedding_B",
    "without_embeddings": "active_without_both_B",
}


@pytest.fixture(scope="module")
def table(shared: Path) -> dict[str, dict[str, str]]:
    text = (shared / "architectures.csv").read_text(encoding="utf-8")
    return {row["model"]: row for row in csv.DictReader(text.splitlines())}


def near(printed: str, relative: float) -> object:
    """A figure of the table: its own rounding, and what the issue allows."""
    digits = len(printed.partition(".")[2])
    return pytest.approx(float(printed), rel=relative, abs=0.5 * 10**-digits)


@pytest.mark.parametrize("model", ROWS)
def test_table(model: str, shared: Path, table: dict[str, dict[str, str]]) -> None:
    row = table[model]
    record = load_record(shared / "configs" / (ROWS[model] or model))
    assert record.total / 1e9 == near(row["total_B"], 1e-5)
    if row["active_all_B"] == "dense":
        assert record.active() == record.total
        assert not record.mixture
    else:
        for footing, column in FOOTINGS.items():
            assert record.active(footing) / 1e9 == near(row[column], 1e-5)
    assert record.slope() == near(row["cache_bytes_per_token_long_context"], 1e-9)
    assert record.cache(4096) / 1e6 == near(row["cache_4k_MB"], 1e-4)
    assert record.cache(32768) / 1e9 == near(row["cache_32k_GB"], 1e-4)
    assert record.cache(131072) / 1e9 == near(row["cache_128k_GB"], 1e-4)


def test_every_row_with_a_config_is_asked(table: dict[str, dict[str, str]]) -> None:
    assert {m for m, row in table.items() if row["source"] == "A"} == set(ROWS)


@pytest.mark.parametrize(
    ("folder", "total", "kinds"),
    [
        # NVIDIA's card: 49.9B. 31 layers have no attention.
        ("llama-3_3-nemotron-super-49b-v1", 49_867_145_216, {"full": 49, "none": 31}),
        # Xiaomi, "MiMo" (2025): 7B with one layer of multi-token prediction.
        ("mimo-7b-base", 7_622_619_136, {"full": 36}),
        # As Qwen3 30B-A3B: 30.5B without the vision tower.
        ("qwen3-vl-30b-a3b-instruct", 30_532_122_624, {"full": 48}),
        ("qwen3.6-27b-nvfp4", 26_895_998_464, {"linear": 48, "full": 16}),
        (
            "nvidia-nemotron-3.5-lightning-30b-a3b-nvfp4",
            31_577_937_344,
            {"state-space": 23, "none": 23, "full": 6},
        ),
    ],
)
def test_beside_the_table(
    folder: str, total: int, kinds: dict[str, int], shared: Path
) -> None:
    record = load_record(shared / "configs" / folder)
    assert record.total == total
    assert record.kinds == kinds


def test_kimi_k3(shared: Path) -> None:
    """69 layers of delta attention and 24 latent ones, 896 experts of 33,030,144.

    Source: Kimi K3 Technical Report, arXiv 2607.24653, and its config; an expert is
    three matrices of 3,584 by 3,072.
    """
    record = load_record(shared / "configs" / "kimi-k3")
    assert record.kinds == {"linear": 69, "latent": 24}
    assert record.layers[1].feed.expert == 33_030_144
    assert record.experts == (896, 16)
    assert record.total == pytest.approx(2.78e12, rel=1e-3)


def test_reference(root: Path) -> None:
    """Small configs of every family, each instantiated in the reference.

    Source: Transformers 5.24.0 on torch 2.13.0: `numel` of every parameter, and the
    bytes of every tensor of the cache after a bf16 pass over some tokens, for configs
    whose widths, heads, layers and experts were drawn at random.
    """
    path = root / "tests" / "world" / "architecture" / "reference.json"
    cases = json.loads(path.read_text(encoding="utf-8"))
    wrong = []
    for case in cases:
        name = case["config"]["model_type"]
        record = read_config(case["config"], name)
        if record.total != case["total"]:
            wrong.append((name, "total", record.total, case["total"]))
        for context, held in case.get("cache", {}).items():
            if record.cache(int(context)) != pytest.approx(held, rel=1e-9):
                wrong.append((name, context, record.cache(int(context)), held))
    assert not wrong
    assert len({case["config"]["model_type"] for case in cases}) > 60


GARBAGE = (0, -1, 10**18, 1.5, "auto", "", True, [], [3, 4], ["x"], {}, {"a": 1}, None)


def test_garbage_is_refused_in_words(root: Path) -> None:
    """Each word of each reference config replaced by what it cannot be."""
    path = root / "tests" / "world" / "architecture" / "reference.json"
    seen: set[str] = set()
    for case in json.loads(path.read_text(encoding="utf-8")):
        config = case["config"]
        if config["model_type"] in seen:
            continue
        seen.add(config["model_type"])
        for word in config:
            for value in GARBAGE:
                try:
                    record = read_config({**config, word: value}, "garbage")
                except FieldError:
                    continue
                assert record.total >= record.active() > 0
                assert record.cache(4096) >= 0


@pytest.mark.parametrize(
    ("config", "total", "active"),
    [
        (
            # Ling 2.0 mini, as inclusionAI publishes it: 16B, 1.4B a token.
            {
                "model_type": "bailing_moe_v2", "hidden_size": 2048,
                "intermediate_size": 5120, "moe_intermediate_size": 512,
                "num_hidden_layers": 20, "num_attention_heads": 16,
                "num_key_value_heads": 4, "head_dim": 128, "num_experts": 256,
                "num_experts_per_tok": 8, "num_shared_experts": 1,
                "first_k_dense_replace": 1, "use_qk_norm": True,
                "vocab_size": 157184, "tie_word_embeddings": False,
            },
            16.26e9,
            1.4e9,
        ),
        (
            # LongCat Flash: 560B, of which a token passes 31.3B at most.
            {
                "model_type": "longcat_flash", "hidden_size": 6144, "num_layers": 28,
                "num_attention_heads": 64, "kv_lora_rank": 512, "q_lora_rank": 1536,
                "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
                "ffn_hidden_size": 12288, "expert_ffn_hidden_size": 2048,
                "n_routed_experts": 512, "zero_expert_num": 256, "moe_topk": 12,
                "vocab_size": 131072, "tie_word_embeddings": False,
            },
            560e9,
            31.3e9,
        ),
        (
            # Databricks: DBRX has 132B, of which a token passes 36B.
            {
                "model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40,
                "vocab_size": 100352, "attn_config": {"kv_n_heads": 8},
                "ffn_config": {
                    "ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4,
                },
            },
            132e9,
            36e9,
        ),
    ],
    ids=["ling-mini-2.0", "longcat-flash", "dbrx"],
)  # fmt: skip
def test_makers_print(config: dict[str, object], total: float, active: float) -> None:
    """Families without a reference of their own, against what their makers print."""
    record = read_config(config, "printed")
    assert record.total == pytest.approx(total, rel=0.005)
    actives = [record.active("all"), record.active("without_embeddings")]
    assert min(abs(one / active - 1) for one in actives) < 0.06


def test_the_library_has_the_models_of_the_table(
    table: dict[str, dict[str, str]],
) -> None:
    """Total within 0.1 % and cache within 1 %, or the digits that are printed."""
    names = {*model_names(), *described_names()}
    assert set(table) <= names
    for name, row in table.items():
        record = record_named(name)
        assert record.total / 1e9 == near(row["total_B"], 1e-3), name
        contexts = {"cache_4k_MB": 4096, "cache_32k_GB": 32768, "cache_128k_GB": 131072}
        for column, context in contexts.items():
            if row[column]:
                unit = 1e6 if column.endswith("MB") else 1e9
                assert record.cache(context) / unit == near(row[column], 0.01), name
