"""Marked values: what a YAML file says, where it says it, and `--set` on top.

A `Document` is plain dicts, lists, text, numbers, booleans and None, with the mark
of every value and key, by path.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark
from optimizer.reading.yamltext import (
    DEPTH,
    SIZE,
    Steps,
    dotted,
    failed,
    legible,
    parse,
)
from optimizer.records import dataclass, field, replace

__all__ = [
    "Document",
    "Path_",
    "Steps",
    "contents",
    "dotted",
    "legible",
    "load_file",
    "load_text",
    "nearest",
    "override",
    "parse_assignment",
    "suggest",
]

Path_ = Steps
Deferred = tuple[Steps, object, Mark]


@dataclass(frozen=True)
class Document:
    """A text and what it says.

    Attributes:
        file: the name of the file, as shown in messages.
        value: dicts, lists, str, int, float, bool and None.
        marks: the place of each value, by its path.
        keys: the place of each key, by the path of its value.
        text: the text as it was read.
        deferred: overrides that wait for another file, as `law.alpha` does.
        replaced: what overrides took the place of, by its path, in words.
    """

    file: str
    value: object
    marks: Mapping[Steps, Mark]
    keys: Mapping[Steps, Mark]
    text: str = ""
    deferred: tuple[Deferred, ...] = ()
    replaced: Mapping[Steps, str] = field(default_factory=dict)

    def mark(self, path: Steps) -> Mark:
        """Return the place of a value, or of the nearest one around it."""
        for length in range(len(path), -1, -1):
            if (mark := self.marks.get(path[:length])) is not None:
                return mark
        return Mark(self.file)

    def key_mark(self, path: Steps) -> Mark:
        """Return the place of the key of a value, or of the nearest value."""
        return self.keys.get(path) or self.mark(path)


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that one was perhaps meant to be.

    Of names in parts, such as `a100-80-sxm`, those that begin alike go before all
    others, whatever the order of the parts that follow.
    """
    import difflib  # noqa: PLC0415 - for mistakes alone

    spelled = {known.lower(): known for known in allowed}
    told = _parts(word)
    if kin := [known for known in spelled if _parts(known)[0] == told[0]]:
        alike = difflib.SequenceMatcher(b="-".join(sorted(told)))

        def likeness(known: str) -> float:
            alike.set_seq1("-".join(sorted(_parts(known))))
            return alike.ratio()

        return spelled[max(kin, key=likeness)]
    near = difflib.get_close_matches(word.lower(), list(spelled), n=1, cutoff=0.6)
    return spelled[near[0]] if near else None


