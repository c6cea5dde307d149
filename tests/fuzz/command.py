"""A command line, run in this process, and what its end must be like."""

import contextlib
import io
import os
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest import mock

import cli

CODES = {0, 2, 3, 4}  # as the command line's help names them; 1 is a defect
ENDS = Counter()  # of all commands so far: how many ended with each code


def run(arguments, stdin=b"", files=()):
    """Runs a command in an empty folder; returns its code, output and errors.

    Args:
        arguments: of the command.
        stdin: what it reads from standard input.
        files: name → text of files that it finds in the folder.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    streams = {"stdin": given, "stdout": out, "stderr": err}
    plain = {"OVERTRAIN_TRACEBACK": "", "COLUMNS": "80"}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(mock.patch.dict(os.environ, plain))
        for name, text in dict(files).items():
            Path(name).write_bytes(text)
        for name, stream in streams.items():
            stack.enter_context(mock.patch.object(sys, name, stream))
        code = cli.main([str(one) for one in arguments])
        ENDS[code] += 1
        out.flush()
        err.flush()
    told = [one.buffer.getvalue().decode() for one in (out, err)]
    given = b" ".join([stdin, *dict(files).values()]).decode(errors="replace")
    given = " ".join([given, *map(str, arguments)])
    return SimpleNamespace(
        code=code, out=told[0], err=told[1], arguments=arguments, given=given
    )


def well_ended(done):
    """Whether a command ended as it is documented; a failure says how not.

    Raises:
        AssertionError: a code that no page names, a traceback, or silence.
    """
    told = f"{done.arguments}\ncode {done.code}\n{done.err[-2000:]}"
    assert done.code in CODES, told
    assert "Traceback" not in done.err, told
    assert "Traceback" not in done.out, told
    assert done.err or done.code != 2, told  # bad input is told
    for word in ("nan", "inf"):
        if word not in done.given:  # as a name
            assert f" {word} " not in f"{done.out} ", f"{word} is no number\n{told}"
