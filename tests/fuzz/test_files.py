"""Any run table, law file or architecture file ends as documented."""

import copy
import json

import yaml
from hypothesis import strategies as st

from tests.fuzz.command import run, well_ended
from tests.fuzz.search import search
from tests.fuzz.words import LAWS, ROOT, edited, inline_laws, text

HEADS = [
    "N",
    "D",
    "loss",
    "C",
    "params",
    "tokens",
    "compute",
    "lr",
    "run",
    "é",
    "",
    "D",
]
CELLS = ["", "nan", "inf", "-1", "0", "1e400", "7B", "2T", "1e-300", "x", '"', "1,5"]
CONFIGS = [
    one["config"]
    for one in json.loads(
        (ROOT / "tests/world/architecture/reference.json").read_text()
    )
]
LAW_FILES = [
    yaml.safe_load((ROOT / f"optimizer/data/laws/{name}.yaml").read_text())
    for name in LAWS
]


@st.composite
def tables(draw):
    """Runs of a law with scatter, some columns and cells of which are odd."""
    rows = draw(st.sampled_from([0, 1, 4, 12, 16, 16]))
    heads = ["N", "D", "loss"]
    if draw(st.booleans()):
        heads[draw(st.integers(0, 2))] = draw(st.sampled_from(HEADS))
    if draw(st.booleans()):
        heads.append(draw(st.sampled_from(HEADS)))
    lines = [heads]
    for row in range(rows):
        N = 10 ** (7 + 3 * ((row * 0.618) % 1))
        D = N * 10 ** (0.5 + 2 * ((row * 0.414) % 1))
        loss = 1.7 + 400 * N**-0.34 + 410 * D**-0.28
        lines.append([f"{N:.4g}", f"{D:.4g}", f"{loss:.5g}", "1"][: len(heads)])
    for _ in range(draw(st.integers(0, 2))):
        line = draw(st.sampled_from(lines))
        line[draw(st.integers(0, len(line) - 1))] = draw(st.sampled_from(CELLS))
    comma = draw(st.sampled_from([",", ",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    code = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return end.join(comma.join(line) for line in lines).encode(code)


@search(
    20,
    table=tables(),
    options=st.lists(
        st.sampled_from(["--tie", "--form=coupled", "--compare", "--format=json"]),
        max_size=2,
    ),
)
def test_any_table_of_runs_ends_as_documented(table, options):
    few = ["--draws", "50"]
    well_ended(run(["fit", "runs.csv", *few, *options], files={"runs.csv": table}))


@st.composite
def law_files(draw):
    """A built-in law, or one inline as a file, with some edits."""
    one = st.one_of(st.sampled_from(LAW_FILES), inline_laws())
    law = copy.deepcopy(draw(one))
    for _ in range(draw(st.integers(1, 3))):
        if law:
            law = draw(edited(law))
    return law


@search(
    40,
    law=law_files(),
    question=st.sampled_from(["loss: 2.2", "match: {parameters: 1B}"]),
)
def test_any_law_file_ends_as_documented(law, question):
    scenario = f"law: law.yaml\ntarget: {{{question}}}\ndemand: {{tokens: 1T}}\n"
    files = {"law.yaml": text(law), "a.yaml": scenario.encode()}
    well_ended(run(["solve", "a.yaml"], files=files))
    well_ended(run(["laws", "law.yaml"], files=files))


@st.composite
def configs(draw):
    """The config.json of an architecture, with some edits."""
    config = copy.deepcopy(draw(st.sampled_from(CONFIGS)))
    for _ in range(draw(st.integers(0, 3))):
        if config:
            config = draw(edited(config))
    return config


@search(80, config=configs(), form=st.sampled_from(["json", "table"]))
def test_any_architecture_file_ends_as_documented(config, form):
    files = {"config.json": json.dumps(config, allow_nan=False).encode()}
    well_ended(run(["model", "config.json", "--format", form], files=files))
