"""A file of the package whose top-level words are entries, each read when needed.

The library of models has a hundred entries, of which a scenario names one or two. The
file is cut at its top-level words, and what is not asked for is never parsed.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from optimizer.errors import Defect
from optimizer.reading.document import Document, contents, load_text
from optimizer.reading.yamltext import SIZE

_WORD = re.compile(r"(?m)^([\w.-]+):")


class Entries:
    """A mapping of names to entries, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Document] = {}

    @cached_property
    def _text(self) -> str:
        return contents(self.path, SIZE).decode()

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        """Where in the text each entry begins and ends."""
        starts = [(found[1], found.start()) for found in _WORD.finditer(self._text)]
        ends = [start for _, start in starts[1:]] + [len(self._text)]
        return {
            name: (start, end) for (name, start), end in zip(starts, ends, strict=True)
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the entries, in the order of the file."""
        return tuple(self._places)

    def __contains__(self, name: object) -> bool:
        """Whether there is such an entry."""
        return name in self._places

    def __getitem__(self, name: str) -> Document:
        """The file with the one entry, at its place.

        Raises:
            Defect: what stands there is not the entry alone.
        """
        if name not in self._known:
            start, end = self._places[name]
            above = "\n" * self._text.count("\n", 0, start)  # so that marks are right
            found = load_text(above + self._text[start:end], str(self.path))
            if not isinstance(found.value, dict) or list(found.value) != [name]:
                raise Defect(f"{self.path.name}: {name} is no entry of its own")
            self._known[name] = found
        return self._known[name]
