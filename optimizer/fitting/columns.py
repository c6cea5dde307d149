"""Which column of a table of runs is which: by the names that people give them.

Our own word is taken first; else a usual name, where one column alone has one. What is
taken under another name is told. Where several might be meant, or none is found, the
whole command that names them is offered.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.oddities import Note
from optimizer.reading.document import suggest
from optimizer.records import dataclass

WORDS = ("parameters", "tokens", "loss", "compute", "unique_tokens", "error", "weight")
# Usual names, best first, written in lower case with _ for all that is no letter.
USUAL: Mapping[str, tuple[str, ...]] = {
    "parameters": (
        *("params", "n_params", "num_params", "n_parameters", "num_parameters"),
        *("parameter_count", "param_count", "params_count", "total_params", "nparams"),
        *("total_parameters", "model_size", "model_params", "n", "size", "model_n"),
        *("params_active_precise", "params_precise", "active_params", "params_active"),
        *("non_embedding_params", "params_non_embedding", "n_non_embedding"),
    ),
    "tokens": (
        *("n_tokens", "num_tokens", "token_count", "total_tokens", "tokens_seen"),
        *("train_tokens", "training_tokens", "tokens_total", "consumed_tokens", "d"),
        *("tokens_trained", "seen_tokens", "dataset_tokens", "data_tokens", "ntokens"),
    ),
    "loss": (
        *("val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss"),
        *("final_loss", "loss_val", "loss_final", "smooth_loss", "smoothed_loss"),
        *("final_val_loss", "final_eval_loss", "lm_loss", "ce_loss", "l"),
    ),
    "compute": (
        *("flops", "flop", "total_flops", "train_flops", "training_flops", "c"),
        *("compute_budget", "training_compute", "budget", "flops_total", "total_flop"),
        *("flop_budget", "flops_budget", "compute_flops"),
    ),
    "unique_tokens": ("unique", "n_unique_tokens", "unique_d", "num_unique_tokens"),
    "error": (),
    "weight": ("weights",),
}
# Units that a name ends in, by the word that they are of.
_UNITS = {
    "compute": ("MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP"),
}
SHOWN = 20  # columns that a message lists


@dataclass(frozen=True)
class Columns:
    """The columns of a table by our words.

    Attributes:
        named: our word → the column that has it.
        units: our word → the unit that the column's name states.
        notes: what was taken under another name.
    """

    named: Mapping[str, str]
    units: Mapping[str, str]
    notes: tuple[Note, ...]


def columns(
    file: str, have: Sequence[str], chosen: Mapping[str, str], sized: bool
) -> Columns:
    """Finds the columns of a table.

    Args:
        file: its name.
        have: its columns.
        chosen: our word → a column, as `--column` says.
        sized: whether the parameters are needed.

    Raises:
        InputError: a chosen column is missing, or the numbers of a law are; with the
            command that would name them.
    """
    named = _chosen(file, have, chosen)
    units: dict[str, str] = {}
    found: dict[str, list[tuple[str, str]]] = {}
    for word in WORDS:
        if word in named:
            continue
        free = [column for column in have if column not in named.values()]
        own = [c for c in free if _plain(c) == word]
        if own:
            named[word] = own[0]
            continue
        found[word] = _usual(word, free)
    taken = []
    for word, candidates in found.items():
        needless = word == "compute" and {"parameters", "tokens"} <= set(named)
        if len(candidates) == 1 and candidates[0][0] not in named.values():
            column, unit = candidates[0]
            named[word] = column
            if unit:
                units[word] = unit
            taken.append(f'"{column}" as {word}{f" in {unit}" if unit else ""}')
        elif candidates and needless:
            continue
    _refuse_missing(file, have, named, found, sized)
    notes = [Note(0, f"the file has no column of our names: {_and(taken)}", "taken")]
    notes = notes if taken else []
    return Columns(named, units, (*notes, *_beside(have, named)))


def _chosen(
    file: str, have: Sequence[str], chosen: Mapping[str, str]
) -> dict[str, str]:
    problems = []
    for word, column in chosen.items():
        parts = [part.strip() for part in column.split("+")]
        if column not in have and not (len(parts) > 1 and set(parts) <= set(have)):
            hint = suggest(column, have) or f"; it has {listed(have)}"
            problems.append(f'has no column "{column}" for the {word}{hint}')
    if problems:
        raise InputError(Problem(Mark(file, 1, 1), "", p) for p in problems)
    return dict(chosen)


def _plain(name: str) -> str:
    """A name in lower case, with _ for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _usual(word: str, have: Sequence[str]) -> list[tuple[str, str]]:
    """The columns with a usual name of a word, each with the unit it states.

    Only the best kind of name counts: a whole name before the last part of one, that
    before a loss of any other kind.
    """
    parts = {column: _plain(re.split(r"[/.:]", column)[-1]) for column in have}
    whole = {column: _plain(column) for column in have}
    for names in (whole, parts):
        found = []
        for column, name in names.items():
            bare, unit = _unit(word, name)
            if bare in USUAL[word]:
                found.append((column, unit))
        if found:
            return found
    if word == "loss":
        ends = [c for c, name in parts.items() if name.endswith("loss")]
        return [(c, "") for c in ends if "train" not in _plain(c)]
    return []


