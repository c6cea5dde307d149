"""Whether today's versions give yesterday's answers: python -m benchmarks.canary.

    python -m benchmarks.canary                 compares; exit code 1: they differ
    python -m benchmarks.canary --write         keeps today's answers instead
    python -m benchmarks.canary [--write] FILE  the same with a file of your own

It solves each shipped scenario and compares all numbers of its JSON with those that
are kept, to 1e-9; words are left out, and certificates, which are rounding errors. Of
the bad files in `tests/question/bad` it compares all that is said.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import requires, version
from pathlib import Path

import cli
from benchmarks.__main__ import ROOT
from optimizer.errors import InputError
from optimizer.question.load import load_scenario

KEPT = Path(__file__).with_name("canary.json")
BAD = ROOT / "tests" / "question" / "bad"
NEAR = 1e-9  # relative
NOTHING = 1e-13  # a rounding error: below it all are alike
DIGITS = 12

Numbers = Mapping[str, float | None]


def numbers(node: object, path: str = "") -> Iterator[tuple[str, float | None]]:
    """Each number or null of a JSON answer with its path, but for certificates."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "certificate":
                yield from numbers(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from numbers(value, f"{path}[{place}]")
    elif node is None:
        yield path, None
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield path, float(f"{node:.{DIGITS}g}")


def answers() -> dict[str, Numbers]:
    """The numbers of each shipped scenario, by its name.

    Raises:
        RuntimeError: a scenario has no answer.
    """
    found = {}
    for file in sorted((ROOT / "scenarios").glob("*.yaml")):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = cli.main(["solve", str(file), "--format", "json"])
        if code:
            raise RuntimeError(f"{file.name}: exit code {code}")
        found[file.stem] = dict(numbers(json.loads(out.getvalue())))
    return found


def differences(kept: Numbers, today: Numbers) -> Iterator[str]:
    """What is not as it was, a line each; numbers that are new are none."""
    for path, before in kept.items():
        if path not in today:
            yield f"{path}: {before} is gone"
            continue
        now = today[path]
        if before is None or now is None:
            same = before is now
        else:
            same = math.isclose(before, now, rel_tol=NEAR, abs_tol=NOTHING)
        if not same:
            yield f"{path}: {before} is {now}"


def bad_files() -> Iterator[str]:
    """The bad files of which another thing is said than is kept, a line each."""
    for file in sorted(BAD.glob("*.yaml")):
        kept = file.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")
        with contextlib.chdir(BAD):
            try:
                load_scenario(file.name)
            except InputError as error:
                said = str(error)
            else:
                said = "nothing"
        if said != kept:
            yield f"{file.name}: said was {kept!r}, is {said!r}"


def versions() -> str:
    """Python's version and those of what the tool needs."""
    needed = (line for line in requires("overtrain") or () if "extra ==" not in line)
    names = [line.partition(">")[0].partition("!")[0].strip() for line in needed]
    told = [f"{name} {version(name)}" for name in names]
    return ", ".join([f"Python {platform.python_version()}", *told])


def main() -> int:
    """Compares or writes; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=KEPT)
    parser.add_argument("--write", action="store_true", help="keep today's answers")
    asked = parser.parse_args()
    today = answers()
    if asked.write:
        text = json.dumps({"versions": versions(), "answers": today}, indent=0)
        asked.file.write_text(text + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {asked.file}\n")
        return 0
    kept = json.loads(asked.file.read_text(encoding="utf-8"))
    found = list(bad_files())
    for name, before in kept["answers"].items():
        if name in today:
            found += [f"{name}: {line}" for line in differences(before, today[name])]
        else:
            found.append(f"{name}: is gone")
    count = sum(map(len, kept["answers"].values()))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(
        f"{len(found)} of {count} numbers and {len(list(BAD.glob('*.yaml')))} "
        f"bad files differ\nkept with {kept['versions']}\ntoday with {versions()}\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
