"""The command line: `overtrain`, or `python cli.py`.

Exit codes: 0 answered, 1 the tool failed, 2 bad input, 3 a plan is infeasible, 4 a
`--fail-on` condition held, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress

TYPE_CHECKING = False  # what it is for takes as long to import as all else here
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
# Ctrl-C, how a system asks, and a terminal that has gone, where there is that signal.
STOPS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        arguments: of the command; those of the process unless given.
    """
    alone = arguments is None  # the process is ours, and ends after this
    if alone:
        _unheard()
        # Imports make a hundred thousand objects, none of which is garbage:
        # looking for it takes a tenth of the time of `solve`.
        gc.set_threshold(100_000, 50, 50)
        # Our matrices are small, and the threads that OpenBLAS starts for large ones
        # wait in a loop, which takes another tenth. Whoever sets it has it so.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pressed = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    heard = [number for number in STOPS if not _left_to_run(number)]
    before = {number: signal.signal(number, interrupt) for number in heard}
    drawer: Any = None
    try:
        # Inside, so that Ctrl-C during the second of imports ends well too.
        if alone and sys.argv[1:2] == ["report"]:
            from optimizer.commands import drawer  # noqa: PLC0415 - as all here, late

            drawer.begin(sys.argv[2:])
        from optimizer.commands.group import run  # noqa: PLC0415

        code = run(sys.argv[1:] if arguments is None else arguments)
        if alone and sys.stdout is not None:
            sys.stdout.flush()  # here, where a full disk can still be told
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # the reader has seen enough, as `head` does
        _hush()
    except OSError as error:
        # Files that cannot be read or written have been told with their names.
        print(f"<stdout>: cannot be written: {error.strerror}", file=sys.stderr)
        code = BAD_INPUT
        _hush()
    except Exception as error:
        # An import that is interrupted may wrap the interrupt in its own error.
        code = INTERRUPTED if pressed else _explained(error)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if drawer is not None:
            drawer.end()
        if alone:
            gc.freeze()  # nor is there any to look for at the end
    if code == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return code


def _left_to_run(number: signal.Signals) -> bool:
    """Whether a command is to outlive its terminal, as `nohup` asks."""
    return number.name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN


class _Forgiving:
    """Standard error: what it cannot take is lost, and work goes on without it."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """As of a stream; a full device or a reader that has gone is no error."""
        with suppress(OSError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        with suppress(OSError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _unheard() -> None:
    """Lets no command fail for want of somebody who reads its messages."""
    stream: Any = sys.stderr
    if stream is None:  # closed; its number would be taken by the next file
        stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    forgiving: Any = _Forgiving(stream)
    sys.stderr = forgiving


def _hush() -> None:
    """Points standard output at nothing, so that closing it raises no second error."""
    from optimizer.commands.output import hush  # noqa: PLC0415

    hush()


def _explained(error: Exception) -> int:
    """Says on standard error what went wrong, and whose part it is to mend."""
    from optimizer.errors import Defect, InputError  # noqa: PLC0415

    if isinstance(error, InputError):
        print(error, file=sys.stderr)
        return BAD_INPUT
    if os.environ.get("OVERTRAIN_TRACEBACK"):
        raise error
    told = str(error) if isinstance(error, Defect) else f"{error!r}"
    print(
        f"overtrain failed: {told}. No answer is given; this is a defect of the tool. "
        "OVERTRAIN_TRACEBACK=1 shows where",
        file=sys.stderr,
    )
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
