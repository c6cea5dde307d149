"""YAML text to plain values and their places: the only file that imports yaml.

Scalars follow the YAML 1.2 core schema (PyYAML's own loader reads `1e12` as text,
`no` as false and `1:30` as 90). Values are built from the parser's events, without
recursion, so that a text nested too deep is refused and never overflows the stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.quantity import shown
from optimizer.records import dataclass

Steps = tuple[str | int, ...]  # the path of a value

SIZE = 1_000_000  # [bytes]
DEPTH = 20
MOST = 100  # mistakes that are told at once

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TYPES = {
    **{"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)},
    **{"null": (type(None),), "map": (), "seq": ()},
}
_TAGS = {f"tag:yaml.org,2002:{name}": name for name in _TYPES}
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_GLUED = re.compile(r"[ -]*[A-Za-z_]+:(?=[^\s/])")  # `tokens:2T`
_MISFIT = "this line does not fit the indentation of the lines above"
_COLON = 'a ":" cannot stand here; quote the value, or end the line above with a ":"'
# What the parsers say (there are two, of C and of Python), in plain words.
_PLAIN_WORDS = (
    ("mapping values are not allowed", _COLON),
    ("sequence entries are not", 'a "-" cannot stand here; start a new line'),
    ("could not find expected ':'", 'the key above has no ":" after it'),
    ("quoted scalar", "a quote is not closed, or a backslash in it means nothing"),
    ("double-quoted", "a quote is not closed, or a backslash in it means nothing"),
    ("flow sequence", 'a "[" lacks its "]", or a comma is missing'),
    ("flow mapping", 'a "{" lacks its "}", or a comma is missing'),
    ("cannot start any token", "a value cannot start like this; put it in quotes"),
    ("alphabetic or numeric", "a value cannot start with & or *; put it in quotes"),
    ("node content", "a value is missing here, or a bracket has no partner"),
    ("block mapping", _MISFIT),
    ("block collection", _MISFIT),
    ("<document start>", _MISFIT),
)


@dataclass(frozen=True)
class Parsed:
    """A value, the places of what is in it and of its keys, and the text."""

    value: object
    marks: Mapping[Steps, Mark]
    keys: Mapping[Steps, Mark]
    text: str


def parse(text: str | bytes, file: str) -> Parsed:
    """Return what a YAML text says; None where it says nothing.

    Args:
        text: text, or bytes in UTF-8.
        file: the name that messages show.

    Raises:
        InputError: with every problem found and its place.
    """
    if len(text) > SIZE:
        raise failed(Mark(file), "is larger than 1 MB, the most that is read")
    decoded = _decode(text, file) if isinstance(text, bytes) else text
    if bad := _UNPRINTABLE.search(decoded):
        mark = _place(decoded[: bad.start()], file)
        if "\0" in decoded:
            raise failed(mark, "this is a binary file; a text file is needed")
        code = f"U+{ord(bad[0]):04X}"
        raise failed(mark, f"the invisible character {code} is not allowed")
    reader, error = _read(decoded, file)
    if error is not None:
        # A parser reads ahead, and so may meet a limit of its own before we see what
        # ends our reading: what stands before its complaint is read alone.
        end = error.problem_mark.index if error.problem_mark else 0
        before, _ = _read(decoded[:end], file)
        if before.stopped:
            reader = before
        else:
            reader.problems.append(_explained(error, decoded, file))
    if reader.problems:
        raise InputError(reader.problems)
    reader.marks.setdefault((), Mark(file))
    return Parsed(reader.root, reader.marks, reader.keys, decoded)


def dotted(path: Sequence[str | int]) -> str:
    """Return `demand[0].tokens` for `("demand", 0, "tokens")`."""
    words = (
        f"[{step}]" if isinstance(step, int) else f".{legible(step)}" for step in path
    )
    return "".join(words).removeprefix(".")


def legible(text: str, length: int = 60) -> str:
    """Return a short text of visible characters as it is, else cut and quoted."""
    return text if text.isprintable() and len(text) <= length else shown(text)


def failed(mark: Mark, message: str) -> InputError:
    """Return the error of one problem that concerns no field."""
    return InputError([Problem(mark, "", message)])


@dataclass
class _Open:
    """A mapping or list that is being filled; `key` awaits its value.

    `repeated` tells that the key stood before, `inside` that one around it did.
    """

    value: Any
    path: Steps
    inside: bool = False
    key: str | None = None
    repeated: bool = False

    @property
    def here(self) -> Steps:
        """The path of the member that comes next."""
        if isinstance(self.value, list):
            return (*self.path, len(self.value))
        return self.path if self.key is None else (*self.path, self.key)


class _Reader:
    """Builds values from events; what is not allowed is kept in `problems`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: object = None
        self.marks: dict[Steps, Mark] = {}
        self.keys: dict[Steps, Mark] = {}
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.documents = 0
        self.stopped = False

    def take(self, event: Any) -> bool:
        """Take one event; return whether to go on."""
        mark = Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._refuse(mark, "a second document begins here; one is allowed")
            return self.documents == 1
        if isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._check_node(event, mark)
            top = self.stack[-1] if self.stack else None
            if top and isinstance(top.value, dict) and top.key is None:
                return self._take_key(event, mark, top)
            return self._take_value(event, mark, top)
        return True

    def _check_node(self, event: Any, mark: Mark) -> None:
        if event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            what = (
                f'"{sign}{legible(event.anchor)}" refers to another place of the file'
            )
            self._refuse(mark, f"{what}, which is not supported; write the value out")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", *_TAGS):
            self._refuse(mark, f"the tag {shown(tag)} is not supported; leave it out")

    def _take_key(self, event: Any, mark: Mark, top: _Open) -> bool:
        if isinstance(event, yaml.CollectionStartEvent):
            self._refuse(mark, "a key must be a word, not a list or a mapping")
            return False
        key = str(getattr(event, "value", ""))
        path = (*top.path, key)
        top.repeated = path in self.keys
        if isinstance(event, yaml.ScalarEvent):
            known = _resolve(event)
            if not isinstance(known, str):
                self._refuse(mark, f"a key must be a word, not {shown(key)}; quote it")
            elif key == "<<" and not event.style:
                self._refuse(mark, '"<<" is not supported; write the values out')
            elif top.repeated and not top.inside:
                line = self.keys[path].line
                message = f"stands twice, the first time in line {line}; keep one"
                self.problems.append(Problem(mark, dotted(path), message))
        self.keys.setdefault(path, mark)
        top.key = key
        return True

    def _take_value(self, event: Any, mark: Mark, top: _Open | None) -> bool:
        value: Any = None
        if isinstance(event, yaml.MappingStartEvent):
            value = {}
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
        elif isinstance(event, yaml.ScalarEvent):
            value = _resolve(event)
            name = _TAGS.get(event.tag or "", "")
            if name and not isinstance(value, _TYPES[name]):
                self._refuse(mark, f"{shown(event.value)} is not of the type {name}")
        path: Steps = ()
        if top is None:
            self.root = value
        elif isinstance(top.value, dict):
            path = (*top.path, str(top.key))
            top.value[top.key] = value
            top.key = None
        else:
            path = (*top.path, len(top.value))
            top.value.append(value)
        self.marks[path] = mark
        if isinstance(value, (dict, list)):
            if len(self.stack) == DEPTH:
                message = f"is nested more than {DEPTH} levels deep"
                self.problems.append(Problem(mark, "", message))
                return False
            # What stands in a key's second mapping is no mistake of its own.
            inside = top is not None and (top.inside or top.repeated)
            self.stack.append(_Open(value, path, inside))
        return True

    def _refuse(self, mark: Mark, message: str) -> None:
        path = self.stack[-1].here if self.stack else ()
        self.problems.append(Problem(mark, dotted(path), message))


