#!/usr/bin/env bash
# transformers 5.24.0 allocates weights for the experts of LongCat-Flash that have none.
#
# LongCat-Flash (560B) routes tokens to 512 experts and to 256 "zero experts", which
# return their input and hold no weights; the config.json says so with zero_expert_num.
# Gates and first matrices of all experts are one tensor, with room for both kinds, so
# that the model counts 741.05B parameters: 361 GB in bf16 that no checkpoint fills. Who
# sizes a machine by building the model is 32 % too high.
#
# Behaviour seen, on the meta device (no memory), with the published sizes: 741.05B with
# zero experts, 560.62B without; the difference is two matrices for each of 256 experts
# in 28 layers, and the rows of the router, which are real.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    transformers==5.24.0 torch==2.13.0
cd "$folder"
v/bin/python - <<'PYTHON'
import sys

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

print("transformers", transformers.__version__, "torch", torch.__version__)
SIZE = {"hidden_size": 6144, "num_layers": 28, "vocab_size": 131072,
        "num_attention_heads": 64, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "ffn_hidden_size": 12288, "expert_ffn_hidden_size": 2048,
        "n_routed_experts": 512, "moe_topk": 12}


def count(zero):
    config = AutoConfig.for_model("longcat_flash", **SIZE, zero_expert_num=zero)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    total = sum(p.numel() for p in model.parameters())
    print(f"zero_expert_num {zero}: {total / 1e9:.2f}B parameters")
    return total


two = 2 * 6144 * 2048  # gate and up; there is no down matrix
router = 6144  # its rows for the zero experts are real
extra = count(256) - count(0)
print(f"weights of zero experts: {(extra - 28 * 256 * router) / 1e9:.2f}B")
same = extra == 28 * 256 * (two + router)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
