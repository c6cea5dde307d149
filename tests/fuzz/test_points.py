"""Any table of measured points, and any result of a benchmark, ends as documented."""

import copy
import json

from hypothesis import strategies as st

from tests.fuzz.command import run, well_ended
from tests.fuzz.search import search
from tests.fuzz.words import edited

COLUMNS = {
    "model": ["llama-3.1-70b", "gpt-oss-120b", "deepseek-v3", "", "x"],
    "parameters_total": ["", "", "70B", "1e9"],
    "parameters_active": ["", "", "7B"],
    "accelerator": ["h100-sxm", "h100-sxm", "tpu-v5e", "rtx-4090", "GPU"],
    "accelerators": ["1", "4", "8", ""],
    "weights": ["fp8", "bf16", "int4", ""],
    "input_tokens": ["1000", "8000"],
    "output_tokens": ["1000", "200"],
    "concurrency": ["1", "16", "64", ""],
    "measured_tpot_ms": ["12", "50", ""],
    "measured_output_tokens_per_s_per_accelerator": ["100", "1000", ""],
}
ODD = ["1e18", "1e-18", "1e60", "5e-324", "1e400", "0", "-1", "nan", "x", "9" * 400]
SERVED = {
    **{"output_throughput": 1000.5, "completed": 10, "max_concurrency": 16},
    **{"total_input_tokens": 10000, "total_output_tokens": 10000},
    **{"model_id": "llama-3.1-70b", "mean_tpot_ms": 12.5, "mean_ttft_ms": 100.5},
    "server_info": {"model_path": "x", "tp_size": 4},
}
NVIDIA = {
    "output_token_throughput": {"avg": 1000.5, "p99": 1200},
    "inter_token_latency": {"avg": 12.5},
    "input_sequence_length": {"avg": 1000},
    "output_sequence_length": {"avg": 1000},
    "input_config": {"models": [{"name": "llama-3.1-70b"}], "concurrency": 16},
}
ODDER = [None, True, [], {}, "x", 10**400, 1e-300, float("inf"), [[1]], {"avg": []}]


@st.composite
def tables(draw):
    """Points in columns, in some of which a cell is odd."""
    heads = [word for word in COLUMNS if draw(st.integers(0, 9))]
    lines = []
    for _ in range(draw(st.integers(0, 12))):
        lines.append([draw(st.sampled_from(COLUMNS[head])) for head in heads])
        if heads and draw(st.booleans()):
            at = draw(st.integers(0, len(heads) - 1))
            lines[-1][at] = draw(st.sampled_from(ODD))
    return "\n".join(",".join(line) for line in [heads, *lines]).encode()


@search(40, table=tables(), form=st.sampled_from(["json", "table"]))
def test_any_table_of_points_ends_as_documented(table, form):
    files = {"points.csv": table}
    for command in ("serving", "calibrate"):
        well_ended(run([command, "points.csv", "--format", form], files=files))


@st.composite
def results(draw):
    """What a benchmark writes, with edits; some as a list, some nested deep."""
    found = copy.deepcopy(draw(st.sampled_from([SERVED, NVIDIA])))
    for _ in range(draw(st.integers(0, 3))):
        words = sorted(found)
        if words and draw(st.booleans()):
            odd = copy.deepcopy(draw(st.sampled_from(ODDER)))
            found[draw(st.sampled_from(words))] = odd
        elif found:
            found = draw(edited(found))
    text = json.dumps(draw(st.sampled_from([found, [found], [found, 5]])))
    deep = draw(st.sampled_from([0, 0, 0, 30, 900]))
    inside = f'{{"server_info": {"[" * deep}1{"]" * deep}, '
    return text.replace("{", inside, 1) if deep else text


@search(40, result=results())
def test_any_result_of_a_benchmark_ends_as_documented(result):
    given = ["--given", "accelerator=h100-sxm", "--given", "accelerators=4"]
    files = {"bench.json": result.encode()}
    for command in ("serving", "calibrate"):
        well_ended(run([command, "bench.json", *given], files=files))
