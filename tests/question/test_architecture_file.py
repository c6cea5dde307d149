"""A published config in a scenario: its record counts, its cache is one S(context)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli import main
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from optimizer.world.architecture.read import read_config
from optimizer.world.built import Built, built
from optimizer.world.described import record_named

GEMMA = {  # sliding and full layers, the sliding ones of a window of 1,024
    "model_type": "gemma3_text",
    "hidden_size": 2560,
    "intermediate_size": 10240,
    "num_hidden_layers": 34,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "vocab_size": 262208,
    "sliding_window": 1024,
    "sliding_window_pattern": 6,
    "tie_word_embeddings": True,
}
ROOFLINE = """\
name: served
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving:
  {model: roofline, hardware: h100-sxm, mfu: 0.5, mbu: 0.7, price: $2/h,
   accelerators: 1}
demand: {requests: 5M/day, input_tokens: 20000, output_tokens: 300, lifetime: 2 years}
"""


def record():
    return read_config(GEMMA, "gemma")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "config.json"
    path.write_text(json.dumps(GEMMA), encoding="utf-8")
    return tmp_path


def scenario(folder: Path, more: str):
    path = folder / "scenario.yaml"
    path.write_text(ROOFLINE + more, encoding="utf-8")
    return load_scenario(path)


@pytest.mark.parametrize("name", ["gemma-3-4b", "deepseek-v3"])
def test_a_model_of_the_library_is_an_architecture_by_its_name(folder, name):
    words = record_named(name)
    one = scenario(folder, f"architecture: {name}\n").spec.architecture
    assert isinstance(one, Built)
    assert one.stored == words.total
    # A folder of that name with a config is nearer than the library.
    (folder / name).mkdir()
    (folder / name / "config.json").write_text(json.dumps(GEMMA), encoding="utf-8")
    near = scenario(folder, f"architecture: {name}\n").spec.architecture
    assert near.stored == record().total


def test_a_name_that_is_none_is_told_what_may_stand_there(folder):
    with pytest.raises(InputError) as told:
        scenario(folder, "architecture: gemma-3-4bb\n")
    (problem,) = told.value.problems
    assert problem.mark.line
    assert "a model of the library" in problem.message
    assert 'did you mean "gemma-3-4b"?' in problem.message


def test_path_is_relative_to_the_file(folder: Path) -> None:
    for place in ("models/config.json", "models"):
        shape = scenario(folder, f"architecture: {place}\n").spec.architecture
        assert isinstance(shape, Built)
        assert shape.record.layers == record().layers


def test_program_has_the_cache_of_the_context(folder: Path) -> None:
    """At its own size, b·S in memory is the record's own cache, window and all."""
    read = scenario(folder, "architecture: models/config.json\n")
    size = record().active()
    program = formulate(read)
    (machine,) = program.replicas
    kept = machine.kv[0] * size ** machine.kv[1] * machine.context
    assert machine.context == 20300
    assert kept == pytest.approx(record().cache(20300), rel=1e-9)
    # 29 of 34 layers stop at their window: a third of what plain layers would keep.
    plain = 2 * 34 * 4 * 256 * 2 * 20300
    assert kept < 0.25 * plain


def test_inline_words_are_the_file(folder: Path) -> None:
    words = "architecture: " + json.dumps(GEMMA) + "\n"
    inline = solve(read_scenario(ROOFLINE + words))
    file = solve(scenario(folder, "architecture: models/config.json\n"))
    assert inline.cost.total == file.cost.total
    assert "scaled-architecture" in {w.code for w in file.warnings}


def test_escape_words_say_the_same_as_layers() -> None:
    """131,072 bytes a token are Llama 3 8B's 2·32·8·128 numbers in bf16."""
    common = "architecture: {layers: 32, width: 4096, "
    layers = solve(read_scenario(ROOFLINE + common + "kv_heads: 8, head_size: 128}\n"))
    rate = solve(read_scenario(ROOFLINE + common + "cache: 131.072 kB/token}\n"))
    points = (
        "cache: [{context: 10K, bytes: 1310.72 MB}, {context: 40K, bytes: 5242.88 MB}]}"
    )
    line = solve(read_scenario(ROOFLINE + common + points + "\n"))
    for other in (rate, line):
        assert other.plan.parameters == pytest.approx(layers.plan.parameters, rel=1e-9)
        assert other.cost.total == pytest.approx(layers.cost.total, rel=1e-9)


