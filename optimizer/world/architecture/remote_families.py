"""Families without a class in Transformers, whose files bring their own code.

*Source*: their models in vLLM (Hunyuan) and in mlx-lm (Ring Linear, LongCat Lite).
"""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture.decoder import (
    BY_HAND,
    is_on,
    read_decoder,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.further_families import read_longcat
from optimizer.world.architecture.mixture_families import MIXTURES
from optimizer.world.architecture.record import Record

# What a model with eyes is inside, by its `version`: its words stand with the others.
VERSIONS: Mapping[str, Mapping[str, str]] = {
    "minicpmv": {"2.5": "llama", "2.6": "qwen2", "4.0": "llama", "4.5": "qwen3"},
    "minicpmo": {"2.6": "qwen2", "4.5": "qwen3"},
}


def by_version(f: Fields, told: str) -> str:
    """The family of the language model in a MiniCPM V or o.

    Raises:
        FieldError: the version is missing or not known.
    """
    known, version = VERSIONS[told], f.raw("version")[1]
    family = (
        known.get(str(float(version))) if isinstance(version, int | float) else None
    )
    if family is None:
        raise f.wrong(
            "version",
            f"must be one of {', '.join(known)}, which says what {told} is inside, got "
            f"{shown(version)}; {BY_HAND}",
        )
    return family


def read_hunyuan(f: Fields, name: str) -> Record:
    """Hunyuan: of so many layers only the first keeps keys and values, if it says so.

    *Source*: Tencent 2024, "Hunyuan-Large", section 2.1, on cross-layer attention.
    """
    traits = MIXTURES["hunyuan_v1_moe"]
    record = read_decoder(f, traits, name)
    share = f.number("cla_share_factor") if is_on(f, "use_cla") else 1
    keys = 2 * record.width * record.kv_heads * record.key_width
    keys += 2 * record.kv_heads * record.key_width * is_on(f, "attention_bias")
    layers = []
    for i, layer in enumerate(record.layers):
        mixer = layer.mixer
        if i % share:
            less = mixer.parameters - keys
            mixer = replace(mixer, kind="shared", stores=(), parameters=less)
        layers.append(replace(layer, mixer=mixer))
    return replace(record, layers=tuple(layers))


def read_longcat_ngram(f: Fields, name: str) -> Record:
    """LongCat Flash Lite: embeddings of the last few tokens together, looked up."""
    record = read_longcat(f, name)
    tables = f.number("emb_split_num") * (f.number("emb_neighbor_num", least=2) - 1)
    if tables > record.width:
        raise f.wrong("emb_split_num", f"must leave some width, got {tables} tables")
    narrow = record.width // tables
    entries = f.number("ngram_vocab_size_ratio") * record.vocabulary
    looked = sum((entries + 2 * i + 1) * narrow for i in range(tables))
    f.say(f"{tables} tables of n-grams of {looked / 1e9:.3g}B parameters are looked up")
    return replace(
        record,
        input_embedding=record.input_embedding + looked,
        lookup=looked,
        around=record.around + tables * narrow * record.width,
    )
