"""What serving benchmarks write, as measured points.

vLLM (`vllm bench serve --save-result`) writes one JSON object a run, SGLang
(`sglang.bench_serving --output-file`) one a line, genai-perf and AIPerf
(`profile_export_genai_perf.json`, `profile_export_aiperf.json`, and the same in .csv)
one a run, in which each metric has statistics; AIPerf also one for a whole sweep
(`profile_export_aiperf_sweep.json`). None of them knows the accelerators or the
formats: these come from `given`, or from vLLM's `--metadata accelerator=h100-sxm`.
Tables of points are read as they are.

*Source*: vllm/benchmarks/serve.py; sglang/bench_serving.py; NVIDIA, "GenAI-Perf" and
AIPerf's "profile_export_aiperf.json Schema" (1.4, of AIPerf 0.13).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.points import COLUMNS, MOST, Points, points_of, too_many
from optimizer.fitting.tables.objects import LARGEST
from optimizer.fitting.tables.read import read_table
from optimizer.fitting.tables.table import Table, failed
from optimizer.reading.document import contents

SERVED = "output_throughput"  # what vLLM and SGLang write in every result
NVIDIA = "output_token_throughput"
SWEPT = "per_combination_metrics"  # of AIPerf
RATE = "measured_output_tokens_per_s_per_accelerator"
EXPORT = 1_000_000  # [bytes] of a CSV with a line a metric
DEEP = 20  # levels of a configuration that are looked into
LONG = 200  # letters of a reason
Cells = dict[str, object]


def read_any(paths: Sequence[str], given: Mapping[str, str]) -> Points:
    """Measured points of some files, in their order.

    Args:
        paths: tables of points, or results of benchmarks.
        given: values of columns that the files do not have.

    Raises:
        InputError: a file cannot be read, is none of these, or has too many points.
    """
    found = [points_of(_table(path, given), given) for path in paths]
    if len(found) == 1:
        return found[0]
    if (count := sum(len(one.rows) for one in found)) > MOST:
        raise failed(paths[-1], f"with the others before it {too_many(count)}")
    together = hashlib.sha256("".join(one.sha256 for one in found).encode())
    rows = tuple(row for one in found for row in one.rows)
    return Points(", ".join(paths), together.hexdigest(), rows)


def _table(path: str, given: Mapping[str, str]) -> Table:
    if Path(path).suffix.lower() != ".json":
        if (told := _exported(path, given)) is not None:
            return told
        table = read_table(path)
        if SERVED not in table.columns:
            return table
        rows = tuple((line, _served(cells, given)) for line, cells in table.rows)
        return _of(path, rows, table.sha256)
    data = contents(path, LARGEST)
    if len(data) > LARGEST:
        raise failed(path, f"is larger than {LARGEST // 10**6} MB")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise failed(path, "is not JSON", line) from None
    results = value if isinstance(value, list) else [value]
    if isinstance(value, dict) and isinstance(value.get(SWEPT), list):
        results = [_swept(one) for one in value[SWEPT]]
    rows = tuple(
        (line, _result(path, result, given)) for line, result in enumerate(results, 1)
    )
    if not rows:
        raise failed(path, "holds no result")
    return _of(path, rows, hashlib.sha256(data).hexdigest())


def _of(path: str, rows: tuple[tuple[int, Cells], ...], digest: str) -> Table:
    columns = dict.fromkeys(word for _, cells in rows for word in cells)
    return Table(path, tuple(columns), rows, digest)


def _result(path: str, result: Any, given: Mapping[str, str]) -> Cells:
    if isinstance(result, dict) and SERVED in result:
        return _served(result, given)
    if isinstance(result, dict) and isinstance(result.get(NVIDIA), dict):
        return _nvidia(path, result, given)
    message = (
        f'is no result of a serving benchmark: neither "{SERVED}" (vLLM, SGLang) nor '
        f'"{NVIDIA}" with its statistics (genai-perf, AIPerf) stands in it'
    )
    raise InputError([Problem(Mark(path), "", message)])


def _served(result: Mapping[str, Any], given: Mapping[str, str]) -> Cells:
    """One result of vLLM or SGLang."""
    done = _float(result.get("completed")) or 1.0

    def each(total: str, asked: str) -> float | None:
        whole = _float(result.get(total))
        return _float(result.get(asked)) if whole is None else whole / done

    server = result.get("server_info")  # of SGLang
    cells = {
        **{word: result.get(word) for word in COLUMNS},  # of vLLM's --metadata
        "model": result.get("model_id")
        or result.get("model")
        or _found(server, "model_path"),
        "accelerators": result.get("accelerators")
        or result.get("tensor_parallel_size")
        or _found(server, "tp_size"),
        "engine": result.get("backend") or result.get("endpoint_type"),
        "input_tokens": each("total_input_tokens", "random_input_len"),
        "output_tokens": each("total_output_tokens", "random_output_len"),
        "concurrency": result.get("max_concurrency") or result.get("concurrency"),
        "measured_tpot_ms": result.get("mean_tpot_ms") or result.get("mean_itl_ms"),
        "measured_ttft_ms": result.get("mean_ttft_ms"),
    }
    cells[RATE] = _shared(_float(result.get(SERVED)), {**cells, **given})
    return {word: value for word, value in cells.items() if value is not None}


def _nvidia(path: str, result: Mapping[str, Any], given: Mapping[str, str]) -> Cells:
    """One result of genai-perf or AIPerf.

    Raises:
        InputError: it is of a benchmark that did not end.
    """

    def mean(*words: str) -> float | None:
        for word in words:
            if isinstance(entry := result.get(word), dict) and "avg" in entry:
                return _float(entry["avg"])
        return None

    if result.get("was_cancelled") or result.get("is_complete") is False:
        why = result.get("incomplete_reason") or "it was cancelled"
        message = (
            f"is a benchmark that did not end ({str(why)[:LONG]}); leave it out, or "
            "repeat it"
        )
        raise InputError([Problem(Mark(path), "", message)])
    config = result.get("input_config")
    models = config.get("models") if isinstance(config, dict) else None
    cells = {
        "model": _found(models, "name") or _found(config, "model_names", "model"),
        "input_tokens": mean("input_sequence_length"),
        "output_tokens": mean("output_sequence_length", "output_token_count"),
        "concurrency": _found(config, "concurrency"),
        "measured_tpot_ms": mean("inter_token_latency"),
        "measured_ttft_ms": mean("time_to_first_token"),
        RATE: _shared(mean(NVIDIA), given),
    }
    return {word: value for word, value in cells.items() if value is not None}


def _swept(combination: Any) -> Any:
    """One combination of AIPerf's sweep, as the result of a run is written."""
    if not isinstance(combination, dict):
        return combination
    parameters, metrics = combination.get("parameters"), combination.get("metrics")
    if not isinstance(parameters, dict) or not isinstance(metrics, dict):
        return combination
    told = {word.removesuffix("_avg"): stats for word, stats in metrics.items()}
    return {
        # A parameter may be told by its path, as in phases.profiling.concurrency.
        "input_config": {k.rpartition(".")[2]: v for k, v in parameters.items()},
        **{w: {"avg": s.get("mean")} for w, s in told.items() if isinstance(s, dict)},
    }


