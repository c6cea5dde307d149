"""Names of columns as trainers and published tables spell them, read at once.

Names alone, as nanochat, marin, DCLM, DataDecide, OLMES, llm-foundry, Hugging Face,
Megatron, NeMo, Lightning and papers' tables have them; the numbers are of one law.
"""

import pytest

from optimizer.fitting.runs import read_runs
from tests.fitting.made_runs import close, csv

STYLES = {
    "nanochat": "flops_budget depth model_dim num_params num_scaling_params "
    "num_iterations tokens_trained param_data_ratio val_loss core_score",
    "nanochat, by part": "flops_budget depth params_wte params_lm_head "
    "params_transformer params_total num_iterations tokens_trained val_loss",
    "marin": "run_id flops_budget params tokens eval/paloma/c4_en/loss",
    "sweeps": "name params tokens flops val_loss lr batch_size",
    "grids": "width depth n_params train_tokens flops loss/val",
    "DataDecide": "params data task step seed tokens compute primary_metric eval_loss",
    "Epoch": "Model_Size Training_Tokens Training_FLOP loss",
    "DCLM": "model_params num_tokens flops_6nd c4_val_loss",
    "Lightning": "epoch step train_loss val_loss n_params tokens",
    "llm-foundry": "n_params metrics/eval/LanguageCrossEntropy time/token",
    "OLMES": "model_size tokens_trained final_ce_loss",
    "Hugging Face": "num_parameters num_input_tokens_seen eval_loss",
    "Megatron": "num_parameters consumed_train_tokens validation_loss",
    "NeMo": "model_parameters consumed_tokens reduced_val_loss",
}
# What a part of a name says of the number under it, the first that fits.
NUMBERS = (
    ("ratio", lambda n, d, x: d / n),
    ("flop", lambda n, d, x: 6 * n * d),
    ("compute", lambda n, d, x: 6 * n * d),
    ("token", lambda n, d, x: d),
    ("params_wte", lambda n, d, x: n / 10),
    ("lm_head", lambda n, d, x: n / 10),
    ("params_transformer", lambda n, d, x: 0.8 * n),
    ("scaling_params", lambda n, d, x: 0.9 * n),
    ("param", lambda n, d, x: n),
    ("model_size", lambda n, d, x: n),
    ("train_loss", lambda n, d, x: x - 1),
    ("loss", lambda n, d, x: x),
    ("entropy", lambda n, d, x: x),
    ("name", lambda n, d, x: f"r{n:.0f}-{d:.0f}"),
    ("run_id", lambda n, d, x: f"r{n:.0f}-{d:.0f}"),
    ("data", lambda n, d, x: "web"),
    ("", lambda n, d, x: 3),
)


def under(name):
    return next(make for part, make in NUMBERS if part in name.lower())


@pytest.mark.parametrize("style", STYLES)
def test_read_at_the_first_command(tmp_path, style):
    names = STYLES[style].split()
    path = tmp_path / "runs.csv"
    path.write_text(csv(names, lambda n, d, x: [under(h)(n, d, x) for h in names]))
    close(read_runs(str(path)))
