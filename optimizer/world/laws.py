"""The library of scaling laws: built-in ones by name, the user's from a file or inline.

A built-in law is a file of the form that users write themselves, one file a law, read
only when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import Document, dotted, load_file, suggest
from optimizer.reading.fields import read_model
from optimizer.reading.loss_words import of_samples
from optimizer.reading.quantity import PARAMETERS, TOKENS, shown, write
from optimizer.reading.yamltext import Steps
from optimizer.records import replace
from optimizer.world.extrapolation import Extrapolation, Miss
from optimizer.world.law import (
    SYMBOLS,
    Check,
    Covariance,
    ErrorLaw,
    Law,
)
from optimizer.world.lawfile import (
    ExtrapolationFile,
    Fitted,
    InlineLaw,
    LawFile,
    Mistakes,
    mistakes,
    row_pair,
)
from optimizer.world.passing import PassRate
from optimizer.world.ranges import Interval, Range
from optimizer.world.surface import Frontier, Surface

__all__ = [
    "Check",
    "Covariance",
    "ErrorLaw",
    "Frontier",
    "InlineLaw",
    "Law",
    "LawFile",
    "Range",
    "Surface",
    "builtin_names",
    "law_from_mapping",
    "load_law",
]

SHORT = dict.fromkeys((*SYMBOLS["coupled"], *SYMBOLS["samples"]))
_FOLDER = Path(__file__).resolve().parent.parent / "data" / "laws"


@cache
def builtin_names() -> tuple[str, ...]:
    """The names of the built-in laws, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_law(
    name_or_path: str | Path, base: Path | None = None, mark: Mark | None = None
) -> Law:
    """A built-in law by name, or a law file by path.

    Args:
        name_or_path: a path where it ends in .yaml or .yml or has a slash in it.
        base: the folder that a relative path starts from: the scenario's.
        mark: where the name was written, for messages.

    Raises:
        InputError: no such law, or every mistake of its file.
    """
    name_or_path = str(name_or_path)
    if _is_path(name_or_path):
        document = load_file((base or Path()) / name_or_path)
        law = law_from_mapping(document)
        if law.name in builtin_names():
            message = f'"{law.name}" is the name of a built-in law; choose another'
            raise InputError([_problem(document, ("name",), message)])
        return law
    if name_or_path in builtin_names():
        return _builtin(name_or_path)
    place = (mark, "law") if mark else (Mark("law"), "")
    raise InputError([Problem(*place, _unknown(name_or_path))])


def _is_path(name_or_path: str) -> bool:
    return name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path


@cache
def _builtin(name: str) -> Law:
    return law_from_mapping(load_file(_FOLDER / f"{name}.yaml"))


def _unknown(name: str) -> str:
    names = builtin_names()
    variants = ", ".join(n for n in names if name and n.startswith(f"{name}-"))
    if name == "hoffmann-2022":
        return (
            "there is no plain hoffmann-2022, because its published variants differ "
            f"by a third in parameters; choose one of {variants}"
        )
    if name.lower() == "chinchilla":
        return (
            "Chinchilla's law has several published fits, none of that name; choose "
            "besiroglu-2024-refit, the refit of its runs with an error, or one of the "
            "paper's own, such as hoffmann-2022-tex"
        )
    if variants:
        return f"there is no plain {name}; choose one of {variants}"
    return (
        f"there is no law {shown(name)}"
        + suggest(name, names, f"built-in laws: {', '.join(names)}")
        + "; the path of a law file ends in .yaml"
    )


def law_from_mapping(document: Document, at: Steps = ()) -> Law:
    """The law that a document, or the mapping at a path inside it, spells out.

    The short form is the bare five coefficients of the Chinchilla formula.

    Raises:
        InputError: every mistake, each at its place.
    """
    value = document.value
    for step in at:
        value = value[step]  # type: ignore[index]
    full = isinstance(value, dict) and not _short(value)
    if full:
        file = read_model(document, LawFile, at=at)
    else:
        file = _spelled_out(read_model(document, InlineLaw, at=at))
    found = list(mistakes(file))
    if not found:
        law = _law(file, "inline" if at else Path(document.file).stem)
        if law.pair and _is_path(law.pair):
            law = replace(law, pair=str(Path(document.file).parent / law.pair))
        found = list(_failed(law))
    if found:
        raise InputError(
            _problem(document, at + _where(path, bool(full)), message)
            for path, message in found
        )
    return law


