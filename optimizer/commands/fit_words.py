"""The options of `fit` that are more than a word: pairs, coefficients, sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimizer.errors import InputError, Mark, Problem

ENVELOPE = "envelope"
MOST_SIDED = 1000.0


def read_pairs(
    flag: str, texts: Sequence[str], allowed: Sequence[str]
) -> Mapping[str, str]:
    """Words and what they are given, such as loss=NAME."""
    from optimizer.reading.document import suggest  # noqa: PLC0415

    found = {}
    for text in texts:
        word, equals, name = text.partition("=")
        if not equals or not name:
            raise failed(f"{flag} {text}", 'needs a "=", as in loss=NAME')
        if word not in allowed:
            known = suggest(word, allowed) or f"; choose of {', '.join(allowed)}"
            raise failed(f"{flag} {text}", f'there is no word "{word}"{known}')
        found[word] = name
    return found


def read_side(text: str | None) -> float:
    """How much more a prediction above the measured loss counts."""
    if text is None or text == ENVELOPE:
        return 1.0
    word, _, value = text.partition("=")
    try:
        factor = float(value) if word == "overestimate" else 0.0
    except ValueError:
        factor = 0.0
    if not 1 <= factor <= MOST_SIDED:
        message = (
            f"must be {ENVELOPE}, or such as overestimate=10 (1 to {MOST_SIDED:g})"
        )
        raise failed(f"--loss {text}", message)
    return factor


def read_fixed(texts: Sequence[str]) -> Mapping[str, float]:
    """Coefficients that are given, such as E=1.7."""
    found = {}
    for text in texts:
        symbol, _, value = text.partition("=")
        try:
            found[symbol.strip()] = float(value)
        except ValueError:
            raise failed(f"--fix {text}", "must be such as E=1.7") from None
    return found


def read_compute(text: str) -> float:
    """The compute of one more run [FLOP]."""
    from optimizer.reading.quantity import COMPUTE, read  # noqa: PLC0415

    try:
        return read(text, COMPUTE)
    except ValueError as error:
        raise failed(f"--next {text}", str(error)) from None


def failed(place: str, message: str) -> InputError:
    """The error of an option."""
    return InputError([Problem(Mark(place), "", message)])
