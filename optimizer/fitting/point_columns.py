"""What benchmarks call the columns of measured points.

Headers are compared without case, and with spaces and dashes as underscores. A column
that has its own name is never taken from another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_CALLED: Mapping[str, tuple[str, ...]] = {
    "model": ("model_name", "model_id", "model_path"),
    "engine": ("backend", "framework", "server", "runtime"),
    "accelerator": (
        *("gpu", "gpu_type", "gpu_name", "hardware", "hw", "device", "chip"),
        *("accelerator_type", "accelerator_name"),
    ),
    "accelerators": (
        *("tp", "tp_size", "tensor_parallel", "tensor_parallel_size", "gpus"),
        *("num_gpus", "n_gpus", "gpu_count", "num_accelerators"),
    ),
    "weights": (
        *("weight_format", "weight_dtype", "quantization", "precision", "dtype"),
    ),
    "kv": ("kv_cache", "kv_cache_dtype", "kv_dtype", "kv_format"),
    "parameters_total": ("parameters", "params", "total_params", "total_parameters"),
    "parameters_active": ("active_params", "active_parameters"),
    "input_tokens": (
        *("isl", "input_len", "input_length", "prompt_tokens", "prompt_len"),
        *("prompt_length", "random_input_len"),
    ),
    "output_tokens": (
        *("osl", "output_len", "output_length", "completion_tokens"),
        *("random_output_len",),
    ),
    "concurrency": (
        *("conc", "max_concurrency", "concurrent_requests", "batch", "batch_size"),
        *("users",),
    ),
    "measured_tpot_ms": (
        *("tpot_ms", "mean_tpot_ms", "itl_ms", "mean_itl_ms"),
        *("inter_token_latency_ms", "time_per_output_token_ms"),
    ),
    "measured_ttft_ms": ("ttft_ms", "mean_ttft_ms", "time_to_first_token_ms"),
    "measured_output_tokens_per_s_per_accelerator": (
        *("output_tokens_per_s_per_gpu", "output_tput_per_gpu"),
        *("output_throughput_per_gpu", "output_tps_per_gpu", "tokens/s/gpu"),
        *("output_tokens_per_second_per_gpu",),
    ),
}


def taken(columns: Sequence[str]) -> dict[str, str]:
    """The columns of a table that stand for one of `COLUMNS` under another name.

    Returns:
        our name of each, by the table's.
    """
    plain = {name: re.sub(r"[\s-]+", "_", name.strip().lower()) for name in columns}
    found: dict[str, str] = {}
    for word, names in _CALLED.items():
        if word in columns:
            continue
        for called in (word, *names):
            seen = [name for name, text in plain.items() if text == called]
            if seen:
                found[seen[0]] = word
                break
    return found
