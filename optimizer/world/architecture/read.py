"""From a config.json to a record; what is not known is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from optimizer.reading.document import suggest
from optimizer.reading.fields import FieldError
from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import classic_families as classic
from optimizer.world.architecture import further_families as further
from optimizer.world.architecture import hybrid_families as hybrid
from optimizer.world.architecture import lone_families as lone
from optimizer.world.architecture import own_code_families as own_code
from optimizer.world.architecture import remote_families as remote
from optimizer.world.architecture import step_families as step
from optimizer.world.architecture.compressed_families import read_deepseek_v4
from optimizer.world.architecture.convolution_families import read_lfm
from optimizer.world.architecture.decoder import BY_HAND, Traits, read_decoder
from optimizer.world.architecture.dense_families import DENSE
from optimizer.world.architecture.engram_families import read_deepseek_v41
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.gemma import read_gemma3n, read_gemma4
from optimizer.world.architecture.indexed_families import (
    read_axk2,
    read_dots3,
    read_glm5_next,
    read_hy_v4,
)
from optimizer.world.architecture.inkling_families import read_inkling, read_inkling2
from optimizer.world.architecture.kimi_families import read_kimi_linear
from optimizer.world.architecture.latent_families import LATENT, read_latent
from optimizer.world.architecture.ling_families import read_ling, read_ring
from optimizer.world.architecture.looped_families import LOOPED, read_looped
from optimizer.world.architecture.mixture_families import MIXTURES
from optimizer.world.architecture.nemotron_families import read_nemotron_h
from optimizer.world.architecture.nested import (
    INSIDE,
    NESTED,
    REFUSED,
    RENAMED,
    SAME,
)
from optimizer.world.architecture.newest_families import (
    read_minimax_m3,
    read_qwen4,
    read_zaya,
)
from optimizer.world.architecture.pruned_families import read_pruned
from optimizer.world.architecture.record import Record
from optimizer.world.architecture.recurrent_families import (
    read_recurrent_gemma,
    read_xlstm,
    read_zamba,
)

Reader = Callable[[Fields, str], Record]

TRAITS: Mapping[str, Traits] = {**DENSE, **MIXTURES, **hybrid.HYBRIDS}
SPECIAL: Mapping[str, Reader] = {
    **dict.fromkeys(LATENT, read_latent),
    **dict.fromkeys(classic.CLASSICS, classic.read_classic),
    "deepseek_v4": read_deepseek_v4,
    "deepseek_v41_text": read_deepseek_v41,
    "nemotron-nas": read_pruned,
    "nemotron_h": read_nemotron_h,
    "granitemoehybrid": hybrid.read_granite_hybrid,
    "bamba": hybrid.read_bamba,
    "falcon_h1": hybrid.read_falcon_h1,
    "jamba": hybrid.read_jamba,
    "mamba2": hybrid.read_mamba2,
    "mamba": hybrid.read_mamba,
    "falcon_mamba": hybrid.read_mamba,
    "kimi_linear": read_kimi_linear,
    **dict.fromkeys(("lfm2", "lfm2_moe", "lfm3"), read_lfm),
    "mimo_v2_flash": further.read_mimo_v2,
    "bailing_hybrid": read_ling,
    "mistral_large4_text": further.read_mistral_large4,
    "minimax": further.read_minimax,
    "minimax_text_01": further.read_minimax,
    "minimax_m1": further.read_minimax,
    "longcat_flash": further.read_longcat,
    "dbrx": further.read_dbrx,
    "laguna": further.read_laguna,
    "gemma3n_text": read_gemma3n,
    **dict.fromkeys(("gemma4_text", "gemma4_unified_text"), read_gemma4),
    **dict.fromkeys(("hy_v4", "hy_v4_vl_text"), read_hy_v4),
    "axk2": read_axk2,
    "glm5_next_text": read_glm5_next,
    "dots3_note_text": read_dots3,
    "inkling_text": read_inkling,
    "inkling2_text": read_inkling2,
    "minimax_m3_vl_text": read_minimax_m3,
    "qwen4_exp_text": read_qwen4,
    "zaya": read_zaya,
    "step3p5": step.read_step,
    "muse_spark_text": step.read_muse_spark,
    "ernie4_5_vl_moe_text": step.read_ernie_vl,
    "jetmoe": step.read_jetmoe,
    "molmo2_text": step.read_molmo2,
    "qwen": step.read_first_qwen,
    "grok": step.read_grok,
    "arctic": step.read_arctic,
    "recurrent_gemma": read_recurrent_gemma,
    **dict.fromkeys(("zamba", "zamba2"), read_zamba),
    "xlstm": read_xlstm,
    **dict.fromkeys(LOOPED, read_looped),
    "mllama_text_model": lone.read_mllama,
    "modernbert-decoder": lone.read_ettin,
    "doge": lone.read_doge,
    "step3_text": lone.read_step3,
    "hunyuan_v1_moe": remote.read_hunyuan,
    "bailing_moe_linear": read_ring,
    "longcat_flash_ngram": remote.read_longcat_ngram,
    "plamo2": own_code.read_plamo2,
    "phi4flash": own_code.read_phi4flash,
    "openelm": own_code.read_openelm,
    "rwkv7": own_code.read_rwkv7,
    "baichuan_m1": own_code.read_baichuan_m1,
    "unlimited_ocr_text": lone.read_unlimited,
}
FAMILIES = tuple(sorted({*TRAITS, *SPECIAL}))

STRANGE = {
    "peft_type": "an adapter, which holds no model of its own; give the config.json of "
    "the base model that it names in base_model_name_or_path",
    "_diffusers_version": "a diffusion model, which serves no tokens",
    "_class_name": "a diffusion model, which serves no tokens",
}

# Words of models that see or hear.
SENSES = ("patch_size", "image_size", "num_channels", "num_mel_bins")


def read_config(value: Mapping[str, Any], name: str) -> Record:
    """What a config says of the language model in it.

    Args:
        value: the config.
        name: for reports.

    Raises:
        FieldError: the model type is not known, or a word is missing, impossible or
            contradicts another.
    """
    f = language(Fields(value))
    f.agree()
    kind = f.value["model_type"]
    if kind in SPECIAL:
        record = SPECIAL[kind](f, name)
    else:
        record = read_decoder(f, TRAITS[kind], name)
    return replace(record, notes=tuple(f.said))


def _same(f: Fields, told: Any) -> Any:
    """The family by the name that it has here."""
    if told == "git" and "Grok1ForCausalLM" in (f.value.get("architectures") or ()):
        return "grok"  # as Grok 2 is published
    if told in remote.VERSIONS:
        f.say(f"the language model of {told} is counted alone")
        return remote.by_version(f, told)
    told = SAME.get(str(told), told)
    return told if told in FAMILIES else _by_class(f, told)


def _by_class(f: Fields, told: Any) -> Any:
    """The family of the class in `architectures`, where the type says none.

    Copies of a model under another `model_type` are loaded by their class all the same.
    """
    classes = f.value.get("architectures")
    for one in classes if isinstance(classes, list) else ():
        word = str(one).removesuffix("ForCausalLM").lower()
        found = next((x for x in FAMILIES if x.replace("_", "") == word), None)
        if found is not None:
            f.say(f"read as {found}, which its architectures name: {one}")
            return found
    return told


def _unknown(f: Fields, told: Any) -> FieldError:
    """An error for a family that is not known, with what can be done."""
    seen = next((word for word in SENSES if word in f), None)
    if "vocab_size" not in f and (seen is not None or "vision" in str(told)):
        found = "no vocab_size" if seen is None else f"{seen} and no vocab_size"
        return f.wrong(
            "model_type",
            f"is {shown(told)}, with {found}: a model of images or "
            "sound, which writes no tokens; give that of a model that writes text",
        )
    if f.value.get("is_encoder_decoder") is True:
        return f.wrong(
            "is_encoder_decoder",
            f"must be false, got true for {shown(told)}: this reads decoders alone; "
            f"{BY_HAND}",
        )
    return f.wrong(
        "model_type",
        f"is a family that this does not know, {shown(told)}"
        f"{suggest(str(told), FAMILIES)}; {BY_HAND}",
    )


def language(f: Fields) -> Fields:
    """The part of a config that is of the language model, with its model type.

    Raises:
        FieldError: there is none, or its type is not known.
    """
    for word, what in STRANGE.items():
        if word in f.value:
            raise f.wrong(word, f"says that this is {what}")
    outer, told = f, f.raw("model_type")[1]
    if told is not None and not isinstance(told, str):
        raise f.wrong("model_type", f"must be a word, got {shown(told)}")
    if isinstance(told, str) and told in REFUSED:
        raise f.wrong("model_type", f"is {shown(told)}, {REFUSED[told]}")
    while inner := next((word for word in NESTED if word in outer), None):
        outer = outer.inside(inner)
        told = outer.value.get("model_type") or INSIDE.get(str(told))
    if outer is f and told in INSIDE and "hidden_size" in f:
        told = INSIDE[
            str(told)
        ]  # a nested family whose words stand outside, as Qwen2-VL
    elif outer is not f:
        f.say(f"the language model in {'.'.join(map(str, outer.at))} is counted alone")
    told = _same(outer, told)
    if told is None:
        raise outer.wrong(
            "model_type",
            "is missing, so that its words mean nothing; add model_type: "
            "llama, or what it is",
        )
    if outer is f and told in INSIDE:
        raise f.wrong(
            NESTED[0], f"is missing; it holds the language model of {shown(told)}"
        )
    if not isinstance(told, str) or told not in FAMILIES:
        raise _unknown(outer, told)
    if outer.flag("is_encoder_decoder", missing=False):
        raise outer.wrong(
            "is_encoder_decoder", f"must be false: this reads decoders; {BY_HAND}"
        )
    usual = {
        word: outer.value[own]
        for word, own in RENAMED.get(told, {}).items()
        if own in outer and word not in outer
    }
    return replace(outer, value={**outer.value, **usual, "model_type": told})
