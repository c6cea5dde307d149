"""How weights and caches are stored, and in which arithmetic that is computed.

A format of four bits has scales beside its numbers: NVFP4 one byte for 16 of them,
MXFP4 one for 32, int4 two for 32, Q4_0 two for 32; Q4_K_M is a mixture of 4.5 and 6.6
bits. Embeddings and the head stay in 16 bits, as released checkpoints have them.

*Source*: NVIDIA, "Introducing NVFP4" (2025); OCP Microscaling Formats 1.0, 5.2;
llama.cpp, ggml-common.h.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from optimizer.world.hardware import Hardware

WEIGHTS: Mapping[str, float] = {
    **{"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625, "nvfp4": 0.5625},
    **{"mxfp4": 0.53125, "int4": 0.5625, "q4_0": 0.5625, "q4_k_m": 0.6875},
}
CACHE: Mapping[str, float] = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625}
WIDE = 2.0  # bytes of embeddings and heads
# How benchmarks spell them, the first that fits: fp8_e4m3, fp8_block, nvfp4_static,
# awq, w4afp8, int8_wo, half, auto (as the model has it).
_SPELLINGS = (
    ("nvfp4", "nvfp4"),
    ("mxfp4", "mxfp4"),
    ("(w4a|int4|awq|gptq|u4)", "int4"),
    ("(w8a8.?int8|w8a16|w8a8$|int8|smooth)", "int8"),
    ("(fp8|float8|mxfp8|e4m3|e5m2|w8a8.?fp8)", "fp8"),
    ("(fp4|float4|e2m1)", "fp4"),
    ("(bf16|fp16|bfloat16|float16|half|16$|auto$|none$)", "bf16"),
)
_FAMILY = {"nvfp4": "fp4", "mxfp4": "fp4", "q4_0": "int4", "q4_k_m": "int4"}


def spelled(word: str) -> str:
    """A format in the spelling of this file; as it is where nothing fits."""
    word = word.strip().lower()
    if word in WEIGHTS:
        return word
    found = (known for pattern, known in _SPELLINGS if re.search(pattern, word))
    return next(found, word)


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