def _unit(word: str, name: str) -> tuple[str, str]:
    """A name without the unit in it, and that unit: total_gflops is in GFLOP."""
    for unit in _UNITS.get(word, ()):
        stem = unit.lower()
        for spelling in (f"{stem}s", stem):
            if spelling in name.split("_"):
                return name.replace(spelling, "flops"), unit
    return name, ""


def _refuse_missing(
    file: str,
    have: Sequence[str],
    named: Mapping[str, str],
    found: Mapping[str, Sequence[tuple[str, str]]],
    sized: bool,
) -> None:
    given = {"parameters", "tokens", "compute"} & set(named)
    lacking = [] if "loss" in named else ["loss"]
    if len(given) < 2 and (sized or "tokens" not in given):
        words = ("parameters", "tokens", "compute") if sized else ("tokens",)
        lacking += [word for word in words if word not in named]
    if not lacking:
        return
    wanted = ["loss"] if "loss" in lacking else []
    if len(lacking) > len(wanted):
        wanted.append("two of parameters, tokens and compute" if sized else "tokens")
    told = [f'"{column}" as {word}' for word, column in named.items()]
    message = f"lacks the columns for {_and(wanted)}"
    if told:
        message += f"; found {_and(told)}"
    several = {word: [c for c, _ in found.get(word, ())] for word in lacking}
    looks = [
        f"{word} might be {_or([shlex.quote(c) for c in candidates])}"
        for word, candidates in several.items()
        if candidates
    ]
    if looks:
        message += f"; {'; '.join(looks)}"
    left = [c for c in have if c not in named.values()]
    # A loss first, then the two that are most often given.
    need = len(given)
    asked = [w for w in lacking if w == "loss"]
    asked += [w for w in lacking if w != "loss"][: max(0, 2 - need) if sized else 1]
    command = [f"overtrain fit {shlex.quote(file)}"]
    for word in asked:
        candidates = several.get(word) or []
        name = candidates[0] if candidates else "NAME"
        command.append(f"--column {shlex.quote(f'{word}={name}')}")
    message += f". It has {listed(left)}. Name them: {' '.join(command)}"
    raise InputError([Problem(Mark(file, 1, 1), "", message)])


def _beside(have: Sequence[str], named: Mapping[str, str]) -> list[Note]:
    """Says where another loss stands beside the one that is used."""
    loss = named.get("loss")
    others = [
        column
        for column in have
        if column not in named.values()
        and _plain(re.split(r"[/.:]", column)[-1]).endswith("loss")
    ]
    if loss is None or not others:
        return []
    names = ", ".join(f'"{column}"' for column in others[:SHOWN])
    stand = "stands" if len(others) == 1 else "stand"
    message = f'{names} {stand} beside "{loss}"; another loss: --column loss=NAME'
    return [Note(0, message, f'"{loss}" used')]


def listed(names: Sequence[str]) -> str:
    """Names for a message, cut where there are too many to read."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _and(parts: Sequence[str]) -> str:
    return _joined(parts, "and")


def _or(parts: Sequence[str]) -> str:
    return _joined(parts, "or")


def _joined(parts: Sequence[str], word: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
