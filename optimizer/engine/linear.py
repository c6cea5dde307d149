"""Compiled by numba: dense linear algebra for matrices of a few rows.

They are far below the size where a library is faster than plain loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import numba

from optimizer.algebra.posynomial import Array

F = TypeVar("F", bound=Callable[..., Any])
FILES = ("linear", "point", "interior", "kernel")
SINGULAR = 1e-13  # a pivot below this


def compiled(function: F) -> F:
    """Compiles a function when it is first called."""
    return cast(F, numba.njit(nogil=True, error_model="numpy")(function))


def kept(function: F) -> F:
    """Compiles a function and keeps the result on disk, where a place can be written.

    What is kept notices changes of the function's own file and of its free variables,
    not of what it calls elsewhere; see `digest`. What cannot be read, or is not what
    was written, is made again.
    """
    try:
        fast = _on_disk(function)
    except RuntimeError:
        return compiled(function)
    trusted, turn = False, Lock()

    def first(*arguments: Any) -> Any:
        nonlocal fast, trusted
        for file in _files(function, fast):
            if not _whole(file):
                file.unlink(missing_ok=True)
        try:
            found = fast(*arguments)
        except (
            Exception
        ):  # of many kinds, for the files are pickles; or a fault of ours
            for broken in _files(function, fast):
                broken.unlink(missing_ok=True)
            fast = _on_disk(function)
            found = fast(*arguments)
        if fast.stats.cache_misses:
            for file in _files(function, fast):
                with suppress(OSError):  # then it is made again
                    _sum(file).write_text(_digest(file))
        trusted = True
        return found

    @wraps(function)
    def sound(*arguments: Any) -> Any:
        if not trusted:
            with turn:  # of the threads that share it
                if not trusted:
                    return first(*arguments)
        return fast(*arguments)

    return cast(F, sound)


def _on_disk(function: F) -> Any:
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


def _files(function: Callable[..., Any], fast: Any) -> list[Path]:
    """What is kept of a function: an index, and machine code."""
    code = function.__code__
    names = f"{Path(code.co_filename).stem}.*-{code.co_firstlineno}.*.nb[ic]"
    return list(Path(fast.stats.cache_path).glob(names))


def _whole(file: Path) -> bool:
    """Whether a file is what was written: machine code with a flipped bit runs too."""
    try:
        return _sum(file).read_text() == _digest(file)
    except (OSError, UnicodeDecodeError):
        return False


def _sum(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def digest() -> int:
    """A number of at least 0 that changes with the text of the compiled files."""
    folder = Path(__file__).parent
    text = b"".join((folder / f"{name}.py").read_bytes() for name in FILES)
    return int.from_bytes(sha256(text).digest()[:7])


@compiled
def factor(matrix: Array, n: int) -> None:
    """Cholesky in place, on and below the diagonal; tiny pivots are lifted."""
    largest = 0.0
    for j in range(n):
        largest = max(largest, matrix[j, j])
    least = 1e-15 * largest + 1e-300
    for j in range(n):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= matrix[j, k] * matrix[j, k]
        root = math.sqrt(max(pivot, least))
        matrix[j, j] = root
        for i in range(j + 1, n):
            rest = matrix[i, j]
            for k in range(j):
                rest -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = rest / root


@compiled
def substitute(matrix: Array, right: Array, n: int) -> None:
    """Solves L·Lᵀ·x = right in place."""
    for j in range(n):
        for k in range(j):
            right[j] -= matrix[j, k] * right[k]
        right[j] /= matrix[j, j]
    for j in range(n - 1, -1, -1):
        for k in range(j + 1, n):
            right[j] -= matrix[k, j] * right[k]
        right[j] /= matrix[j, j]


@compiled
def eliminate(matrix: Array, right: Array, size: int) -> bool:
    """Gauss with row exchange, in place; False where the matrix is singular."""
    for j in range(size):
        best = j
        for i in range(j + 1, size):
            if abs(matrix[i, j]) > abs(matrix[best, j]):
                best = i
        if not abs(matrix[best, j]) > SINGULAR:
            return False
        if best != j:
            for k in range(j, size):
                matrix[j, k], matrix[best, k] = matrix[best, k], matrix[j, k]
            right[j], right[best] = right[best], right[j]
        for i in range(j + 1, size):
            ratio = matrix[i, j] / matrix[j, j]
            if ratio != 0.0:
                for k in range(j + 1, size):
                    matrix[i, k] -= ratio * matrix[j, k]
                right[i] -= ratio * right[j]
    for j in range(size - 1, -1, -1):
        for k in range(j + 1, size):
            right[j] -= matrix[j, k] * right[k]
        right[j] /= matrix[j, j]
    return True
