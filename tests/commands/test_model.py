"""`overtrain model`: what it prints, and what it refuses with one line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import main

CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Llama 3.1 8B has 8,030,261,248 parameters and caches 128 KiB a token."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG), encoding="utf-8")
    code = main(
        ["model", str(path), str(tmp_path), "--context", "8000", "--format", "json"]
    )
    assert code == 0
    one, two = json.loads(capsys.readouterr().out)["models"]
    assert one["total"] == two["total"] == 8_030_261_248
    matrix = 128256 * 4096
    assert one["active"] == {
        "all": one["total"],
        "without_input_embedding": one["total"] - matrix,
        "without_embeddings": one["total"] - 2 * matrix,
    }
    assert one["layers"] == [{"kind": "full", "count": 32}]
    assert [c["context"] for c in one["cache"]] == [4096, 8000, 32768, 131072]
    assert all(c["bytes"] == 131072 * c["context"] for c in one["cache"])
    assert one["understood"]


def test_library_and_refusal_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**CONFIG, "model_type": "warp_drive"}))
    code = main(["model", "llama-3-8b", str(path), "--format", "json"])
    assert code == 2
    told = capsys.readouterr()
    known, refused = json.loads(told.out)["models"]
    assert known["total"] == pytest.approx(8.03e9, rel=1e-3)
    assert "warp_drive" in refused["refused"]
    assert "cache: 70 kB/token" in refused["refused"]
    assert told.err.count("\n") == 1


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> str:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    assert main(["model", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1, told
    return told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_attention_heads": 0}, "num_attention_heads: must be 1"),
        ({"num_attention_heads": "32"}, "num_attention_heads: must be a whole number"),
        ({"num_attention_heads": True}, "num_attention_heads: must be a whole number"),
        ({"hidden_size": None}, "hidden_size: is missing"),
        ({"num_hidden_layers": 10**8}, "num_hidden_layers: must be 1 to 10,000"),
        ({"hidden_size": -4096}, "hidden_size: must be 1"),
        ({"hidden_size": float("nan")}, "hidden_size: must be a whole number, got"),
        ({"vocab_size": 0}, "vocab_size: must be 1"),
        (
            {"model_type": "dinov2", "vocab_size": None, "patch_size": 14},
            "with patch_size and no vocab_size: a model of images",
        ),
        ({"hidden_size": 1e300}, "hidden_size: must be 1"),
        ({"num_key_value_heads": 5}, "num_key_value_heads: must divide the 32"),
        ({"hidden_size": 4100}, "num_attention_heads: must divide"),
        ({"layer_types": ["full_attention"]}, "layer_types: has 1 entries for 32"),
        ({"layer_types": ["warp"] * 32}, "layer_types.0: is a kind of layer"),
        ({"layer_types": 7}, "layer_types: must be a list"),
        ({"model_type": None}, "model_type: is missing"),
        ({"model_type": ["llama"]}, "model_type: must be a word"),
        ({"model_type": "vitdet"}, "model_type: is a family that this does not know"),
        ({"text_config": 3}, "text_config: must be a config of its own"),
        ({"peft_type": "LORA"}, "an adapter"),
        ({"_class_name": "UNet2DConditionModel"}, "a diffusion model"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings: must be true or false"),
        ({"is_encoder_decoder": True}, "is_encoder_decoder: must be false"),
    ],
)
def test_bad_field(
    change: dict[str, object],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = json.dumps({**CONFIG, **change}, indent=1)
    assert said in refused(tmp_path, capsys, text)


def test_place_of_a_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the text model's word, not of the vision model's before it."""
    text = json.dumps(
        {
            "vision_config": {"num_attention_heads": 16},
            "model_type": "llava",
            "text_config": {**CONFIG, "num_attention_heads": 0},
        },
        indent=1,
    )
    line = max(
        i for i, x in enumerate(text.split("\n"), 1) if '"num_attention_heads"' in x
    )
    assert f"config.json:{line}:" in refused(tmp_path, capsys, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(CONFIG)[:-40], "cut off"),
        ("", "is empty"),
        ("[1, 2]", "must be an object"),
        ('{"hidden_size": 8,}', "in double quotes; mend it there, or fetch the file"),
        ("// from the hub\n{}", "config.json:1:1: is not JSON: expecting value; mend"),
        ("<!doctype html>", "it is a web page; download the file itself"),
        ("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS; fetch"),
        ('{"a": 1, "a": 2}', "config.json:1:10: a: stands here twice"),
        (
            '{"b": [{"a": 1}, {"a": "{"}],\n "c": {"a": 1,\n  "a": 3}}',
            "config.json:3:3: a: stands here twice",
        ),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested more than"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        (
            json.dumps(
                {**CONFIG, "quantization_config": {"ignore": ["x" * 50] * 10**5}}
            ),
            "quantization_config: makes this file 5.",
        ),
    ],
    ids=[
        "cut",
        "empty",
        "list",
        "comma",
        "note",
        "page",
        "lfs",
        "twice",
        "inside",
        "deep",
        "digits",
        "long",
    ],
)
def test_bad_file(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(tmp_path, capsys, text)


def test_lists_of_a_quantization(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MiniMax M3 in NVFP4 is published with 3.1 MB of them."""
    lists = {"quantization_config": {"ignore": ["x" * 50] * 56_000}}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**CONFIG, **lists}), encoding="utf-8")
    assert 3e6 < path.stat().st_size < 4e6
    assert main(["model", str(path), "--format", "json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["models"]
    assert one["total"] == 8_030_261_248


def test_not_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_bytes(b"\xff\xfe\x00{")
    assert main(["model", str(tmp_path)]) == 2
    assert "is not text" in capsys.readouterr().err


def test_no_file_and_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "no/such/config.json", "llama-9"]) == 2
    told = capsys.readouterr().err
    assert "there is no such file" in told
    assert "must be one of" in told
