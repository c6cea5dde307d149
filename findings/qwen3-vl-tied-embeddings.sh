#!/usr/bin/env bash
# transformers 5.24.0: the text part of a Qwen3-VL mixture says that its embeddings are
# tied, where the file and the whole say that they are not.
#
# The published config.json of Qwen3-VL-30B-A3B states tie_word_embeddings: false beside
# its text_config, not inside it. The object has false at the top, and true (the default
# of its class) in get_text_config(), which is where tools read the language model from:
# parameters counted by it lack the output head, 151,936 × 2,048 = 311M of them.
#
# Behaviour seen: top False, text config True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0
cd "$folder"
mkdir model
cat >model/config.json <<'JSON'
{"model_type": "qwen3_vl_moe", "tie_word_embeddings": false,
 "text_config": {"model_type": "qwen3_vl_moe_text", "hidden_size": 2048,
  "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
  "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
  "moe_intermediate_size": 768, "intermediate_size": 6144, "vocab_size": 151936}}
JSON
v/bin/python - <<'PYTHON'
import sys

import transformers
from transformers import AutoConfig

print("transformers", transformers.__version__)
whole = AutoConfig.from_pretrained("model")
text = whole.get_text_config()
print("top:", whole.tie_word_embeddings, " text config:", text.tie_word_embeddings)
head = text.vocab_size * text.hidden_size
print(f"parameters of the output head that a count by the text config leaves out: {head:,}")
same = (whole.tie_word_embeddings, text.tie_word_embeddings) == (False, True)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
