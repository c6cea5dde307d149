#!/usr/bin/env bash
# transformers 5.24.0 caches Falcon's keys once for every query head.
#
# Falcon-40B and 180B, and Falcon 2 11B (new_decoder_architecture) share 8 key and value
# heads among 128, 232 and 32 query heads, so that a serving engine keeps 8 of them. Here
# keys and values are copied to all query heads before they are cached: 16, 29 and 4
# times the bytes that num_kv_heads promises. Falcon-7B (multi_query) keeps its one head.
#
# Behaviour seen, with narrow heads: 8 of 32 heads stated, 32 cached; 1 of 4, 1 cached.
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


def heads(name, **more):
    config = AutoConfig.for_model(
        "falcon", num_hidden_layers=1, vocab_size=64, alibi=False, **more
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        cache = model(torch.arange(10)[None], use_cache=True).past_key_values
    keys = cache.layers[0].keys
    print(f"{name}: {config.num_attention_heads} query heads, cached {tuple(keys.shape)}")
    return keys.shape[1]


new = heads("as Falcon 2 11B", hidden_size=256, num_attention_heads=32, num_kv_heads=8,
            new_decoder_architecture=True)
old = heads("as Falcon-7B", hidden_size=32, num_attention_heads=4, multi_query=True,
            new_decoder_architecture=False)
sys.exit(0 if (new, old) == (32, 1) else "the behaviour has changed")
PYTHON
