"""Logs of training runs: what was evaluated at which step, on how many tokens.

Lines of Megatron, torchtitan, OLMo, nanoGPT and their like are read alike: by the words
before the numbers. What a log says once (parameters, tokens a step) holds for all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from optimizer.fitting.tables.exports import trainer_state
from optimizer.fitting.tables.table import Note, Read, Row
from optimizer.records import replace

ABOUT = "is the log of one run"
EARLY = 0.5  # an evaluation before this share of a log says nothing of its end
MEAN = 10  # logged training losses that make up one
FEWEST = 2  # lines with a step and a loss by which a log is known
_N = r"([-+]?[0-9][0-9,_]*(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)"
_LOSS = (
    r"(?:crossentropyloss|cross_?entropy|ce_?loss|loss|bpb|bits_per_byte|nll|"
    r"perplexity|ppl)"
)
STEP = re.compile(
    r"(?:\b(?:global_?step|iteration|iter|step)\b\s*[:=#]?\s*\[?|^\s*\[batch=)" + _N,
    re.I,
)
NAMED = re.compile(
    r"([\w.-]+(?:/[\w.-]+)*/[\w.-]*?" + _LOSS + r")\s*[:=]\s*" + _N, re.I
)
TEST = re.compile(
    r"\b((?:val(?:id(?:ation)?)?|eval(?:uation)?|test)[ _]?(?:[a-z]+[ _])?"
    + _LOSS
    + r")"
    r"(?:\s+at\s+(?:iteration|step)\s+(?P<at>[0-9]+))?(?:\s*\|\s*lm loss value)?"
    r"\s*[:=]?\s*" + _N,
    re.I,
)
# As LitGPT has both.
BOTH = re.compile(r"\bloss train:\s*" + _N + r",\s*val:\s*" + _N, re.I)
CHECKED = re.compile(
    r"\bvalidat(?:e|ion)\b.*?\bstep\b\s*[:=]?\s*[0-9]+.*?\bloss\s*[:=]?\s*" + _N, re.I
)
TRAIN = re.compile(
    r"(?<![\w/])((?:lm[ _]|train(?:ing)?[ _])?loss)\s*[:=]?\s*" + _N, re.I
)
TOKENS = re.compile(
    r"(?:consumed[ _]tokens|total[ _]tokens|tokens[ _]seen|n_tokens|ntokens|"
    r"throughput/total_tokens|time/token|(?<![\w/])tokens)\s*[:=]\s*"
    + _N
    + r"\s*([KMBT])?\b(?!/)",
    re.I,
)
SAMPLES = re.compile(r"consumed[ _]samples\s*[:=]\s*" + _N, re.I)
PARAMETERS = (
    re.compile(
        r"total (?:number of )?param(?:eter)?s\s*[:=]?\s*" + _N + r"\s*([KMBG])?\b",
        re.I,
    ),
    re.compile(_N + r"\s*([KMB])?\s+(?:total )?param(?:eter)?s\b", re.I),
    re.compile(
        r"(?:number of|num|model)[ _](?:trainable[ _])?param(?:eter)?s\s*[:=]?\s*"
        + _N
        + r"\s*([KMBG])?\b",
        re.I,
    ),
)
RANK = re.compile(r"number of parameters on .*?rank\s*(\([^)]*\))\s*:\s*" + _N, re.I)
A_STEP = re.compile(
    r"tokens per (?:iteration|step|batch)(?: will be)?\s*[:=]\s*" + _N, re.I
)
BATCH = re.compile(r"global[ _-]batch[ _-]size\s*(?:[:=]|\.{2,}|)\s*" + _N, re.I)
LENGTH = re.compile(
    r"(?:seq(?:uence)?[ _-]length|seq[ _-]len|max_sequence_length|context[ _-]length)"
    r"\s*(?:[:=]|\.{2,}|)\s*" + _N,
    re.I,
)
_SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}


def is_log(text: str) -> bool:
    """Whether lines have a step and a loss in words, as no table's do."""
    found = 0
    for line in text[:1_000_000].splitlines():
        if len(line) < 5000 and STEP.search(line) and _losses(line):
            found += 1
            if found == FEWEST:
                return True
        elif NAMED.search(line[:5000]) and line.count(",") < 4:
            found += 1
            if found == 3 * FEWEST:
                return True
    return False


def read_log(text: str) -> Read:
    """The evaluations of a log, or where it has none its training loss."""
    said = _said_once(text)
    points = list(_points(text))
    ratio = _a_step(points, said)
    for _, row in points:
        if "tokens" not in row and ratio and "step" in row:
            row["tokens"] = row["step"] * ratio
        if "parameters" in said:
            row["parameters"] = said["parameters"]
    tests = [(n, row) for n, row in points if any(map(_is_test, row))]
    steps = [[row.get("step", 0.0) for _, row in some] for some in (tests, points)]
    if tests and max(steps[0]) < EARLY * max(steps[1]):
        tests = []  # evaluated at the start only
    rows = [(n, {_training(k): v for k, v in row.items()}) for n, row in tests]
    notes: tuple[Note, ...] = ()
    if not tests:
        rows = _smoothed(points)
        if rows:
            message = f"no evaluation at the end; a training loss is the mean of {MEAN}"
            notes = (Note(0, message, "as logged before it"),)
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    kept: list[Row] = [(line, dict(row)) for line, row in rows]
    return Read(columns, kept, about=ABOUT, notes=notes)


