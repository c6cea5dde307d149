"""Measured points as files have them, and what benchmarks write."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from optimizer.analysis.serving.beside import beside
from optimizer.errors import InputError
from optimizer.fitting.benchmarks import read_any
from optimizer.fitting.point_columns import taken
from optimizer.fitting.points import read_points
from optimizer.world.serving.constants import library

HEAD = (
    "engine,model,parameters_total,parameters_active,accelerator,accelerators,weights,"
    "kv,input_tokens,output_tokens,concurrency,"
    "measured_output_tokens_per_s_per_accelerator,measured_tpot_ms\n"
)


def read(tmp_path: Path, *rows: str) -> list[object]:
    path = tmp_path / "points.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return beside(read_points(str(path)), library())


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("v,m,8e9,8e9,h999,1,fp8,fp8,100,100,4,,", 'accelerator "h999"'),
        ("v,m,8e9,8e9,h100-sxm,1,fp7,fp8,100,100,4,,", 'weights "fp7"'),
        ("v,m,8e9,8e9,h100-sxm,1,fp8,fp8,,100,4,,", "input_tokens"),
        ("v,m,8e9,8e9,h100-sxm,1,fp8,fp8,-1,100,4,,", "above 0"),
        ("v,m,8e9,9e9,h100-sxm,1,fp8,fp8,10,100,4,,", "are more than"),
        ("v,m,700e9,700e9,h100-sxm,1,fp8,fp8,10,100,4,,", "do not fit in 1"),
        ("v,m,8e9,8e9,l4,2,fp8,fp8,10,100,4,,", "no link"),
        ("v,unheard,,,h100-sxm,1,fp8,fp8,10,100,4,,", "parameters_total"),
    ],
)
def test_row_that_cannot_be_used_is_refused_in_its_place(
    tmp_path: Path, row: str, why: str
) -> None:
    good = "v,llama-8b,8.03e9,8.03e9,h100-sxm,1,bf16,bf16,1000,1000,8,900,9"
    found = read(tmp_path, good, row, good)
    assert [one.answer is None for one in found] == [False, True, False]
    assert why in found[1].refused


def test_unknown_model_and_chip_that_was_not_measured_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, "v,own-model,2e10,2e10,mi300x,1,bf16,bf16,1000,1000,8,,")
    assert found[0].answer is not None
    notes = " ".join(found[0].notes)
    assert "scaled by its size" in notes
    assert "accelerators that were left out" in notes


@pytest.mark.parametrize(
    ("name", "accelerator"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct-FP8", "NVIDIA H100"),
        ("Llama_3.3_70B", "h100_sxm"),
    ],
)
def test_names_are_read_as_benchmarks_write_them(
    tmp_path: Path, name: str, accelerator: str
) -> None:
    row = f"v,{name},7.055e10,7.055e10,{accelerator},4,fp8,fp8,1000,1000,8,,"
    found = read(tmp_path, row)
    assert found[0].point.model.layers == 80
    assert found[0].point.place.chip.key == "h100-sxm"


def test_results_of_vllm_sglang_and_aiperf_are_read_alike(tmp_path: Path) -> None:
    """Fields of vllm/benchmarks/serve.py, sglang/bench_serving.py, AIPerf's schema."""
    vllm = {
        "backend": "vllm", "model_id": "meta-llama/Llama-3.1-70B", "completed": 10,
        "total_input_tokens": 10_000, "total_output_tokens": 5_000,
        "max_concurrency": 8, "output_throughput": 400.0, "mean_tpot_ms": 15.0,
        "mean_ttft_ms": 200.0,
    }  # fmt: skip
    sglang = {**vllm, "backend": "sglang"}
    aiperf = {
        "input_config": {
            "endpoint": {"model_names": ["meta-llama/Llama-3.1-70B"]},
            "loadgen": {"concurrency": 8},
        },
        "output_token_throughput": {"unit": "tokens/sec", "avg": 400.0},
        "inter_token_latency": {"unit": "ms", "avg": 15.0},
        "time_to_first_token": {"unit": "ms", "avg": 200.0},
        "input_sequence_length": {"unit": "tokens", "avg": 1000.0},
        "output_sequence_length": {"unit": "tokens", "avg": 500.0},
    }
    given = {"accelerator": "h200", "accelerators": "4", "weights": "fp8", "kv": "fp8"}
    told = []
    for name, text in (
        ("vllm.json", json.dumps(vllm)),
        ("sglang.jsonl", json.dumps(sglang) + "\n"),
        ("aiperf.json", json.dumps(aiperf)),
    ):
        path = tmp_path / name
        path.write_text(text)
        (point,) = read_any([str(path)], given).rows
        assert not point.refused
        told.append((point.prompt, point.output, point.batch, point.per_token))
        assert point.rate == pytest.approx(100.0)
        assert point.model.layers == 80
    assert told == [(1000.0, 500.0, 8.0, pytest.approx(0.015))] * 3


