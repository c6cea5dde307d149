"""Any command line ends as documented: every command, every option, odd values.

The options are those that the commands declare, so that a new one is tried without a
word here. `explore` waits for a page; it is tried where it refuses.
"""

import click
from hypothesis import strategies as st

from optimizer.commands.group import COMMANDS, overtrain
from tests.fuzz.command import run, well_ended
from tests.fuzz.search import search

GOOD = b"""\
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 2T, input_tokens: 800, output_tokens: 300}
"""
DOLLARS = b"""\
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
target: {loss: 2.1}
demand: {requests: {low: 1B, expected: 2B, high: 4B}, output_tokens: 9}
"""
RUNS = "N,D,loss\n" + "".join(
    f"{n:g},{n * r:g},{1.7 + 400 * n**-0.34 + 410 * (n * r) ** -0.28:.6f}\n"
    for n in (1e8, 3e8, 1e9, 3e9)
    for r in (5, 20, 80)
)
FILES = {
    "good.yaml": GOOD,
    "dollars.yaml": DOLLARS,
    "stops.yaml": GOOD + b"limits: {tokens: 1B}\n",
    "bad.yaml": b"law: [\n",
    "runs.csv": RUNS.encode(),
    "empty": b"",
}
NAMED = ["missing.yaml", "-", ".", "", "/dev/null", "llama-3-8b", "h100-sxm", "é", "--"]
FILE = st.sampled_from([*FILES, "good.yaml", "dollars.yaml", *NAMED])
BARE = "0 -1 1 2 7 1e3 nan inf 1e400 all a=b x é = . - N=D cluster 1B,2B 1e24 5B 50% $3"
SETS = "demand.tokens=5T demand.tokens= limits.tokens=1 law.alpha=0 target=1 = law=1"
GRIDS = "demand.tokens=1T..9T:3 demand.tokens=1T:9T:3 demand.tokens=1T,2T law=a,b"
NAMES = (
    "hoffmann-2022-tex kaplan-2020 warnings a.json o.md law.alpha tokens=B loss=loss"
)
SPACED = ["", "cost.total > 2", "cost.total >", "30 days", "9" * 400]
TEXT = st.sampled_from([*f"{BARE} {SETS} {GRIDS} {NAMES}".split(), *SPACED])
WHOLE = """\
solve good.yaml|solve dollars.yaml|solve good.yaml --law all|solve stops.yaml
compare good.yaml dollars.yaml|report good.yaml --format markdown -o o.md
plot contour good.yaml -o a.svg|audit llama-3-8b|audit --parameters 8B --tokens 15T
sweep good.yaml --vary demand.tokens=1e9:1e15:log:5|frontier dollars.yaml --points 5
sweep dollars.yaml --sample 5|uncertainty dollars.yaml --draws 100|check bad.yaml
init|fit runs.csv --draws 50|laws|laws kaplan-2020|hardware h100-sxm|schema
serving runs.csv|calibrate runs.csv -o a.yaml|solve -|frontier good.yaml --span 1.1
"""
LONG = {
    "resamples",
    "draws",
    "starts",
    "trials",
    "cluster",
    "workers",
}  # work, not words


@st.composite
def lines(draw):
    """A command, files and some of its options, with values that suit or do not."""
    line = draw(st.sampled_from(WHOLE.replace("\n", "|").strip("|").split("|"))).split()
    if draw(st.integers(0, 2)) == 0:
        name = draw(st.sampled_from([one for one in COMMANDS if one != "explore"]))
        line = [name, *draw(st.lists(FILE, max_size=2))]
    command = overtrain.get_command(click.Context(overtrain), line[0])
    options = [one for one in command.params if isinstance(one, click.Option)]
    for option in draw(st.lists(st.sampled_from(options), max_size=2)):
        spelt = draw(st.sampled_from(sorted(option.opts)))
        if option.is_flag or option.count:
            line.append(spelt)
        else:
            line += [spelt, draw(_value(option))]
    return [one for one in line if one != "/dev/null" or "-o" not in line]


def _value(option):
    if option.name in LONG:
        return st.sampled_from(["2", "0", "-1", "x", ""])
    if isinstance(option.type, click.Choice):
        return st.one_of(st.sampled_from(list(option.type.choices)), TEXT)
    return st.one_of(TEXT, FILE)


@search(
    120, line=lines(), stdin=st.sampled_from([GOOD, DOLLARS, b"", b"\xff\x00", b"a"])
)
def test_any_command_line_ends_as_documented(line, stdin):
    well_ended(run(line, stdin, FILES))


@search(20, port=st.one_of(st.integers(65536, 10**12), st.integers(max_value=-1)))
def test_explore_refuses_what_is_no_port(port):
    assert run(["explore", "good.yaml", "--port", port], files=FILES).code == 2
