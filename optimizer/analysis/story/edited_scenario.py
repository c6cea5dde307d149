"""A scenario file with other values in it, and every other letter as it was.

Each value is replaced where its mark stands, and a word that the file does not have
yet comes behind the first of its section. What cannot be put in place makes a plain
file without the comments. Either way the text is read again and must say what was
meant.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from optimizer.errors import Defect, InputError, Mark
from optimizer.question.exclusive import ALTERNATIVES
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document, Steps, load_text, override

_PLAIN = "A comment or the order of the words was lost: the file had no place for all."
_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
# A value ends at a comment or its line's end; in brackets also at , ] or }.
_ENDS = (
    re.compile(rf"{_QUOTED}|[^\n,\]}}]*?(?=[ \t]*(?:[,\]}}]|[ \t]#|$))", re.MULTILINE),
    re.compile(rf"{_QUOTED}|[^\n]*?(?=[ \t]*(?:[ \t]#|$))", re.MULTILINE),
)
_SAFE = re.compile(r"[A-Za-z0-9$.+-][A-Za-z0-9$.%/+_-]*(?: [A-Za-z0-9$.%/+_-]+)*")


def rewritten(original: Document, scenario: Scenario, sets: Sequence[str]) -> str:
    """The text of a scenario file with some values changed.

    Args:
        original: the file as it was read.
        scenario: what is meant: the file with the changes.
        sets: the changes, as `--set` takes them.

    Raises:
        Defect: no text says what was meant.
    """
    changed = original
    for assignment in sets:
        changed = override(changed, assignment, ALTERNATIVES, frozenset({"law"}))
    meant: Any = copy.deepcopy(changed.value)
    if changed.deferred:
        meant["law"] = _law(scenario)
    text = _in_place(original, meant)
    if text is None:
        text = f"# {_PLAIN}\n{json.dumps(meant, indent=2, ensure_ascii=False)}\n"
    if _read(text) != meant:
        raise Defect("the changed scenario cannot be written as a file")
    return text


def _law(scenario: Scenario) -> dict[str, Any]:
    """A law whose coefficients are the scenario's, in the words of a law file."""
    law = scenario.law
    covered = {word: list(pair) for word, pair in law.range.told.items()}
    told: dict[str, Any] = {
        "name": law.name,
        "form": law.form,
        "coefficients": dict(law.coefficients),
        "counts": law.counts,
        "loss_unit": law.loss_unit,
    }
    if covered:
        told["range"] = covered
    if law.experts is not None:
        told["experts"] = list(law.experts)
    if law.extras:
        told["extras"] = dict(law.extras)
    if law.error is not None:
        told["error"] = {w: getattr(law.error, w) for w in ("epsilon", "k", "gamma")}
    if law.passing is not None:
        told["pass_at_k"] = asdict(law.passing)
    return told


def _in_place(original: Document, meant: Any) -> str | None:
    """The text with each value that differs replaced, or None where one cannot be."""
    for path, value in _added(original.value, meant, ()):
        grown = _inserted(original, path, value)
        if grown is None:
            return None
        original = grown
    text = original.text
    differing = list(_differing(original.value, meant, ()))
    found_at = [(original.marks.get(path), path, value) for path, value in differing]
    places = [(m, path, value) for m, path, value in found_at if m and m.line]
    if len(places) < len(differing):
        return None
    # From the end, so that the places before stay where they are.
    places.sort(key=lambda place: (place[0].line, place[0].column), reverse=True)
    for mark, path, value in places:
        for end in _ENDS:
            found = _replaced(text, mark, end, value)
            if found is not None and inside(_read(found), path) == value:
                text = found
                break
        else:
            return None
    return text if _read(text) == meant else None


def _differing(old: Any, new: Any, path: Steps) -> Iterator[tuple[Steps, Any]]:
    """The innermost values that are not the same."""
    if isinstance(old, dict) and isinstance(new, dict) and set(old) == set(new):
        for word in new:
            yield from _differing(old[word], new[word], (*path, word))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, member in enumerate(new):
            yield from _differing(old[place], member, (*path, place))
    elif old != new or type(old) is not type(new):
        yield path, new


def _added(old: Any, new: Any, path: Steps) -> Iterator[tuple[Steps, Any]]:
    """The words that a section has only now."""
    if isinstance(old, dict) and isinstance(new, dict):
        for word, value in new.items():
            if word not in old:
                yield (*path, word), value
            else:
                yield from _added(old[word], value, (*path, word))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, member in enumerate(new):
            yield from _added(old[place], member, (*path, place))


def _inserted(original: Document, path: Steps, value: Any) -> Document | None:
    """The file with one more word; None where it does not read back."""
    section = inside(original.value, path[:-1])
    if not isinstance(section, dict) or not section:
        return None
    mark = original.keys.get((*path[:-1], next(iter(section))))
    if mark is None or not mark.line:
        return None
    lines = original.text.split("\n")
    line, at = lines[mark.line - 1], mark.column - 1
    entry = f"{path[-1]}: {_written(value)}"
    if line[:at].strip() in ("", "-"):
        lines.insert(mark.line, f"{' ' * at}{entry}")
    else:  # in brackets
        lines[mark.line - 1] = f"{line[:at]}{entry}, {line[at:]}"
    try:
        grown = load_text("\n".join(lines), original.file)
    except InputError:
        return None
    return grown if inside(grown.value, path) == value else None


def _replaced(text: str, mark: Mark, end: re.Pattern[str], value: Any) -> str | None:
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: mark.line - 1]) + mark.column - 1
    found = end.match(text, start)
    if found is None:
        return None
    return text[:start] + _written(value) + text[found.end() :]


def _written(value: Any) -> str:
    """A value for any place in a YAML text."""
    if isinstance(value, str) and _SAFE.fullmatch(value) and _same(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _same(value: str) -> bool:
    try:
        return load_text(value, "").value == value
    except InputError:
        return False


def _read(text: str) -> Any:
    try:
        return load_text(text, "").value
    except InputError:
        return None


def inside(node: Any, path: Steps) -> Any:
    """What stands at a path of plain values; None where nothing does."""
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node
