#!/usr/bin/env bash
# transformers 5.24.0 builds one shared expert for DeepSeek-V4, whatever the config says.
#
# A config.json of model_type deepseek_v4 states n_shared_experts, and the config object
# keeps the number. The layers are built with a single shared expert of the width
# moe_intermediate_size all the same, so that weights, and the parameters that are
# multiplied for a token, do not follow it. Under deepseek_v3 the same word widens the
# shared expert, as its makers' models have it. Who counts a variant with two shared
# experts by building it is short by one expert a layer.
#
# Behaviour seen, models on the meta device (no memory): deepseek_v4 has as many
# parameters for 1, 2 and 4 shared experts; deepseek_v3 has more with each.
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
SIZE = {"hidden_size": 256, "num_hidden_layers": 4, "vocab_size": 512,
        "num_attention_heads": 4, "n_routed_experts": 8, "num_experts_per_tok": 2,
        "moe_intermediate_size": 64}
V3 = {"intermediate_size": 512, "first_k_dense_replace": 1, "num_key_value_heads": 4,
      "n_group": 1, "topk_group": 1}


def count(kind, shared, **more):
    config = AutoConfig.for_model(kind, **SIZE, **more, n_shared_experts=shared)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    total = sum(p.numel() for p in model.parameters())
    print(f"{kind}: stated {config.n_shared_experts}, parameters {total:,}")
    return total


v4 = [count("deepseek_v4", shared) for shared in (1, 2, 4)]
v3 = [count("deepseek_v3", shared, **V3) for shared in (1, 2, 4)]
expert = 3 * 256 * 64  # gate, up and down
same = v4[0] == v4[1] == v4[2]
grows = [b - a for a, b in zip(v3, v3[1:])] == [3 * expert, 6 * expert]
sys.exit(0 if same and grows else "the behaviour has changed")
PYTHON
