"""What is promised of speed, as ratios in one run.

    python -m benchmarks.promises            # prints the table
    python -m benchmarks.promises --write    # and puts it into docs/benchmarks.md

Whole processes are measured by processor time, user and system, in turns with what they
are compared with; what a person waits for by the clock. Meant for a machine with no
other work; ratios hold on a busy one too, roughly.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

from benchmarks.__main__ import ENTRY, ROOT
from benchmarks.batch import LOADED, loaded, seconds
from benchmarks.batch import warm as cvxpy_alone
from benchmarks.pages import machine, told
from benchmarks.report import both
from optimizer.algebra.program import members
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.live import live
from optimizer.analysis.sweep.sweep import sweep
from optimizer.commands.explore import serving
from optimizer.engine.batch import solve_block
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.vary import plan
from optimizer.reading.document import load_text

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
HEAVIEST = (
    *("latency-bound-assistant", "buy-or-build", "moe-api", "reasoning-model"),
    "data-limited-language",
)
PLAINEST, REPEATED = "open-release", "data-limited-language"
SEVERAL = "portfolio"  # the one of several models
ROWS = 10_000
TURN = 6  # scenarios that are compared with one import
ADDITIVE, COUPLED = "openeurollm-2026-additive", "openeurollm-2026"  # the same runs
PLAIN = f"""
law: {ADDITIVE}
objective: compute
target: {{match: {{parameters: 13B}}}}
demand: {{tokens: 2T}}
"""
SWEPT = (
    (
        "plain",
        PLAIN,
        ["demand.tokens=1e9:1e15:log:100", "target.match.parameters=2B:40B:log:1000"],
    ),
    (
        "loaded",
        LOADED.replace("besiroglu-2024-refit", ADDITIVE),
        ["demand.chat.requests=1M/day:20M/day:log:60", "serving.price=1:5:60"],
    ),
)
Row = tuple[str, str, str]


def starts(rounds: int) -> Iterator[Row]:
    """`overtrain solve` of each shipped scenario against `import cvxpy`."""
    found: dict[str, list[float]] = {file.stem: [] for file in SCENARIOS}
    for turn in range(rounds + 1):  # the first fills the caches
        for place, file in enumerate(SCENARIOS):
            if place % TURN == 0:
                theirs = both(("-c", "import cvxpy"))[1]
            ours = both(("-c", ENTRY, "solve", str(file)))[1]
            found[file.stem] += [ours / theirs] if turn else []
    ratios = {name: statistics.median(each) for name, each in found.items()}
    names = sorted(ratios, key=lambda name: ratios[name])
    middle = statistics.median(ratios.values())
    said = f"{middle:.2f} ×, from {ratios[names[0]]:.2f} ({names[0]}) to "
    said += f"{ratios[names[-1]]:.2f} ({names[-1]})"
    within = sum(ratio <= 0.35 for ratio in ratios.values())
    said += f"; {within} of {len(names)} at most 0.35"
    yield "`overtrain solve`, each shipped scenario, × `import cvxpy`", said, "0.35"
    helps = [
        both(("-c", ENTRY, "--help"))[1] / both(("-c", "import cvxpy"))[1]
        for _ in range(rounds)
    ]
    yield (
        "`overtrain --help`, × `import cvxpy`",
        f"{statistics.median(helps):.2f}",
        "0.10",
    )


def warm(rounds: int) -> Iterator[Row]:
    """A whole answer against cvxpy's re-solve of its program, each after one alike."""
    ratios: dict[str, float] = {}
    for file in SCENARIOS:
        if (word := file.stem) == SEVERAL:
            continue
        scenario = load_scenario(file)
        question = formulate(scenario.singles[0])
        program, start = question.program, question.start(question.program)
        whole, alone = [], []
        for _ in range(rounds + 1):
            solve(scenario)
            whole.append(seconds(lambda one=scenario: solve(one), 1))
            alone.append(cvxpy_alone(program, start, 1)[0])
        ours, theirs = statistics.median(whole[1:]), statistics.median(alone[1:])
        ratios[word] = ours / theirs
        if word in (PLAINEST, REPEATED):
            said = f"{ours * 1e3:.1f} ms against {theirs * 1e3:.1f} ms"
            said += f": {ratios[word]:.2f} ×"
            what = f"one whole answer, warm, against cvxpy's re-solve ({word})"
            yield what, said, "1 ×"
    names = sorted(ratios, key=lambda name: ratios[name])
    middle = statistics.median(ratios.values())
    yield (
        "the same, each shipped scenario of one model",
        f"{middle:.1f} ×, from {ratios[names[0]]:.2f} ({names[0]}) to "
        f"{ratios[names[-1]]:.0f} ({names[-1]})",
        "1 ×",
    )


