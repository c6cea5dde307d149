#!/usr/bin/env bash
# torch 2.14.1's FlopCounterMode leaves out grouped experts, and attention on a CPU.
#
# The counter knows a list of operations; what is not on it counts nothing, without a
# word. transformers 5.24.0 runs the experts of a mixture by a grouped product unless
# told otherwise, which is not on the list, and neither is the fused attention that a
# CPU runs (the same call on the meta device is counted). A compute column measured so
# holds the projections and the head alone, and a mixture seems three times cheaper than
# it is, or more with more experts a token.
#
# Behaviour seen on a small Qwen3-MoE, one forward pass of 64 tokens on a CPU:
# 4,325,376 FLOP as built by default (grouped_mm), 13,762,560 with eager experts, and
# 14,811,136 with eager attention too; by hand 14,811,136.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.14.1 transformers==5.24.0
"$folder/v/bin/python" - <<'PYTHON'
import sys

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, Qwen3MoeConfig

print("torch", torch.__version__, "transformers", transformers.__version__)
ROWS, LENGTH, LAYERS, WIDTH, HEADS, HEAD, VOCABULARY = 2, 32, 2, 64, 4, 16, 128
PICKED, EXPERTS, EXPERT_WIDTH, KV_HEADS = 2, 8, 96, 2
config = dict(
    vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS,
    num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD,
    intermediate_size=EXPERT_WIDTH, moe_intermediate_size=EXPERT_WIDTH,
    num_experts=EXPERTS, num_experts_per_tok=PICKED,
)
tokens = ROWS * LENGTH
projections = 2 * WIDTH * (HEADS + KV_HEADS) * HEAD + WIDTH * EXPERTS
experts = PICKED * 3 * WIDTH * EXPERT_WIDTH
rest = 2 * tokens * (LAYERS * projections + WIDTH * VOCABULARY)
mixture = 2 * tokens * LAYERS * experts
attention = LAYERS * 4 * ROWS * HEADS * LENGTH * LENGTH * HEAD
words = torch.arange(tokens).reshape(ROWS, LENGTH) % VOCABULARY


def counted(**how):
    model = AutoModelForCausalLM.from_config(Qwen3MoeConfig(**config), **how)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(words)
    seen = counter.get_total_flops()
    print(f"{how or 'as built by default'}: {seen:,} FLOP")
    return seen


plain = counted()
eager = counted(experts_implementation="eager")
every = counted(experts_implementation="eager", attn_implementation="eager")
print(f"by hand: {rest:,} + experts {mixture:,} + attention {attention:,}")
unchanged = (
    plain == rest and eager == rest + mixture and every == rest + mixture + attention
)
sys.exit(0 if unchanged else "the behaviour has changed")
PYTHON