def _exported(path: str, given: Mapping[str, str]) -> Table | None:
    """The CSV of genai-perf or AIPerf: a line a metric; None where it is none."""
    try:
        data = contents(path, EXPORT)
    except InputError:
        return None  # told by whoever reads it as a table
    text = data.decode("utf-8-sig", "replace")
    if not text.lstrip().startswith("Metric,avg"):
        return None
    if len(data) > EXPORT:
        raise failed(path, f"is larger than {EXPORT // 10**6} MB")
    result: dict[str, dict[str, float | None]] = {}
    lines = csv.reader(io.StringIO(text))
    try:
        for name, *values in filter(None, lines):
            if values:
                word = re.sub(r"\(.*\)", "", name).strip().lower().replace(" ", "_")
                result[word] = {"avg": _float(values[0].replace(",", ""))}
    except csv.Error as error:
        raise failed(path, f"is not CSV: {error}", lines.line_num) from None
    rows = ((1, _nvidia(path, result, given)),)
    return _of(path, rows, hashlib.sha256(data).hexdigest())


def _found(config: Any, *words: str, levels: int = DEEP) -> Any:
    """The first value of a word anywhere in a configuration, but for its warm-up."""
    if not levels:
        return None
    if isinstance(config, list):
        parts = config
    elif isinstance(config, dict) and config.get("kind") != "warmup":
        for word in words:
            value = config.get(word)
            if isinstance(value, list) and value:
                value = value[0]
            if value is not None and not isinstance(value, (dict, list)):
                return value
        parts = list(config.values())
    else:
        return None
    inner = (_found(part, *words, levels=levels - 1) for part in parts)
    return next((value for value in inner if value is not None), None)


def _shared(rate: float | None, given: Mapping[str, Any]) -> float | None:
    """Tokens a second of one accelerator."""
    return None if rate is None else rate / (_float(given.get("accelerators")) or 1.0)


def _float(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