def reports(rounds: int) -> Iterator[Row]:
    """A plain report, the first of one on a machine, and one of five heavy ones."""
    imports = ("-c", "import altair, vl_convert")
    with tempfile.TemporaryDirectory() as folder:
        file = str(ROOT / "scenarios" / f"{PLAINEST}.yaml")
        words = ("-c", ENTRY, "report", file, "-o", str(Path(folder) / "page.html"))
        both(words)  # fills the caches
        pairs = [(both(words)[0], both(imports)[0]) for _ in range(rounds)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    yield (
        f"a report ({PLAINEST}), by the clock, × `import altair, vl_convert`",
        f"{ratio:.2f} ×",
        "1.5 ×",
    )
    for word in ("latency-bound-assistant", "data-limited-language"):
        ratios = []
        for _ in range(max(rounds // 3, 1)):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["XDG_CACHE_HOME"] = folder
                file = str(ROOT / "scenarios" / f"{word}.yaml")
                page = str(Path(folder) / "page.html")
                words = ("-c", ENTRY, "report", file, "-o", page)
                first, second = both(words)[0], both(words)[0]
                del os.environ["XDG_CACHE_HOME"]
            ratios.append(first / second)
        ratio = f"{statistics.median(ratios):.2f} ×"
        yield f"first report against the second, by the clock ({word})", ratio, "1.2 ×"
    with tempfile.TemporaryDirectory() as folder:
        files = [str(ROOT / "scenarios" / f"{word}.yaml") for word in HEAVIEST]
        words = ("-c", ENTRY, "report", *files, "-o", str(Path(folder) / "page.html"))
        taken = statistics.median(both(words)[0] for _ in range(max(rounds // 3, 1)))
    yield (
        "a report of the five heaviest shipped scenarios, by the clock",
        f"{taken:.1f} s",
        "2.5 s",
    )


def rows() -> Iterator[Row]:
    """Ten thousand loaded rows without a compiler."""
    program, start = loaded(ROWS)
    count = len(start)
    order = np.random.default_rng(0).permutation(count)
    for word, part, near in (
        ("in order", program, start),
        ("shuffled", members(program, order), start[order]),
    ):
        taken = seconds(lambda p=part, z=near: solve_block(p, count, z), 1)
        said = f"{taken / count * 1e6:.0f} µs a row"
        yield f"10⁴ loaded rows, {word}, no compiler", said, "100 µs"


def forms(rounds: int) -> Iterator[Row]:
    """A row of a sweep under a coupled law against one under an additive law."""
    for word, text, varied in SWEPT:
        taken: dict[str, list[float]] = {ADDITIVE: [], COUPLED: []}
        for n in range(rounds + 1):
            for law in sorted(taken, reverse=bool(n % 2)):
                asked = text.replace(f"law: {ADDITIVE}", f"law: {law}")
                rows = plan(read_scenario(asked, f"{law}.yaml"), varied)
                swept = seconds(lambda r=rows: sum(1 for _ in sweep(r, bool)), 1)
                taken[law].append(swept / rows.count)
        ratios = [b / a for a, b in zip(*taken.values(), strict=True)][1:]
        said = f"{statistics.median(taken[COUPLED][1:]) * 1e6:.3g} µs against "
        said += f"{statistics.median(taken[ADDITIVE][1:]) * 1e6:.3g} µs: "
        said += f"{statistics.median(ratios):.2f} ×"
        yield f"a {word} row of a sweep, coupled law × additive law", said, "1.1 ×"


def slider(rounds: int) -> Iterator[Row]:
    """One moved number of the loaded scenario in the explorer, over loopback."""
    explored = live(load_text(LOADED, "loaded.yaml"), Path(), ())
    times = []
    with serving(explored, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for n in range(rounds + 1):
            link = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
            body = json.dumps({"values": {"demand.chat.requests": f"{4 + n / 7}M/day"}})
            start = time.perf_counter()
            link.request("POST", "/solve", body, {"Content-Type": "application/json"})
            link.getresponse().read()
            times.append(time.perf_counter() - start)
        server.shutdown()
        thread.join()
    said = f"{statistics.median(times[1:]) * 1e3:.0f} ms"
    read_scenario(LOADED, "loaded.yaml")
    yield "explorer, one moved number of a loaded scenario, by the clock", said, "50 ms"


def main(arguments: list[str]) -> None:
    """Measures, prints, and writes where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    lines = [
        f"{machine('numpy', 'cvxpy', 'vl-convert-python')}, {asked.rounds} rounds",
        "",
        "| what | measured | aim |",
        "| --- | --- | --- |",
    ]
    timed = (forms, slider, warm, starts, reports)
    parts = (rows(), *(f(asked.rounds) for f in timed))
    for what, measured, aim in (row for part in parts for row in part):
        lines.append(f"| {what} | {measured} | {aim} |")
        print(lines[-1], file=sys.stderr, flush=True)
    told("benchmarks.md", "promises", "\n".join(lines), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
