"""The process that draws, begun before all else: its start is what a page waits for.

This imports nothing that takes time, and reads no more of a command than whether it
makes a page and which letters that page may have.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable

REPORT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "report")
DRAWS = os.path.join(REPORT, "formats", "render.py")
FONTS = os.path.join(REPORT, "templates", "fonts.conf")
PAGES = ("html", "pdf")  # how the names of such files end, and of such formats
OWN = "\u052f"  # the last letter, of Latin, Greek and Cyrillic, that the engine draws

LONGEST = 1_000_000  # no file of a scenario has more letters, whatever is named

_begun: list[subprocess.Popen[bytes]] = []


def begin(words: Iterable[str]) -> None:
    """Starts it, if the words after `report` ask for a page.

    It has done half of its work by the time that they are understood.
    """
    words = list(words)
    others = [word for word in words if not word.lower().endswith(PAGES)]
    if len(others) < len(words) and not {"-h", "--help"} & {*words}:
        _begun.append(_started(any(map(foreign, others))))


def taken(words: Iterable[str]) -> subprocess.Popen[bytes]:
    """The one that has begun, or a new one for files and other words."""
    return _begun.pop() if _begun else _started(any(map(foreign, words)))


def end() -> None:
    """Ends the one that has begun and that nobody took."""
    while _begun:
        stop(_begun.pop())


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends one, whatever it does."""
    process.kill()
    process.communicate()


def foreign(word: str) -> bool:
    """Whether a word, or what stands in the file of that name, has other letters.

    A pipe may have any, and cannot be read twice.
    """
    if word == "-" or (os.path.exists(word) and not os.path.isfile(word)):
        return True
    try:
        with open(word, encoding="utf-8", errors="ignore") as file:
            text = file.read(LONGEST)
    except (OSError, ValueError):  # no file, or no name of one
        text = word
    return not text.isascii() and any(c > OWN and c.isalpha() for c in text)


def _started(fonts: bool) -> subprocess.Popen[bytes]:
    """Starts one, with all fonts of the system or those of the engine alone."""
    own = {} if fonts else {"FONTCONFIG_FILE": FONTS}
    # -P keeps files of the current folder out of its imports.
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-P", DRAWS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **own},
    )
