"""What columns are by the words of their names, as published tables spell them."""

import pytest

from optimizer.fitting.tables.names import TRAINING, guesses

NAMES = {
    "parameters": (
        *("#Params", "model.num_params", "N_with_emb", "Params/B", "hparams.n_params"),
        *("Model Size (M)", "numParams", "trainable_params", "activated_parameters"),
        *("nparams_nonembed", "N (non-emb)", "params_no_emb", "N_total"),
    ),
    "tokens": (
        *("D (tokens)", "Tokens [billions]", "seen_toks", "throughput/total_tokens"),
        *("Dataset Size (tokens)", "hyperparameters.tokens", "data_size_B"),
        *("Training dataset size (datapoints)", "total_tokens_trained"),
    ),
    "compute": (
        *("C (FLOPs)", "Training FLOP", "total_flos", "flops (1e18)", "pf_days"),
        *("throughput/total_gflops", "log10_flops", "compute_budget"),
    ),
    "loss": (
        *("eval/paloma/c4_en/loss", "Val. loss", "val_ce", "cross_entropy", "ppl"),
        *("loss_c4_val", "eval/c4_en-validation/CrossEntropyLoss", "val_bpb", "L"),
    ),
    "tokens_per_parameter": ("D/N", "Tokens/Params", "tpp", "tok_mult"),
    "unique_tokens": ("unique", "num_unique_tokens"),
    "width": ("d_model", "hidden_size"),
    "vocabulary": ("vocab_size",),
}
NOTHING = (
    *("embedding_params", "throughput/tokens_per_second", "throughput/mfu", "n_layers"),
    *("tokens_per_batch", "max_length", "loss_std", "ln_loss", "lr", "n_heads"),
    *("flops_per_token", "mfu", "peak_flops", "z_loss", "loss_scale", "GPU hours"),
)


@pytest.mark.parametrize(
    ("name", "word"), [(name, word) for word in NAMES for name in NAMES[word]]
)
def test_a_name_is_one_thing(name, word):
    assert [guess.word for guess in guesses(name)] == [word]


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_that_is_none(name):
    assert guesses(name) == []


@pytest.mark.parametrize("name", ["train/loss", "Final Train Loss", "training_loss"])
def test_a_training_loss_is_offered_last(name):
    assert guesses(name)[0].rank == TRAINING


@pytest.mark.parametrize(
    ("name", "unit", "counts"),
    [
        ("Model Size (M)", "M", ""),
        ("params_millions", "M", ""),
        ("flops (1e18)", "1e18", ""),
        ("FLOPs (ZFLOPs)", "ZFLOP", ""),
        ("PF-days", "PF-days", ""),
        ("log10_flops", "log10", ""),
        ("ln_params", "ln", ""),
        ("eval/bits_per_byte", "bpb", ""),
        ("loss (bits)", "bits", ""),
        ("N_wo_emb", "", "non-embedding"),
        ("N_active", "", "active"),
        ("N_with_emb", "", ""),
    ],
)
def test_units_and_counts_stand_in_names(name, unit, counts):
    guess = guesses(name)[0]
    assert (guess.unit, guess.counts) == (unit, counts)