OF_AIPERF = {  # as aiperf 0.13.0 writes them, schema 1.4
    "schema_version": "1.4",
    "inter_token_latency": {"unit": "ms", "avg": 9.5},
    "time_to_first_token": {"unit": "ms", "avg": 80.0},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 1500.0},
    "output_sequence_length": {"unit": "tokens", "avg": 300.0},
    "input_sequence_length": {"unit": "tokens", "avg": 800.0},
    "input_config": {
        "models": {"items": [{"name": "meta-llama/Llama-3.1-8B-Instruct"}]},
        "endpoint": {"urls": ["http://localhost:8000"], "type": "chat"},
        "datasets": [{"name": "default", "type": "synthetic", "entries": 100}],
        "phases": [
            {"name": "w", "kind": "warmup", "type": "concurrency", "concurrency": 2},
            {"name": "p", "kind": "profiling", "concurrency": 16},
        ],
    },
    "was_cancelled": False,
}


def test_a_configuration_of_phases_tells_model_and_concurrency(tmp_path: Path) -> None:
    path = tmp_path / "profile_export_aiperf.json"
    path.write_text(json.dumps(OF_AIPERF))
    given = {"accelerator": "h100", "accelerators": "1"}
    (point,) = read_any([str(path)], given).rows
    assert not point.refused
    assert (point.model.layers, point.batch, point.prompt) == (32, 16, 800)
    path.write_text(json.dumps({**OF_AIPERF, "was_cancelled": True}))
    with pytest.raises(InputError, match="did not end"):
        read_any([str(path)], given)


def test_a_sweep_of_aiperf_is_a_table(tmp_path: Path) -> None:
    """Of each average it has the mean over repeats."""
    metrics = {
        "inter_token_latency_avg": {"mean": 9.5, "std": 0.1, "unit": "ms"},
        "output_token_throughput_avg": {"mean": 1500.0, "std": 3.0},
        "output_sequence_length_avg": {"mean": 300.0, "std": 0.0},
        "input_sequence_length_avg": {"mean": 800.0, "std": 0.0},
    }
    several = [
        {"parameters": {"concurrency": 16}, "metrics": metrics},
        {"parameters": {"phases.profiling.concurrency": 32}, "metrics": metrics},
    ]
    path = tmp_path / "profile_export_aiperf_sweep.json"
    sweep = {"aggregation_type": "sweep", "per_combination_metrics": several}
    path.write_text(json.dumps(sweep))
    given = {"accelerator": "h100", "accelerators": "1", "model": "llama-3.1-8b"}
    rows = read_any([str(path)], given).rows
    assert [row.refused for row in rows] == ["", ""]
    assert [row.batch for row in rows] == [16, 32]
    assert rows[1].rate == pytest.approx(1500.0)


def test_exports_in_csv_are_read(tmp_path: Path) -> None:
    """A line a metric, as genai-perf's CsvExporter and AIPerf's write them."""
    path = tmp_path / "profile_export_aiperf.csv"
    path.write_text(
        "Metric,avg,min,max,p99\n"
        'Time to First Token (ms),"1,146.31",249.48,"3,485.23",300\n'
        "Inter Token Latency (ms),30.35,27.59,35.60,34\n"
        "Output Token Throughput Per User (tokens/sec/user),79.61,77,84,80\n"
        "Output Sequence Length (tokens),174.45,164,187,186\n"
        'Input Sequence Length (tokens),"3,000.05","2,999.00","3,001.00",3000\n'
        "\nMetric,Value\nOutput Token Throughput (tokens/sec),261.25\n"
    )
    given = {"model": "llama-70b", "accelerator": "h100", "accelerators": "4"}
    (point,) = read_any([str(path)], {**given, "concurrency": "8"}).rows
    assert not point.refused
    assert (point.prompt, point.output) == (3000.05, 174.45)
    assert point.per_token == pytest.approx(0.03035)
    assert point.first == pytest.approx(1.14631)
    assert point.rate == pytest.approx(261.25 / 4)


def test_a_result_may_know_its_machine(tmp_path: Path) -> None:
    """vLLM's --metadata, and what SGLang tells of its server."""
    result = {
        "backend": "sglang", "completed": 10, "total_input_tokens": 10_000,
        "total_output_tokens": 5_000, "max_concurrency": 8,
        "output_throughput": 400.0, "mean_tpot_ms": 15.0,
        "server_info": {"model_path": "meta-llama/Llama-3.1-70B", "tp_size": 4},
        "accelerator": "h200", "weights": "fp8_block", "kv": "auto",
    }  # fmt: skip
    path = tmp_path / "sglang.json"
    path.write_text(json.dumps(result))
    (point,) = read_any([str(path)], {}).rows
    assert not point.refused
    assert point.place.accelerators == 4
    assert (point.place.weights, point.place.kv) == ("fp8", "bf16")
    assert point.rate == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("row", "chip", "weights"),
    [
        ("x,new,7.1e10,,NVIDIA H100-SXM5-80GB,4,w4a16_awq,auto", "h100-sxm", "int4"),
        ("v,new,71B,,trainium2,1,FP8_static,n/a", "trainium-2", "fp8"),
        ("v,new,7.1e10,,B200-180GB,8,nvfp4_moe,fp8_e5m2", "b200", "nvfp4"),
    ],
)
def test_a_model_and_spellings_that_nobody_knows_are_predicted(
    tmp_path: Path, row: str, chip: str, weights: str
) -> None:
    (found,) = read(tmp_path, f"{row},1000,1000,8,N/A,")
    assert found.answer is not None
    assert (found.point.place.chip.key, found.point.place.weights) == (chip, weights)