def _parts(word: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", word.lower())


def suggest(word: str, allowed: Iterable[str], then: str = "") -> str:
    """Return `; did you mean "x"?` where an allowed word is near, and what follows."""
    near = nearest(word, allowed)
    parts = [f'did you mean "{near}"?' if near else "", then]
    said = " ".join(part for part in parts if part)
    return f"; {said}" if said else ""


def contents(path: str | Path, most: int) -> bytes:
    """The bytes of a file, and one more than allowed where it is too long.

    Args:
        path: of the file.
        most: the bytes that are allowed; one over is enough to know, also of an
            endless device.

    Raises:
        InputError: it cannot be read.
    """
    file = str(path)
    try:
        with open(path, "rb") as stream:
            return stream.read(most + 1)
    except FileNotFoundError:
        raise failed(Mark(file), "there is no such file") from None
    except IsADirectoryError:
        raise failed(Mark(file), "this is a directory, not a file") from None
    except PermissionError:
        raise failed(Mark(file), "no permission to read this file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise failed(Mark(file), f"cannot be read: {reason}") from None


def load_file(path: str | Path) -> Document:
    """Read a YAML file.

    Raises:
        InputError: it cannot be read, or says what YAML or this tool does not allow.
    """
    return load_text(contents(path, SIZE), str(path))


def load_text(text: str | bytes, file: str) -> Document:
    """Read YAML text.

    Args:
        text: text, or bytes in UTF-8.
        file: the name that messages show.

    Raises:
        InputError: with every problem found and its place.
    """
    found = parse(text, file)
    if found.value is None:
        raise failed(Mark(file), "the file is empty")
    return Document(file, found.value, found.marks, found.keys, found.text)


def parse_assignment(assignment: str) -> tuple[Steps, Document]:
    """Return the path of `demand.assistant.requests=5M/day` and its value.

    List members may be written `demand[0].tokens`, `demand.0.tokens` or by name.

    Raises:
        InputError: there is no `=`, no path, or the value is not YAML.
    """
    mark = Mark(f"--set {assignment}")
    left, equals, right = assignment.partition("=")
    if not equals:
        raise failed(mark, 'needs a "=", as in --set demand.tokens=5T')
    words = re.sub(r"\[([0-9]+)\]", r".\1", left.strip()).split(".")
    path: Steps = tuple(word.strip() for word in words)
    if not all(path):
        raise failed(mark, "needs a path before the =, as in --set demand.tokens=5T")
    if len(path) >= DEPTH:
        raise failed(mark, f"goes deeper than {DEPTH} levels")
    try:
        value = parse(right, mark.file)
    except InputError as error:
        raise InputError(
            replace(p, mark=mark, path=".".join(filter(None, (dotted(path), p.path))))
            for p in error.problems
        ) from None
    marks, keys = dict.fromkeys(value.marks, mark), dict.fromkeys(value.keys, mark)
    return path, Document(mark.file, value.value, marks, keys, right)


def override(
    document: Document,
    assignment: str,
    alternatives: Sequence[frozenset[tuple[str, ...]]] = (),
    deferred: frozenset[str] = frozenset(),
) -> Document:
    """Return a document with one value set, as `--set PATH=VALUE` asks.

    Args:
        document: what to change; it is left as it is.
        assignment: the path and the value, such as `demand.assistant.requests=5M/day`.
        alternatives: sets of paths of which one may stand, `*` for a list index;
            setting one of them, or below it, takes the others away, if the file has
            them; two overrides that take each other away are a mistake.
        deferred: first words whose inner paths are left to the caller, in
            `Document.deferred`.

    Raises:
        InputError: the assignment is malformed, or its path leads nowhere.
    """
    words, value = parse_assignment(assignment)
    mark = value.mark(())
    if len(words) > 1 and words[0] in deferred:
        waiting = (words, value.value, mark)
        return replace(document, deferred=(*document.deferred, waiting))
    root: Any = copy.deepcopy(document.value)
    marks, keys = dict(document.marks), dict(document.keys)
    path: Steps = ()
    node = root
    for left, word in enumerate(words, start=1 - len(words)):
        step = _step(node, str(word), path, mark)
        path = (*path, step)
        if left == 0:
            _forget(path, marks, keys)
            node[step] = value.value
            keys[path] = mark
            marks.update({path + inner: mark for inner in value.marks})
            keys.update({path + inner: mark for inner in value.keys})
        elif isinstance(node, dict) and node.get(step) is None:
            node[step] = {}
            marks[path] = mark
            keys.setdefault(path, mark)
        node = node[step]
    told = dict(document.replaced)
    for rival in _rivals(path, alternatives):
        place = keys.get(rival, marks.get(rival, mark))
        if not _remove(root, rival):
            continue
        if place.file.startswith("--set ") and place != mark:
            raise failed(mark, f"cannot stand beside {place.file}; keep one of them")
        _forget(rival, marks, keys)
        told[rival] = f"{mark.file} takes the place of {dotted(rival)} of {place}"
    return replace(document, value=root, marks=marks, keys=keys, replaced=told)


def _step(node: Any, word: str, path: Steps, mark: Mark) -> str | int:
    """Return the key or index that a word of a `--set` path stands for."""
    if isinstance(node, dict):
        return word
    if not isinstance(node, list):
        where = f'"{dotted(path)}"' if path else "the file"
        raise failed(mark, f'{where} is a single value and has no "{word}" in it')
    names = [m.get("name") if isinstance(m, dict) else None for m in node]
    if word in names:
        return names.index(word)
    if word.isdecimal() and word.isascii():
        if len(word) < 9 and int(word) < len(node):
            return int(word)
        raise failed(mark, f'"{dotted(path)}" has {len(node)} members, from 0')
    known = [name for name in names if isinstance(name, str)]
    listed = f"; there are {', '.join(known)}" if known else ""
    near = suggest(word, known) or listed or "; use its number, from 0"
    raise failed(mark, f'"{dotted(path)}" has no member named "{word}"{near}')


def _rivals(
    path: Steps, alternatives: Sequence[frozenset[tuple[str, ...]]]
) -> list[Steps]:
    """Return the paths that a path replaces, list indices filled in."""
    rivals: list[Steps] = []
    for group in alternatives:
        for chosen in group:
            if len(chosen) <= len(path) and all(
                want in (step, "*") for want, step in zip(chosen, path, strict=False)
            ):
                rivals += (
                    tuple(
                        path[i] if word == "*" and i < len(path) else word
                        for i, word in enumerate(other)
                    )
                    for other in group
                    if other != chosen
                )
    return rivals


def _remove(root: Any, path: Steps) -> bool:
    for step in path[:-1]:
        inside = isinstance(root, dict) and step in root
        listed = isinstance(root, list) and isinstance(step, int) and step < len(root)
        if not inside and not listed:
            return False
        root = root[step]
    if not isinstance(root, dict) or path[-1] not in root:
        return False
    del root[path[-1]]
    return True


def _forget(path: Steps, *tables: dict[Steps, Mark]) -> None:
    for table in tables:
        for known in [p for p in table if p[: len(path)] == path]:
            del table[known]
