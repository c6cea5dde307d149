#!/usr/bin/env bash
# llm-analysis 0.2.2 gives every model a feed-forward layer of eight squared widths.
#
# The planner's parameters hold two matrices of ffn_embed_dim, and its FLOPs 16 times the
# square of the width, whatever the config says. A gated layer has three matrices, which
# come to as much where its width is 8/3 of the model's (Llama 7B to 65B), and its own
# configs state four widths for two matrices. Llama 2 70B has 28,672 in three: it counts
# 55.3B parameters of 68.98B, 27 GB of weights too few in bf16. The FLOPs of a mixture do
# not follow its experts or those that a token takes.
#
# Behaviour seen: 6.57B for Llama 7B (6.61B without the output head), 55.29B for the
# config of Llama 2 70B (68.71B without it); one number of FLOPs for 1 expert, and for 2
# and 8 of 8 experts a token, whose active parameters it tells as 6.6B, 10.9B and 36.6B.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check llm-analysis==0.2.2
"$folder/v/bin/python" - 2>/dev/null <<'PYTHON'
import dataclasses
import sys
from importlib.metadata import version

from llm_analysis.analysis import LLMAnalysis
from llm_analysis.config import (
    get_dtype_config_by_name,
    get_gpu_config_by_name,
    get_model_config_by_name,
)


def counted(config):
    one = LLMAnalysis(
        config,
        get_gpu_config_by_name("h100-sxm-80gb"),
        get_dtype_config_by_name("w16a16e16"),
    )
    return (
        one.get_num_params_total() / 1e9,
        one.get_num_active_params_total() / 1e9,
        one.get_num_flops_fwd_total(1, 2048) / 1e12,
    )


def gated(layers, width, groups, inner, words):
    """Parameters of a Llama without the output head, by its matrices [1e9]."""
    layer = (2 + 2 / groups) * width**2 + 3 * width * inner + 2 * width
    return (layers * layer + words * width + width) / 1e9


print("llm-analysis", version("llm-analysis"))
small = get_model_config_by_name("decapoda-research_llama-7b-hf")
large = get_model_config_by_name("upstage_Llama-2-70b-instruct-v2")
true = gated(32, 4096, 1, 11008, 32000), gated(80, 8192, 8, 28672, 32000)
told = counted(small)[0], counted(large)[0]
for name, ours, theirs in zip(("Llama 7B", "Llama 2 70B"), true, told):
    print(f"{name}: {theirs:.2f}B told, {ours:.2f}B by its matrices")
flops = []
for experts, chosen in ((1, 1), (8, 2), (8, 8)):
    mixture = dataclasses.replace(small, moe_num_experts=experts, moe_top_k=chosen)
    total, active, work = counted(mixture)
    flops.append(work)
    print(f"{chosen} of {experts}: {active:.1f}B active, {work:.2f} TFLOP a sequence")
low = abs(told[0] / true[0] - 1) < 0.01 and told[1] / true[1] < 0.82
same = len(set(flops)) == 1
sys.exit(0 if low and same else "the behaviour has changed")
PYTHON
