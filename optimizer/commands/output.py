"""Where results go: standard output, or a file written beside and then renamed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from optimizer.commands.progress import talkative
from optimizer.errors import InputError, Mark, Problem


def emit(text: str, output: Path | None) -> None:
    """Prints a text, or writes it to a file.

    A reader that has seen enough, such as `head`, is no error.

    Raises:
        InputError: the file cannot be written.
    """
    if output is not None and str(output) != "-":
        write(output, text)
        return
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        hush()
    except OSError as error:
        hush()
        raise failed(Path("<stdout>"), f"cannot be written: {error.strerror}") from None


def hush() -> None:
    """Points standard output at nothing, so that closing it raises no second error."""
    if sys.stdout is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def piped(most: int) -> bytes:
    """Standard input, whole.

    Args:
        most: the bytes that are read; one more is enough to know that it is too long.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    if sys.stdin is None:
        message = "there is no standard input; name a file"
        raise failed(Path("<stdin>"), message)
    try:
        return sys.stdin.buffer.read(most + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise failed(Path("<stdin>"), message) from None


def colourful(output: Path | None) -> bool:
    """Whether terminal codes are welcome: a terminal, and nobody said no to them.

    *Source*: no-color.org.
    """
    if output is not None or sys.stdout is None or os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


YAML = (".yaml", ".yml")


def refuse_ending(output: Path | None, endings: Sequence[str], told: str) -> None:
    """Tells early that a file would be named after what it is not.

    Args:
        output: where to write; None is the terminal.
        endings: in lower case, of which it must have one.
        told: what the file is, and how it ends.

    Raises:
        InputError: it has none of them.
    """
    if output is not None and output.suffix.lower() not in endings:
        raise failed(output, told)


def refuse_unwritable(output: Path | None) -> None:
    """Tells early, before any work, that a file has no place to go.

    Only plain files are written: whatever else has a name, such as a device or a pipe,
    would be replaced by one, or take what it is given and keep nothing.

    Raises:
        InputError: its directory is missing, it is a directory itself, a device, a link
            to one or to itself, no name of a file, one that may not be written, or a
            file that the command reads.
    """
    if output is None or str(output) == "-":
        return
    try:
        mode = output.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError as error:  # a name too long, a link to itself
        raise failed(output, f"cannot be written: {error.strerror}") from None
    except ValueError:
        raise failed(output, "this is no name of a file") from None
    if stat.S_ISDIR(mode):
        raise failed(output, "this is a directory, not a file")
    if mode and not stat.S_ISREG(mode):
        message = "this is a device or a pipe; give the name of a plain file"
        raise failed(output, message)
    folder = output.resolve().parent  # of what a link leads to
    if not folder.is_dir():
        named = output.parent if not output.is_symlink() else folder
        raise failed(output, f"there is no directory {named}")
    if mode and not os.access(output, os.W_OK):
        raise failed(output, "there is no permission to write this file")
    if not os.access(folder, os.W_OK):
        raise failed(output, f"there is no permission to write in {folder}")
    for path in _named():
        refuse_input(output, path)


def refuse_input(output: Path, path: Path) -> None:
    """Tells that a file which is read would be written over.

    Raises:
        InputError: both are the same file.
    """
    try:
        same = output.exists() and path.is_file() and output.samefile(path)
    except (OSError, ValueError):  # no name of a file at all
        return
    if same:
        raise failed(output, "this is what the command reads; give another name")


def _named() -> Iterator[Path]:
    """What the command line names, but for where results go; files among it."""
    context = click.get_current_context(silent=True)
    for word, value in context.params.items() if context is not None else ():
        if word in ("output", "picture"):
            continue
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, str | Path):
                text = str(part)
                yield from map(Path, {text, *map(str.strip, text.split(","))})


def write(output: Path, content: str | bytes) -> None:
    """Writes a plain file whole or not at all.

    It goes to a new file beside the old one, which then takes its name; links are
    followed and permissions kept.

    Raises:
        InputError: it cannot be written.
    """
    refuse_unwritable(output)
    data = content.encode() if isinstance(content, str) else content
    with beside(output) as path:
        path.write_bytes(data)


@contextmanager
def beside(output: Path) -> Iterator[Path]:
    """A new file beside another, whose name it takes at the end; never after an error.

    Raises:
        InputError: it cannot be written.
    """
    import tempfile  # noqa: PLC0415 - to print needs none

    name = None
    try:
        target = output.resolve()
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(number)
        yield Path(name)
        os.chmod(name, _mode(target))
        os.replace(name, target)
        _told(target)
    except BaseException as error:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)
        if not isinstance(error, OSError):
            raise
        message = f"cannot be written: {error.strerror or error}"
        raise failed(output, message) from None


def _mode(target: Path) -> int:
    """The permissions of a file; of a new one those that are usual."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _told(target: Path) -> None:
    """One line on a terminal: what was written, and how large it is."""
    if click.get_current_context(silent=True) is None or not talkative():
        return
    from optimizer.reading.kinds import BYTES  # noqa: PLC0415 - on a terminal only
    from optimizer.reading.quantity import write as shown  # noqa: PLC0415

    size = shown(float(target.stat().st_size), BYTES)
    click.echo(f"wrote {target.name}, {size}", err=True)


def failed(output: Path, message: str) -> InputError:
    """An error about a file that was to be written."""
    return InputError([Problem(Mark(str(output)), "", message)])
