"""A search for hours: `python -m tests.fuzz.thorough --help`.

It draws what the tests in this folder draw, in batches, and keeps count in a folder, so
that it can be stopped (SIGTERM lets it end its batch) and goes on with the next. Only
what was not tried before is tried, and counts. What is wrong does not end it: each such
input goes to `found.jsonl` with what was said and the seed of its batch. A batch that
ends the process itself is named by `state.json` as the one that runs; the next start
writes it down and goes on after it.
"""

import argparse
import hashlib
import importlib
import itertools
import json
import random
import resource
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.command import ENDS
from tests.fuzz.search import SEARCHES

SHARES = {  # batches of each in a round; one of the others
    "any_scenario_ends_as_documented": 20,
    "any_command_line_ends_as_documented": 2,
}
BATCH = 200  # examples; few of the first are large
PATIENCE = 120  # [s] for one input; longer is a fault
TESTS = ["scenarios", "command_lines", "plans", "files", "points"]


def main() -> None:
    """Searches until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the counts and what is found")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", default="", help="a part of the name of a search")
    asked = parser.parse_args()
    for name in TESTS:
        importlib.import_module(f"tests.fuzz.test_{name}")
    asked.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGALRM, _late)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append("after this batch"))
    end = time.monotonic() + 60 * asked.minutes
    state, seen = _state(asked.folder), _seen(asked.folder)
    chosen = {name: one for name, one in SEARCHES.items() if asked.only in name}
    for name, one in itertools.cycle(chosen.items()):
        for _ in range(SHARES.get(name, 1)):
            if stopped or time.monotonic() > end:
                return
            _batch(asked.folder, state, seen, name, one)


def _state(folder):
    """The counts so far, with a batch that ended the process counted as lost."""
    path = folder / "state.json"
    if not path.exists():
        return {"seed": random.SystemRandom().randrange(2**31), "searches": {}}
    state = json.loads(path.read_text())
    if running := state.pop("running", None):
        _found(folder, {**running, "told": "the process ended in this batch"})
    return state


def _seen(folder):
    """What was tried so far, eight bytes each."""
    path = folder / "seen"
    held = path.read_bytes() if path.exists() else b""
    return {held[start : start + 8] for start in range(0, len(held), 8)}


def _batch(folder, state, seen, name, one):
    """Runs one batch and adds its counts."""
    counts = state["searches"].setdefault(name, {"batches": 0, "tried": 0, "wrong": 0})
    seed = state["seed"] + counts["batches"]
    counts["batches"] += 1
    running = {"search": name, "seed": seed}
    _keep(folder, {**state, "running": running})
    ENDS.clear()
    wrong, tried = [], 0

    def each(**drawn):
        nonlocal tried
        told = hashlib.blake2b(repr((name, drawn)).encode(), digest_size=8).digest()
        if told in seen:
            return
        seen.add(told)
        file.write(told)
        tried += 1
        signal.alarm(PATIENCE)
        try:
            one.holds(**drawn)
        except Exception as error:
            wrong.append({**running, "drawn": repr(drawn), "told": str(error)[-4000:]})
        finally:
            signal.alarm(0)

    began = time.process_time()
    with (folder / "seen").open("ab") as file:
        one.batch(seed, BATCH, each)
    ends = counts.setdefault("ends", {})
    for code, number in ENDS.items():
        ends[str(code)] = ends.get(str(code), 0) + number
    counts["tried"] += tried
    counts["wrong"] += len(wrong)
    spent = time.process_time() - began
    counts["seconds"] = round(counts.get("seconds", 0) + spent, 1)
    for finding in wrong:
        _found(folder, finding)
    _keep(folder, state)


def _keep(folder, state):
    """Writes the counts whole or not at all."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {
        **state,
        "commit": state.get("commit") or _commit(),
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "peak_bytes": max(most, state.get("peak_bytes", 0)),
    }
    path = folder / "state.json"
    path.with_suffix(".new").write_text(json.dumps(told, indent=1) + "\n")
    path.with_suffix(".new").replace(path)


def _commit():
    """What is tried, where git knows it."""
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or None


def _found(folder, finding):
    with (folder / "found.jsonl").open("a") as file:
        file.write(json.dumps(finding) + "\n")
    print(json.dumps({**finding, "drawn": ""})[:600], file=sys.stderr, flush=True)


def _late(_number, _frame):
    raise TimeoutError(f"it took more than {PATIENCE} s")


if __name__ == "__main__":
    main()
