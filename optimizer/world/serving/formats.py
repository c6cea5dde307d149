"""How weights and caches are stored, and in which arithmetic that is computed.

A format of four bits has scales beside its numbers: NVFP4 one byte for 16 of them,
MXFP4 one for 32, int4 two for 32, Q4_0 two for 32; Q4_K_M is a mixture of 4.5 and 6.6
bits. Embeddings and the head stay in 16 bits, as released checkpoints have them.

*Source*: NVIDIA, "Introducing NVFP4" (2025); OCP Microscaling Formats 1.0, 5.2;
llama.cpp, ggml-common.h.
"""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.world.hardware import Hardware

WEIGHTS: Mapping[str, float] = {
    **{"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "nvfp4": 0.5625},
    **{"mxfp4": 0.53125, "int4": 0.5625, "q4_0": 0.5625, "q4_k_m": 0.6875},
}
CACHE: Mapping[str, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625}
WIDE = 2.0  # bytes of embeddings and heads
_SAME = {"fp16": "bf16", "16": "bf16", "float16": "bf16", "bfloat16": "bf16"}
_SAME |= {"fp8_e4m3": "fp8", "fp8-block": "fp8", "fp8_block": "fp8", "mxfp8": "fp8"}
_SAME |= {"w4a16": "int4", "awq": "int4", "gptq": "int4", "w8a8": "int8"}
_FAMILY = {"nvfp4": "fp4", "mxfp4": "fp4", "q4_0": "int4", "q4_k_m": "int4"}


def spelled(word: str) -> str:
    """A format in the spelling of this file."""
    word = word.strip().lower().replace("float8", "fp8")
    return _SAME.get(word, word)


def family(weights: str) -> str:
    """What constants are kept by: formats that are computed alike."""
    return _FAMILY.get(weights, weights)


def peak(chip: Hardware, weights: str) -> float:
    """The dense peak at which weights of a format are multiplied [FLOP/s].

    Where a chip has no peak for it, they are unpacked and multiplied in 16 bits.

    Raises:
        ValueError: it has no 16-bit peak either.
    """
    word = family(weights)
    return chip.peaks[word] if word in chip.peaks else chip.peak("bf16")
