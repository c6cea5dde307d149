"""The one door for JSON: a file to plain values, with the place of each word.

JSON of other tools is read as they write it: tabs, a byte-order mark, `Infinity`. What
is cut off, holds a word twice, is too long or nested too deep is refused with its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import contents
from optimizer.reading.yamltext import Steps, failed
from optimizer.records import dataclass

SIZE = 4_000_000  # [bytes] of what is read; published configs go up to 3.1 MB
HUGE = 64_000_000  # [bytes] of what is looked into to say which word is so long
DEPTH = 20


@dataclass(frozen=True)
class JsonFile:
    """A JSON object and where its words stand.

    Attributes:
        file: its name, as shown in messages.
        value: the object.
        text: as it was read.
    """

    file: str
    value: Mapping[str, Any]
    text: str

    def mark(self, path: Steps) -> Mark:
        """The place of a word, or of the nearest around it that is found."""
        position = found = 0
        for step in path:
            if isinstance(step, int):
                continue
            hit = re.compile(rf'"{re.escape(step)}"\s*:').search(self.text, position)
            if hit is None:
                break
            position, found = hit.end(), hit.start() + 1
        if not found:
            return Mark(self.file)
        before = self.text[: found - 1]
        line = before.count("\n") + 1
        return Mark(self.file, line, found - 1 - before.rfind("\n"))


def load_json(path: str | Path, most: int = SIZE) -> JsonFile:
    """Reads a JSON file whose value is an object.

    Args:
        path: of the file.
        most: the bytes that are read.

    Raises:
        InputError: it cannot be read, or is not what JSON or this tool allows.
    """
    return read_json(contents(path, HUGE), str(path), most)


def read_json(data: bytes, file: str, most: int = SIZE) -> JsonFile:
    """Reads the bytes of a JSON file whose value is an object.

    Args:
        data: of the file.
        file: its name, for messages.
        most: the bytes that are read.

    Raises:
        InputError: it is not what JSON or this tool allows.
    """
    if len(data) > HUGE:
        raise failed(Mark(file), f"is longer than {HUGE / 1e6:.0f} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise failed(Mark(file), "is not text; JSON is UTF-8") from None
    if not text.strip():
        raise failed(Mark(file), "is empty")
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except _Twice as twice:
        word, mark = _second(text, file)
        problem = "stands here twice, and only one can hold; take one out"
        raise InputError([Problem(mark, word or str(twice)[:100], problem)]) from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        hint = "the file is cut off" if cut else _hint(text)
        mark = Mark(file, error.lineno, error.colno)
        raise failed(mark, f"is not JSON: {error.msg.lower()}; {hint}") from None
    except RecursionError:
        raise failed(Mark(file), f"is nested more than {DEPTH} levels deep") from None
    except ValueError:  # a number of more digits than Python takes
        raise failed(Mark(file), "has a number of too many digits") from None
    if not isinstance(value, dict):
        raise failed(Mark(file), "must be an object of words and values, as { … }")
    if len(data) > most:
        raise _too_long(value, len(data), file)
    if _depth(value) > DEPTH:
        raise failed(Mark(file), f"is nested more than {DEPTH} levels deep")
    return JsonFile(file, value, text)


def _too_long(value: Mapping[str, Any], size: int, file: str) -> InputError:
    """An error that names the word that makes a file so long."""
    sizes = {word: len(json.dumps(inner)) for word, inner in value.items()}
    most = max(sizes, key=lambda word: sizes[word]) if sizes else ""
    return InputError(
        [
            Problem(
                Mark(file),
                most,
                f"makes this file {size / 1e6:.1f} MB long, and {SIZE / 1e6:.0f} MB is "
                "read; take out what does not describe the layers, such as lists of a "
                "quantization",
            )
        ]
    )


def _hint(text: str) -> str:
    """What a file is instead, or what can be done."""
    start = text.lstrip()[:40]
    if start.startswith("version https://git-lfs"):
        return "it is a pointer of Git LFS; fetch the file that it stands for"
    if start.startswith("<"):
        return "it is a web page; download the file itself, not the page that shows it"
    return "mend it there, or fetch the file anew from where the model is published"


class _Twice(Exception):
    """A word stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        words = [word for word, _ in pairs]
        raise _Twice(next(word for word in words if words.count(word) > 1))
    return value


def _second(text: str, file: str) -> tuple[str, Mark]:
    """The first word that its object has already, and its place."""
    seen: list[set[str]] = []
    for hit in re.finditer(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}]', text):
        if hit[0] == "{":
            seen.append(set())
        elif hit[0] == "}":
            seen.pop()
        elif hit[2] and seen:
            if hit[1] in seen[-1]:
                line = text.count("\n", 0, hit.start()) + 1
                column = hit.start() - text.rfind("\n", 0, hit.start())
                return hit[1][:100], Mark(file, line, column)
            seen[-1].add(hit[1])
    return "", Mark(file)


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = [one for one in inner if isinstance(one, dict | list)]
        if deepest > DEPTH:
            break
    return deepest