def _short(value: Mapping[str, object]) -> bool:
    """Whether the coefficients stand bare, without a word above them."""
    if {"coefficients", "table"} & set(value):
        return False
    return "form" not in value or bool({*SHORT} & set(value))


def _where(path: Steps, full: bool) -> Steps:
    """The short form has its coefficients one step up."""
    return path[1:] if path[:1] == ("coefficients",) and not full else path


def _spelled_out(short: InlineLaw) -> LawFile:
    form = short.form or ("chinchilla" if short.k is None else "coupled")
    if short.form is None and not (short.G is None and short.gamma is None):
        form = "samples"
    given = {s: getattr(short, s) for s in SHORT}
    about = {word: getattr(short, word) for word in Fitted.model_fields}
    found = {s: value for s, value in given.items() if value is not None}
    return LawFile(form=form, coefficients=found, **about)


def _problem(document: Document, path: Steps, message: str) -> Problem:
    return Problem(document.mark(path), dotted(path), message)


def _law(file: LawFile, name: str) -> Law:
    span = file.range
    about = file.covariance
    rows = [row_pair(row) for row in file.table]
    return Law(
        name=file.name or name,
        form=file.form,
        coefficients=file.coefficients,
        counts=file.counts,
        source=file.source,
        loss_unit=of_samples(file.loss_unit)
        if file.form == "samples"
        else file.loss_unit,
        data=file.data,
        tokenizer=file.tokenizer,
        range=Range(**{word: _interval(pair) for word, pair in span}),
        covariance=Covariance(about.order, about.matrix) if about else None,
        draws=file.draws,
        extra_draws=file.extra_draws,
        check=tuple(Check(**dict(check)) for check in file.check),
        caveats=file.caveats,
        experts=tuple(sorted(file.experts)) if file.experts else None,
        extras=file.extras,
        line=Frontier(*map(tuple, zip(*rows, strict=True))) if rows else None,
        error=ErrorLaw(**dict(file.error)) if file.error else None,
        passing=PassRate(**dict(file.pass_at_k)) if file.pass_at_k else None,
        fit=file.fit.model_dump(exclude_defaults=True) if file.fit else {},
        pair=file.pair,
        not_for_planning=file.not_for_planning,
        checked=file.checked,
        extrapolation=tuple(map(_extrapolation, file.extrapolation)),
    )


def _extrapolation(told: ExtrapolationFile) -> Extrapolation:
    forms: dict[str, Miss] = {
        form: Miss(miss.mean, miss.largest) for form, miss in told.forms.items()
    }
    return Extrapolation(told.by, told.fitted_to, told.up_to, told.runs, forms)


def _interval(pair: Sequence[float | None] | None) -> Interval | None:
    if pair is None:
        return None
    low, high = pair
    return (0.0 if low is None else low, float("inf") if high is None else high)


def _failed(law: Law) -> Mistakes:
    """What keeps a law from giving a surface, and the checks it does not reproduce."""
    if law.pair and _is_path(law.pair):
        if not os.path.isfile(law.pair):
            yield ("pair",), f"there is no file {law.pair}"
    elif law.pair and law.pair not in builtin_names():
        yield ("pair",), _unknown(law.pair)
    try:
        if law.line is None and law.form != "hestness":
            law.surface(law.experts[0] if law.experts else None)
    except ValueError as error:
        yield (), str(error)
        return
    for i, check in enumerate(law.check):
        try:
            line = law.line or law.surface(check.mixture)
        except ValueError as error:
            yield ("check", i), str(error)
            continue
        size, data = write(check.parameters, PARAMETERS), write(check.tokens, TOKENS)
        if check.loss is None:
            found, wanted = line.optimal_tokens(check.parameters), check.tokens
            says = f"gives {write(found, TOKENS)} tokens for {size}, not {data}"
        elif isinstance(line, Frontier):
            yield ("check", i, "loss"), "a frontier gives no loss; remove it"
            continue
        else:
            found, wanted = line.loss(check.parameters, check.tokens), check.loss
            says = f"gives a loss of {found:.6g} for {size} on {data} tokens"
            says += f", not {wanted:.6g}"
        if not abs(found / wanted - 1) <= check.within:
            yield ("check", i), f"the law {says}: a coefficient or the check is wrong"