def test_part_of_an_accelerator_is_refused(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "v,m,8e9,8e9,h100-sxm,0.5,fp8,fp8,100,100,4,,")
    assert "whole number" in found.refused


def test_other_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"a": 1}')
    with pytest.raises(InputError, match="no result of a serving benchmark"):
        read_any([str(path)], {})


def test_columns_go_by_the_names_that_benchmarks_give_them(tmp_path):
    """Without case; a column that has its own name is not taken from another."""
    file = tmp_path / "points.csv"
    file.write_text(
        "Model,GPU,TP,Precision,kv,ISL,osl,conc,batch,TPOT_ms,tokens/s/gpu\n"
        "llama-70b,H200,2,fp8,fp8,922,900,16,99,13.4,578\n"
    )
    (point,) = read_points(str(file)).rows
    assert not point.refused
    assert point.place.chip.key == "h200-sxm"
    assert (point.place.accelerators, point.place.weights) == (2, "fp8")
    assert (point.prompt, point.output, point.batch) == (922, 900, 16)
    assert point.per_token == pytest.approx(13.4e-3)
    assert point.rate == 578
    assert 'column "GPU" is taken for accelerator' in point.notes


def test_a_time_per_token_without_the_first_goes_before_one_with_it() -> None:
    """guidellm 0.8.1 writes both; its time per output token holds the prompt."""
    both = ["time_per_output_token_ms", "inter_token_latency_ms"]
    assert taken(both) == {"inter_token_latency_ms": "measured_tpot_ms"}
    assert taken(both[:1]) == {"time_per_output_token_ms": "measured_tpot_ms"}


@pytest.mark.parametrize("name", ["bench.json", "points.csv"])
def test_a_file_without_an_end_is_refused_by_its_size(tmp_path, name) -> None:
    """All of it was read before its size was asked: 23 GB, and killed."""
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"is larger than (64|200) MB"):
        read_any([str(tmp_path / name)], {})


@pytest.mark.parametrize(
    ("column", "cell"),
    [("measured_tpot_ms", "5e-324"), ("accelerators", "1e300"), ("model", "9" * 400)],
)
def test_a_cell_that_no_point_has_refuses_its_row(tmp_path, column, cell) -> None:
    """Denormal times ended with exit 1; 1e300 accelerators were off by "nan %"."""
    heads = HEAD.strip().split(",")
    row = dict.fromkeys(heads, "1") | {"model": "llama-3.1-8b", "kv": "fp8"}
    row |= {"accelerator": "h100-sxm", "weights": "fp8", column: cell}
    row |= dict.fromkeys(("parameters_total", "parameters_active"), "")
    (found,) = read(tmp_path, ",".join(row.values()))
    assert found.answer is None
    assert column in found.refused
    assert len(found.refused) < 300


def test_odd_results_of_benchmarks_are_told(tmp_path) -> None:
    """Each ended with exit 1: a recursion, an overflow, a cell of 200,000 letters."""
    told = {"output_throughput": 10**400, "completed": 10**400, "max_concurrency": 1}
    deep = '{"a": ' * 450 + "1" + "}" * 450
    given = {"accelerator": "h100-sxm", "accelerators": "1", "weights": "fp8"}
    path = tmp_path / "bench.json"
    for text in (
        json.dumps(told),
        f'{{"output_throughput": 1, "server_info": {deep}}}',
    ):
        path.write_text(text)
        with pytest.raises(InputError, match="has no column"):
            read_any([str(path)], given)
    path.write_text("[]")
    with pytest.raises(InputError, match="holds no result"):
        read_any([str(path)], given)
    path = tmp_path / "profile_export_genai_perf.csv"
    path.write_text("Metric,avg\nRequests,1\n" + "x" * 200_000 + ",1\n")
    before = csv.field_size_limit(131_072)  # that of Python, which others raise
    try:
        with pytest.raises(InputError, match="is not CSV"):
            read_any([str(path)], given)
    finally:
        csv.field_size_limit(before)


def test_more_points_than_may_be_read_are_refused_by_their_number(tmp_path) -> None:
    """210,000 were calibrated for more than two minutes, without a word."""
    row = "v,llama-3.1-8b,,,h100-sxm,1,fp8,fp8,1000,100,4,500,12\n"
    for name, count in (("many.csv", 20_001), ("some.csv", 15_000)):
        (tmp_path / name).write_text(HEAD + row * count)
    with pytest.raises(InputError, match="has 20,001 points, of which 20,000 may"):
        read_any([str(tmp_path / "many.csv")], {})
    with pytest.raises(InputError, match="has 30,000 points"):
        read_any([str(tmp_path / "some.csv")] * 2, {})