def printed(text: str) -> Read | None:
    """What a trainer of Hugging Face prints, a dictionary a line; None if it is not."""
    entries = []
    for line in text.splitlines():
        at = line.find("{'")
        if at >= 0 and len(line) < 5000 and "loss'" in line:
            try:
                entry = ast.literal_eval(line[at:].strip())
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            entries += [entry] if isinstance(entry, dict) else []
    if len(entries) < FEWEST:
        return None
    read = trainer_state({"log_history": entries})
    size = _said_once(text).get("parameters")
    if size is None:
        return read
    rows = [(line, {**row, "parameters": size}) for line, row in read.rows]
    return replace(read, columns=[*read.columns, "parameters"], rows=rows)


def _losses(line: str) -> bool:
    return any(kind.search(line) for kind in (TRAIN, TEST, NAMED, BOTH))


def _training(name: str) -> str:
    """The training loss by a name that says so, where evaluations stand beside it."""
    return f"train {name}" if TRAIN.match(f"{name}: 1") else name


def _is_test(name: str) -> bool:
    return bool(re.search(r"(?:^|/)(?:val|eval|test)", name, re.I))


def _value(told: str, suffix: str | None = None) -> float:
    return (
        float(told.replace(",", "").replace("_", "")) * _SIZES[(suffix or "").lower()]
    )


def _said_once(text: str) -> Mapping[str, float]:
    """The parameters and the tokens of a step, where the log says them."""
    found: dict[str, float] = {}
    ranks: dict[str, float] = {}
    head = text[:4_000_000]
    for line in head.splitlines():
        if match := RANK.search(line):
            ranks[match[1]] = _value(match[2])
            continue
        if "param" in line.lower() and not re.search(
            r"decay|tensors|embed", line, re.I
        ):
            hits = (pattern.search(line) for pattern in PARAMETERS)
            match = next((m for m in hits if m), None)
            if match and "parameters" not in found:
                size = _value(match[1], match[2])
                if size >= 1000:
                    found["parameters"] = size
        for name, pattern in (("a_step", A_STEP), ("batch", BATCH), ("length", LENGTH)):
            if name not in found and (match := pattern.search(line)):
                found[name] = _value(match[1])
    if ranks:
        found["parameters"] = sum(ranks.values())
    return found


def _points(text: str) -> Iterator[tuple[int, dict[str, float]]]:
    """What was logged at each step; lines without a step belong to the last one."""
    row: dict[str, float] = {}
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 5000:
            continue
        step = STEP.search(line)
        here = _on_line(line)
        at = here.pop("at", None)
        if at is None and step:
            at = _value(step[1])
        if at is not None and at != row.get("step"):
            if len(row) > 1:
                yield start, row
            row, start = {"step": at}, number
        row |= here
    if len(row) > 1:
        yield start, row


def _on_line(line: str) -> dict[str, float]:
    found: dict[str, float] = {}
    if match := TOKENS.search(line):
        found["tokens"] = _value(match[1], match[2])
    if match := SAMPLES.search(line):
        found["samples"] = _value(match[1])
    for match in NAMED.finditer(line):
        found[match[1]] = _value(match[2])
    if found.keys() - {"tokens", "samples"}:
        return found
    if match := BOTH.search(line):
        found |= {"loss": _value(match[1]), "validation loss": _value(match[2])}
        return found
    if match := CHECKED.search(line):
        found["validation loss"] = _value(match[1])
        return found
    for match in TEST.finditer(line):
        found[match[1].lower().replace("_", " ")] = _value(match[3])
        if match["at"]:
            found["at"] = _value(match["at"])
    train = TRAIN.search(re.sub(TEST, "", line))
    if train:
        found[train[1].lower()] = _value(train[2])
    return found


def _a_step(
    points: list[tuple[int, dict[str, float]]], said: Mapping[str, float]
) -> float | None:
    """Tokens of a step: as said, or as the tokens seen at some step tell."""
    if "a_step" in said:
        return said["a_step"]
    seen = sorted(r["tokens"] / r["step"] for _, r in points if _both(r, "tokens"))
    if seen:
        return seen[len(seen) // 2]
    length = said.get("length")
    samples = sorted(r["samples"] / r["step"] for _, r in points if _both(r, "samples"))
    batch = samples[len(samples) // 2] if samples else said.get("batch")
    return batch * length if batch and length else None


def _both(row: Mapping[str, float], name: str) -> bool:
    return bool(row.get("step")) and name in row


def _smoothed(
    points: list[tuple[int, dict[str, float]]],
) -> list[tuple[int, dict[str, float]]]:
    """Points whose training loss is the mean of the last few."""
    names = {n for _, row in points for n in row if not _is_test(n)} - {
        "step",
        "tokens",
        "samples",
        "parameters",
    }
    for name in sorted(names):
        last: list[float] = []
        for _, row in points:
            if name in row:
                last = [*last, row[name]][-MEAN:]
                row[name] = sum(last) / len(last)
    return [
        (line, {n: v for n, v in row.items() if not _is_test(n)})
        for line, row in points
        if names & set(row)
    ]
