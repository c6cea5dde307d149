"""What the searches found, each as the input that showed it."""

import os
from pathlib import Path

import pytest

import cli
from optimizer.reading.quantity import significant
from optimizer.report.charts.theme import ticks
from tests.fuzz.command import run, well_ended

WRITERS = [
    ["solve", "good.yaml"],
    ["compare", "good.yaml", "good.yaml"],
    ["frontier", "good.yaml"],
    ["uncertainty", "good.yaml"],
    ["audit", "llama-3-8b"],
    ["model", "llama-3-8b"],
    ["laws"],
    ["hardware"],
    ["schema"],
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "law: kaplan-2020\ntarget: {loss: 2.5}\ndemand: {tokens: 1T}\n"
    Path("good.yaml").write_text(text)
    os.symlink("loop", "loop")
    os.mkdir("folder")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("line", WRITERS, ids=lambda line: line[0])
@pytest.mark.parametrize("output", ["9" * 400, "loop", "folder", "none/file"])
def test_no_place_for_a_file_is_told_with_its_name(line, output, capsys):
    """A name of 400 digits was said to be standard output; a loop was exit 1."""
    assert cli.main([*line, "-o", output]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(output)
    assert not told.out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("folder", ["9" * 400, "loop", "none/inside", "good.yaml", "."])
def test_no_place_for_pictures_of_a_fit_is_told_before_it(folder, capsys):
    """A link to itself and a name of 400 digits were told after the work."""
    os.mkdir("holdout.svg")  # of the last picture, in "."
    assert cli.main(["fit", "no-such-runs.csv", "--plots", folder]) == 2
    told = capsys.readouterr().err
    assert told.startswith("holdout.svg" if folder == "." else folder)


@pytest.mark.parametrize("law", ["kaplan-2020", "no-such-law", "{E: 1}"])
def test_a_student_needs_a_law_that_is_there(law):
    """A law that could not be read was asked for its constants: exit 1."""
    text = f"law: {law}\ntarget: {{match: {{parameters: 13B}}}}\ndemand: {{tokens: 2T}}"
    teacher = (
        "\ndistillation: {teacher: [{parameters: 70B, tokens: 1T}], logits: free}\n"
    )
    well_ended(run(["check", "-"], (text + teacher).encode()))


LIFE = """\
law: {law}
objective: dollars
training: {{hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}}
serving: {{hardware: h100-sxm, mfu: 20 %, price: $2/h}}
demand: {{requests: 5M/day, input_tokens: {inputs}, output_tokens: 300,
  lifetime: 2 years}}
budget: {{training_time: 60 days, best_for: lifetime}}
"""
PHONES = """\
law: {E: 2.9, A: 1.0, B: 1.8773861154737708, alpha: 0.35, beta: 0.050006813256623414}
target: {match: {parameters: 7B}}
serving: {precision: bf16, weights: int4, kv: int8, batch: 1, context: 8192,
  quantization_penalty: true}
architecture: {layers: 28, width: 3072, kv_heads: 8, head_size: 128}
demand: {requests: 200M/day, input_tokens: 300, output_tokens: 150, lifetime: 2 years}
limits: {memory: 4 GB}
"""
TINY = "{E: 0, A: 133829, B: 1.06e-8, alpha: 0.997, beta: 0.02}"
NEAR_E = "{E: 0.005, A: 2.157426864246353, B: 86.4955, alpha: 1.07508, beta: 0.90419}"
FLAT = """\
law: {E: 2.7103097531923344, A: 0.02018277113197657, B: 1.0, alpha: 0.5,
  beta: 1.0191511763094765, k: 0.3333333333333333}
target: {match: {model: llama-3-8b}}
fix: {parameters: 8030261248}
demand: {tokens: 2T}
limits: {tokens: 2T}
"""
FLEET = """\
law: kaplan-2020
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: measured, hardware: h100-sxm, precision: fp8, accelerators: 4,
  weights: int4, price: $2/h, max_time_per_output_token: 7 ms, peak_to_mean: 3,
  idle_paid: true}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
demand: {requests: 740B/day, input_tokens: 1500, output_tokens: 250, lifetime: 2 years}
"""
EDGE = """\
law: {E: 2.334200013592044, A: 39.727804343256395, B: 5167.874407560716, alpha: 0.42,
  beta: 0.02, G: 1.6024132112136262, gamma: 1.4861879340096469}
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
budget: {training_time: 60 days, best_for: lifetime}
data: {unique_tokens: 60B}
"""
HELD = """\
law: {E: 0.1743394561580423, A: 120858.5468541822, B: 0.5296225197644195,
  alpha: 0.2048757409383816, beta: 0.386800756963136}
target: {match: {parameters: 13B, tokens: 400B}}
fix: {parameters: 7B}
training: {hardware: h100-sxm, mfu: 0.4, price: $2.00/h, accelerators: 384}
demand: {tokens: 2T, input_tokens: 800, output_tokens: 300}
limits: {training_time: 900 days, training_cost: $900M, memory: 80 GB}
"""
BELOW = """\
law: besiroglu-2024
target: {loss: 0.7}
objective: dollars
demand: {tokens: 1T, input_tokens: 800, output_tokens: 300}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, precision: fp8, mfu: 50 %, mbu: 70 %,
  price: $2/h}
architecture: {layers: 40, width: 5120, kv_heads: 8, head_size: 128}
existing: {model: llama-2-13b}
"""
DECIDED = """\
law: {E: 0.24190781346901452, A: 1000000.0, B: 0.09012200358991808,
  alpha: 0.08227559790513171, beta: 0.07683878333594249}
models:
  - {name: edge, target: {match: {parameters: 3B}}, demand: {tokens: 5T},
    limits: {parameters: 1.5B}}
  - {name: server, target: {match: {parameters: 13B}}, demand: {tokens: 20T}}
fix: {tokens: 2e+12T}
"""
FEW_BITS = """\
law: {E: 0.37787239473695766, A: 0.03614478655863243, B: 1.0000002302585358,
  alpha: 0.99, beta: 0.3, k: 0.0155412}
target: {match: {parameters: 7M}}
serving: {precision: bf16, weights: int4, kv: int8, batch: 1, context: 8192,
  quantization_penalty: true}
architecture: {layers: 28, width: 3072, kv_heads: 8, head_size: 128}
demand: {requests: 200M/day, input_tokens: 300, output_tokens: 150, lifetime: 2 years}
limits: {memory: 4 GB}
"""
NO_MEASURE = """\
law: {E: 0.17782135038727792, A: 0.012602293100992742, B: 22.409188994844378,
  alpha: 0.6393606498508697, beta: 0.02}
fix: {parameters: 3075098624}
training: {hardware: h100-sxm, precision: bf16, mfu: 31.4 %, accelerators: 384,
  attention: true}
architecture: {layers: 36, width: 2048, kv_heads: 4, head_size: 128, sequence: 4096}
budget: {training_time: 24 days}
data: {unique_tokens: 60B}
"""
NO_LEAST = """\
law: {E: 0.5108423724801111, A: 1.0, B: 1.0, alpha: 0.02, beta: 0.5689563206835515}
limits: {parameters: 9B}
models:
  - {name: edge, target: {match: {parameters: 3B}}, demand: {tokens: 5T},
    limits: {parameters: 1.5B}}
  - {name: server, target: {match: {parameters: 13B}}, demand: {tokens: 20T}}
  - {name: flagship, target: {match: {parameters: 70B}}, demand: {tokens: 2T}}
"""
BITS_BEYOND = """\
law: {E: 1.0, A: 8.520138963690721, B: 100000.0, alpha: 0.8356489674620388, beta: 0.2,
  G: 0.999, gamma: 0.3333333333333333}
target: {match: {parameters: 7B}}
serving: {precision: bf16, weights: int4, batch: 1, context: 8192,
  quantization_penalty: true}
architecture: {layers: 28, width: 3072, kv_heads: 8, head_size: 128}
demand: {requests: 200M/day, input_tokens: 6e8, output_tokens: 150, lifetime: 2 years}
"""
EACH_MEMORY = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
architecture: {layers: 28, width: 3072, kv_heads: 8, head_size: 128}
demand:
  - {name: chat, requests: 2M/day, input_tokens: 800, output_tokens: 300,
    lifetime: 2 years, serving: {weights: int8, batch: 1, context: 2048}}
  - {name: batch, requests: 2M/day, input_tokens: 800, output_tokens: 300,
    lifetime: 2 years, serving: {weights: int4, batch: 8, context: 2048}}
limits: {memory: 80 GB}
fix: {parameters: 7B}
data: {unique_tokens: 5B}
"""
ENDED = {
    "few bits that ask for a size beyond numbers": BITS_BEYOND,
    "a limit of memory for each of two streams": EACH_MEMORY,
    "a loss too near the irreducible one for digits": LIFE.format(law=NEAR_E, inputs=8),
    "no loss outweighs what is served": LIFE.format(law="kaplan-2020", inputs="8e32"),
    "one token of unique data": LIFE.format(law="kaplan-2020", inputs=800)
    + "data: {unique_tokens: 1.5}\n",
    "a cure of 1e67 petabytes": PHONES,
    "training-optimal tokens that are zero": f"law: {TINY}\ntarget: {{loss: 2.2}}\n"
    "demand: {tokens: 1T}\n",
    "a cure that no program certifies": FLAT,
    "a model to match without a token": "law: {E: 2, A: 8e29, B: 99.9, alpha: 0.37, "
    "beta: 0.065}\ntarget: {match: {parameters: 1B}}\ndemand: {tokens: 1T}\n",
    "a plan of no parameters": "law: {E: 1.58, A: 38.3, B: 6189.3, alpha: 0.02, "
    "beta: 0.188}\ntarget: {match: {parameters: 13B}}\ndemand: {tokens: 1e18}\n",
    "repeated data under a law whose best size at a token underflows": "law: {E: 1.97, "
    "A: 0.218, B: 21618, alpha: 0.02, beta: 1.2}\ntarget: {match: {parameters: 7B}}\n"
    "demand: {tokens: 50T}\ndata: {unique_tokens: 60B}\n",
    "repeated data where the best size at a token underflows": "law: {E: 1.97, A: "
    "0.218, B: 21618, alpha: 0.02, beta: 1.2}\ntarget: {match: {parameters: 7B}}\n"
    "demand: {tokens: 50T}\ndata: {unique_tokens: 60B}\n",
    "a million replicas": FLEET,
    "a loss whose best model is next to none": "law: {E: 0.5625, A: 0.0509, B: 1e6, "
    "alpha: 0.02, beta: 0.02}\nfix: {parameters: 3B}\ntraining: {hardware: h100-sxm, "
    "mfu: 31.4 %, accelerators: 384}\nbudget: {training_time: 24 days}\n",
    "a loss at the edge of what repeated data reach": EDGE,
    "bounds whose relaxation no program certified": HELD,
    "an existing model under a target below the law": BELOW,
    "a number of samples that no model reaches the target with": "law: {E: "
    "1.192092896e-07, A: 1.502150814467186, B: 4724.198233596989, alpha: "
    "0.9689120332524968, beta: 0.5313916462148645, G: 0.999, gamma: 6}\ndemand: "
    "{requests: 4M/day, input_tokens: 1500, output_tokens: 500, samples: {at_least: 1, "
    "at_most: 64}, lifetime: 2 years}\ntarget: {loss: 0.7}\n",
    "cures of samples that are open, for a target below the law": "law: {E: "
    "1.3600349380935106, A: 1.0, B: 1.0, alpha: 0.02, beta: 0.99999, G: "
    "2.3547597984222874, gamma: 0.05}\ntarget: {loss: 0.7}\ndemand: {requests: 4M/day, "
    "input_tokens: 1500, output_tokens: 500, samples: {at_least: 1, at_most: 64}, "
    "lifetime: 2 years}\n",
    "tokens that are decided and leave a size no room": DECIDED,
    "few bits that cost more than numbers hold": FEW_BITS,
    "a target whose best model is next to none": FEW_BITS.replace(
        FEW_BITS.partition("target")[0],
        "law: {E: 0.5625, A: 1.0, B: 5.1e+29, alpha: 0.02, beta: 0.02, k: 0.5625}\n",
    ),
    "a best model on repeated data that has no measure": NO_MEASURE,
    "a cure whose least compute is below numbers": NO_LEAST,
    "a near range in which the optimum has no room": "law: {E: 0.3312547472993742, "
    "A: 1.0, B: 15.015438442385609, alpha: 0.02, beta: 1.1765380178755724, "
    "G: 0.5155471318207093, gamma: 0.12446398144501479}\ntarget: {loss: 0.7}\ndemand: "
    "{requests: 4M/day, input_tokens: 1500, output_tokens: 500, samples: {at_least: 1, "
    "at_most: 64}, lifetime: 2 years}\n",
    "more epochs than a law covers": "law: kumar-2024\nplan: {parameters: 1T, tokens: "
    "200B}\ndemand: {tokens: 50T}\ndata: {unique_tokens: 7392}\n",
}


@pytest.mark.parametrize("name", ENDED)
def test_what_ended_as_a_defect_is_told(name):
    """Each was exit 1 in the search of a hundred thousand scenarios."""
    done = run(["solve", "-", "--format", "json"], ENDED[name].encode())
    well_ended(done)
    assert "Warning" not in done.err


def test_a_span_without_a_round_number_has_no_ticks():
    """A profile between 0.551 and 0.552 was exit 1 in `fit --plots`."""
    assert ticks(0.551, 0.552, 5) == []


LONG = "9" * 400
READERS = [["audit", LONG], ["model", LONG], ["laws", LONG], ["hardware", LONG]]
READERS += [["fit", LONG], ["serving", LONG], ["solve", LONG], ["explore", LONG]]
READERS += [["solve", "a.yaml", "--law", LONG], ["solve", "a.yaml", "--snap", LONG]]
READERS += [["fit", "a.csv", "--draws", "50", "--plots", LONG], ["init", LONG]]


@pytest.mark.parametrize("line", READERS, ids=lambda line: " ".join(line)[:24])
def test_a_name_that_no_file_has_is_told_by_it(line):
    """`audit` with a name of 400 digits was told as if the output had no room."""
    files = {"a.yaml": ENDED["a model to match without a token"].encode()}
    done = run(line, files={**files, "a.csv": b"N,D,loss\n1e8,1e9,3\n"})
    assert done.code == 2
    assert "<stdout>" not in done.err


FEW_RUNS = """\
N,D,loss
1e+07,3.162e+07,6.6242
2T,1.521e+10,2.6684
5.105e+07,7.311e+09,3.3673
3.648e+09,3.516e+10,2.3814
2.606e+08,1.69e+10,2.8113
1.862e+07,8.128e+07,5.55
1.33e+09,3.908e+10,2.4598
9.506e+07,1.879e+10,3.02
6.792e+09,9.036e+10,2.2325
2T,4.345e+10,2.5761
3.467e+07,2.089e+08,4.7121
2.477e+09,1.005e+11,2.2965
"""


def test_a_draw_whose_best_size_underflows_has_no_plan():
    """Two sizes of 2T among twelve runs of a law: one draw divided by zero."""
    done = run(
        ["fit", "runs.csv", "--draws", "50"], files={"runs.csv": FEW_RUNS.encode()}
    )
    well_ended(done)
    assert done.code == 0


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "line",
    [
        ["sweep", "good.yaml", "--sample"],
        ["sweep", "good.yaml", "--sample", "20", "--seed"],
        [
            "sweep",
            "good.yaml",
            "--sample",
            "20",
            "-o",
            "d",
            "--cluster=local",
            "--chunk",
        ],
        ["uncertainty", "good.yaml", "--seed"],
        ["audit", "llama-3-8b", "--law", "ludziejewski-2025", "--experts"],
        ["fit", "runs.csv", "--seed"],
    ],
)
def test_a_whole_number_beyond_all_floats_is_told(line, capsys):
    """A seed or a number of draws of 400 digits could not become a float: exit 1."""
    good = Path("good.yaml").read_text().replace("kaplan-2020", "besiroglu-2024-refit")
    Path("good.yaml").write_text(good)
    law = ((1e8, 2e9), (1e8, 2e10), (1e9, 2e9), (1e9, 2e10), (3e8, 1e9), (3e8, 3e10))
    runs = [f"{N},{D},{1.7 + 400 * N**-0.34 + 410 * D**-0.28}" for N, D in law]
    Path("runs.csv").write_text("\n".join(["parameters,tokens,loss", *runs]) + "\n")
    assert cli.main([*line, "9" * 400]) == 2
    assert capsys.readouterr().err


def test_a_whole_number_beyond_all_floats_has_its_digits():
    assert significant(12345 * 10**400) == "1.23e404"
    assert significant(-(10**400)) == "−1e400"