def _read(text: str, file: str) -> tuple[_Reader, yaml.MarkedYAMLError | None]:
    """Return what stands in a text, and the parser's complaint that ended it."""
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not reader.take(event) or len(reader.problems) >= MOST:
                reader.stopped = True
                break
    except yaml.MarkedYAMLError as error:
        return reader, error
    return reader, None


def _resolve(event: Any) -> object:
    """Return the value of a scalar by the rules of the YAML 1.2 core schema."""
    text: str = event.value
    if event.style or _TAGS.get(event.tag) == "str" or event.tag == "!":
        return text
    if text in _WORDS:
        return _WORDS[text]
    # Thousands of digits are no number that a field takes, and slow to convert.
    short = len(text) < 400
    if short and _INT.fullmatch(text):
        return int(text, 0 if text[:2] in ("0x", "0o") else 10)
    if not _FLOAT.fullmatch(text):
        return text
    # Beyond the largest double it stays as it was written, to be told in those words.
    return text if math.isinf(number := float(text)) and short else number


def _decode(data: bytes, file: str) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise failed(Mark(file), "is written in UTF-16; save it as UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if b"\0" in data:
            message = "this is a binary file; a text file is needed"
        else:
            message = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise failed(_place(data[: error.start].decode(), file), message) from None


def _place(before: str, file: str) -> Mark:
    """Return the place that follows a text."""
    return Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _explained(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """Return a parser's complaint in plain words."""
    place = error.problem_mark or error.context_mark
    line = place.line if place else 0
    mark = Mark(file, line + 1, (place.column if place else 0) + 1)
    for number, content in enumerate(text.splitlines()[: line + 1], start=1):
        indent = content[: len(content) - len(content.lstrip())]
        if "\t" in indent and content.strip():
            column = indent.index("\t") + 1
            return Problem(
                Mark(file, number, column), "", "a tab stands here; indent with spaces"
            )
        if number >= line and (glued := _GLUED.match(content)):
            mark = Mark(file, number, glued.end())
            return Problem(mark, "", 'a space must follow the ":"')
    said = f"{error.problem or ''} {error.context or ''}"
    for phrase, words in _PLAIN_WORDS:
        if phrase in said:
            return Problem(mark, "", words)
    return Problem(mark, "", f"this is not YAML: {error.problem or error.context}")