def test_bytes_between_before_and_beyond() -> None:
    text = (
        "[{context: 10K, bytes: 1 GB}, {context: 20K, bytes: 3 GB}, "
        "{context: 40K, bytes: 4 GB}]"
    )
    shape = read_scenario(
        ROOFLINE + f"architecture: {{layers: 2, width: 64, cache: {text}}}\n"
    ).spec.architecture
    for context, held in (
        (5e3, 1e9),
        (1e4, 1e9),
        (15e3, 2e9),
        (3e4, 3.5e9),
        (8e4, 6e9),
    ):
        assert shape.kept(context, 2.0) == (pytest.approx(held), 0.0)
    assert shape.kept(15e3 + 1e-20j, 2.0)[0].imag / 1e-20 == pytest.approx(2e5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cache: 70}", "must be bytes a token"),
        ("cache: [{context: 10K, bytes: 1 GB}]}", "two contexts"),
        (
            "cache: [{context: 10K, bytes: 1 GB}, {context: 5K, bytes: 2 GB}]}",
            "longer context",
        ),
        ("parameters: {total: 3B, active: 30B}}", "at most the total"),
    ],
)
def test_bad_words(words: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_scenario(ROOFLINE + "architecture: {layers: 32, width: 4096, " + words)


def test_bad_config_is_told_at_its_place(folder: Path) -> None:
    (folder / "models" / "config.json").write_text('{"model_type": "warp"}')
    with pytest.raises(InputError, match=r"config\.json:1:2: model_type: is a family"):
        scenario(folder, "architecture: models/config.json\n")
    with pytest.raises(InputError, match=r"architecture: .*there is no such file"):
        scenario(folder, "architecture: nowhere/config.json\n")


def test_growth_of_families() -> None:
    """By depth alone for groups and latents; by depth times width for all heads."""
    grouped = read_config({**GEMMA, "sliding_window": None}, "grouped")
    every = read_config({**GEMMA, "num_key_value_heads": 8}, "every")
    assert grouped.growth == pytest.approx(1 / 3)
    assert every.growth == pytest.approx(2 / 3)


def test_smooth_cache_is_the_cache() -> None:
    """Where entries are whole; its derivative is the slope beyond the window."""
    one = record()
    for context in (512, 4096, 100_000):
        assert one.kept(context) == pytest.approx(one.cache(context), rel=1e-12)
    assert one.kept(9e4 + 1e-20j).imag / 1e-20 == pytest.approx(one.slope())


def test_window_in_attention() -> None:
    """A window's mean reach, against the sum over positions."""
    only = replace(record(), layers=record().layers[:1])
    span, window = 5000, 1024
    reached = sum(min(i, window) for i in range(1, span + 1)) / span
    assert only.spanned(span) == pytest.approx(2 * reached * 8 * 256, rel=1e-3)


def test_existing_and_snap_have_their_own(folder: Path, capsys) -> None:
    text = "architecture: models\nexisting: {architecture: models, tokens: 4T}\n"
    answer = solve(scenario(folder, text))
    assert answer.status.value == "optimal"
    path = folder / "scenario.yaml"
    model = str(folder / "models")
    assert main(["solve", str(path), "--snap", model, "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plans"][0]
    (size,) = plan["snap"]["sizes"]
    assert size["parameters"] == record().active()
    assert size["stored"] == record().total


def test_audit_of_a_config(folder: Path, capsys) -> None:
    model = str(folder / "models" / "config.json")
    assert main(["audit", model, "--tokens", "4T", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["audits"]
    assert {one["parameters"] for one in found} == {record().total}
    assert main(["audit", model]) == 2
    assert "--tokens" in capsys.readouterr().err


def test_mixture_stores_all_of_its_experts() -> None:
    """Of DeepSeek V3 a token passes 37.6B of 671B: memory holds 17.9 times N."""
    config = {
        "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2,
    }  # fmt: skip
    shape = built(read_config(config, "mixtral"))
    assert shape.stored == 46_702_792_704  # Mistral AI's 46.7B
    read = read_scenario(ROOFLINE + "architecture: " + json.dumps(config) + "\n")
    assert read.stored == pytest.approx(shape.stored / shape.size("total"))


def test_stored_of_words() -> None:
    """A replica's weights are all that are stored, also where words tell them."""
    words = (
        "architecture: {layers: 32, width: 4096, cache: 70 kB/token, "
        "parameters: {total: 30B, active: 3B}}"
    )
    (machine,) = formulate(read_scenario(ROOFLINE + words)).replicas
    assert machine.weights == pytest.approx(2.0 * 10)
    assert machine.kv == (pytest.approx(70e3), 0.0)
