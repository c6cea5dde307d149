#!/usr/bin/env bash
# transformers 5.24.0 writes a total_flos to trainer_state.json that a mixture's run did
# not spend, and that counts a model's head only where it has a table of its own.
#
# The trainer takes 6 · tokens · N with N all parameters except those of embedding
# tables. Experts that a token does not use are in it, and a head that shares its table
# with the embeddings is not, though its product is computed all the same. A scaling law
# in C, or tokens worked out as C / 6N, inherit both.
#
# Behaviour seen on a small Qwen3-MoE, 2 of E experts a token, 128 tokens: with equal
# work a token, E = 16 has 6.2 times the total_flos of E = 2 (473,726,976 against
# 75,988,992); an own head adds 6 · 128 · 512 · 64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.14.1 transformers==5.24.0 accelerate==1.15.0
"$folder/v/bin/python" - <<'PYTHON'
import json
import sys
import tempfile

import torch
import transformers
from transformers import AutoModelForCausalLM, Qwen3MoeConfig, Trainer
from transformers import TrainingArguments

print("transformers", transformers.__version__)
LENGTH, STEPS, WIDTH, VOCABULARY = 64, 2, 64, 512
words = torch.arange(LENGTH)
rows = [{"input_ids": words, "labels": words}] * STEPS


def trained(experts, tied):
    config = Qwen3MoeConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=96, moe_intermediate_size=96,
        num_experts=experts, num_experts_per_tok=2, tie_word_embeddings=tied,
    )
    model = AutoModelForCausalLM.from_config(config)
    with tempfile.TemporaryDirectory() as place:
        how = TrainingArguments(
            place, per_device_train_batch_size=1, num_train_epochs=1, use_cpu=True,
            save_strategy="no", report_to=[], disable_tqdm=True,
        )
        trainer = Trainer(model, how, train_dataset=rows)
        trainer.train()
        trainer.save_state()
        with open(f"{place}/trainer_state.json") as file:
            flos = json.load(file)["total_flos"]
    print(f"{experts} experts, {'tied' if tied else 'own'} head: {flos:,.0f} FLOP")
    return flos


few, many, own = trained(2, True), trained(16, True), trained(2, False)
head = 6 * LENGTH * STEPS * VOCABULARY * WIDTH
print(f"many over few: {many / few:.2f}; own head adds {own - few:,.0f}, by hand {head:,}")
unchanged = 6 < many / few < 6.5 and own - few == head
sys.exit(0 if unchanged else "the behaviour has changed")
PYTHON
