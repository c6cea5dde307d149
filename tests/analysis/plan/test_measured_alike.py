"""One model of serving: the certified program and `overtrain serving` count alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario
from optimizer.world.architecture.load import load_record
from optimizer.world.architecture.record import Record
from optimizer.world.hardware import load_hardware
from optimizer.world.serving.constants import library
from optimizer.world.serving.served import of_known
from optimizer.world.serving.step import Place, answer

SCENARIO = """
law: besiroglu-2024-refit
objective: dollars
target: {{loss: 2.3}}
fix: {{parameters: {size}}}
training: {{hardware: h100-sxm, mfu: 0.4, price: $2.50/h}}
architecture: {architecture}
serving: {{model: measured, hardware: {chip}, precision: {weights}, kv: {kv},
          price: $2.50/h, accelerators: {g}, batch: {batch}}}
demand: {{requests: 5M/day, input_tokens: {prompt}, output_tokens: {output},
         lifetime: 2 years}}
"""
REQUESTS = 5e6 * 365.25 * 2
PLACES = [
    ("h200-sxm", "fp8", "bf16", 8, 32, 1000, 500),
    ("b200", "fp4", "fp8", 8, 64, 7000, 900),
    ("h100-sxm", "bf16", "bf16", 4, 16, 20000, 100),
]
INLINE = (
    "{model_type: llama, num_hidden_layers: 32, hidden_size: 4096, vocab_size: 128256, "
    "num_attention_heads: 32, num_key_value_heads: 8, intermediate_size: 14336}"
)


def compared(record: Record, told: str, place: tuple) -> None:
    chip, weights, kv, g, batch, prompt, output = place
    model = of_known(record)
    where = Place(load_hardware(chip), float(g), weights, kv)
    try:
        where.check(model)
    except ValueError:
        pytest.skip("does not fit")
    if where.room(model, prompt + output) < batch:
        pytest.skip("does not fit")
    constants = library().find(model.kind, chip, weights).constants
    alone = answer(model, where, constants, batch, prompt, output)
    size = int(model.active)
    words = dict(zip(("chip", "weights", "kv", "g", "batch"), place[:5], strict=True))
    words |= {"prompt": prompt, "output": output, "size": size, "architecture": told}
    plan = solve(read_scenario(SCENARIO.format(**words)))
    use = plan.serving[0]
    held = where.weight_bytes(model) + batch * where.cache_bytes(model, prompt + output)
    assert use.held == pytest.approx(held, rel=1e-6)
    assert use.step_time == pytest.approx(alone.step, rel=1e-4)
    dollars = next(x.amount for x in plan.cost.lines if x.name != "training")
    seconds = REQUESTS * output / alone.rate
    assert dollars == pytest.approx(seconds / 3600 * 2.5, rel=1e-4)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
def test_a_config_in_words_is_served_alike(place: tuple, tmp_path: Path) -> None:
    """Embeddings in 16 bits, looked up ones never multiplied, attention of prompts."""
    file = tmp_path / "config.json"
    words = INLINE.strip("{}").split(", ")
    pairs = [word.split(": ") for word in words]
    quoted = [f'"{k}": ' + (v if v.isdigit() else f'"{v}"') for k, v in pairs]
    file.write_text("{" + ", ".join(quoted) + "}")
    compared(load_record(str(file), tmp_path), INLINE, place)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[0])
@pytest.mark.parametrize(
    "name",
    [
        *("meta-llama-3.1-70b", "gpt-oss-120b", "deepseek-v3", "qwen3-30b-a3b"),
        *("minimax-m2.5", "gemma-4-31b-it-nvfp4", "nemotron-h-56b-base-8k"),
    ],
)
def test_published_configs_are_served_alike(
    name: str, place: tuple, shared: Path
) -> None:
    path = shared / "data" / "configs" / name
    if not path.exists():
        pytest.skip("no such config")
    compared(load_record(str(path), shared), str(path), place)
