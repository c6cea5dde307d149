#!/usr/bin/env bash
# transformers 5.24.0 does not keep the head_dim that a GLM-5 config.json states.
#
# GLM-5 (model_type glm_moe_dsa) has latent attention: heads of qk_nope_head_dim +
# qk_rope_head_dim = 192 + 64 for queries and keys, v_head_dim = 256 for values. The
# config object replaces whatever head_dim the file states by qk_rope_head_dim, and
# DeepSeek-V3's object has such a head_dim although its file has none. A cache that is
# sized from the object by 2 · layers · num_key_value_heads · head_dim is 28 times that
# of DeepSeek-V3's latent, which holds 512 + 64 values a token and layer.
#
# Behaviour seen: GLM-5 with head_dim 192 in the file reads 64; DeepSeek-V3 reads 64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0
cd "$folder"
mkdir glm deepseek
cat >glm/config.json <<'JSON'
{"model_type": "glm_moe_dsa", "head_dim": 192, "qk_nope_head_dim": 192,
 "qk_rope_head_dim": 64, "v_head_dim": 256, "kv_lora_rank": 512, "q_lora_rank": 2048,
 "num_attention_heads": 64, "num_key_value_heads": 64, "num_hidden_layers": 78,
 "hidden_size": 6144}
JSON
cat >deepseek/config.json <<'JSON'
{"model_type": "deepseek_v3", "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
 "v_head_dim": 128, "kv_lora_rank": 512, "q_lora_rank": 1536,
 "num_attention_heads": 128, "num_key_value_heads": 128, "num_hidden_layers": 61,
 "hidden_size": 7168}
JSON
v/bin/python - <<'PYTHON'
import json
import sys

import transformers
from transformers import AutoConfig

print("transformers", transformers.__version__)
seen = {}
for name in ("glm", "deepseek"):
    stated = json.load(open(f"{name}/config.json")).get("head_dim")
    config = AutoConfig.from_pretrained(name)
    seen[name] = config.head_dim
    latent = config.kv_lora_rank + config.qk_rope_head_dim
    plain = 2 * config.num_key_value_heads * config.head_dim
    print(f"{name}: file {stated}, object {config.head_dim}; values a token and layer: "
          f"{plain} by the plain formula, {latent} in the latent")
sys.exit(0 if seen == {"glm": 64, "deepseek": 64} else "the behaviour has changed")
PYTHON
