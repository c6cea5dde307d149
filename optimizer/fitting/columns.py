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
from optimizer.fitting.tables.cells import names_in, sized
from optimizer.fitting.tables.names import (
    OTHER,
    OWN,
    TRAINING,
    WORDS,
    Guess,
    guesses,
    plain,
)
from optimizer.fitting.tables.pivot import could_be_loss
from optimizer.fitting.tables.read import FILE, STEPS
from optimizer.fitting.tables.table import Note, Table
from optimizer.reading.document import suggest
from optimizer.records import dataclass

__all__ = ["WORDS", "Columns", "columns", "listed"]

SHOWN = 20  # columns that a message lists
MOST = 0.8  # of the rows, whose names must have a size in them
TEXTS = (
    FILE,
    "run",
    "run_name",
    "name",
    "model",
    "model_name",
    "scale",
    "experiment",
    "id",
)
UNNAMED = "TOKENS_A_STEP"  # what only the user can know


@dataclass(frozen=True)
class Columns:
    """The columns of a table by our words.

    Attributes:
        named: our word → the column that has it, or a sum of products of columns.
        units: our word → the unit that the column's name states.
        notes: what was taken under another name.
        counts: what the parameters count, where their name says it.
    """

    named: Mapping[str, str]
    units: Mapping[str, str]
    notes: tuple[Note, ...]
    counts: str = ""


def columns(
    table: Table, chosen: Mapping[str, str], sized_: bool, command: str
) -> Columns:
    """Finds the columns of a table.

    Args:
        table: with its rows.
        chosen: our word → a column, as `--column` says.
        sized_: whether the parameters are needed.
        command: what was typed, to which an offer is added.

    Raises:
        InputError: a chosen column is missing, or the numbers of a law are; with the
            command that would name them.
    """
    have = table.columns
    named = _chosen(table, chosen)
    units: dict[str, str] = {}
    counts, taken = "", []
    for word, column in chosen.items():
        stated = [g.unit for g in guesses(column) if g.word == word and g.unit]
        if stated:
            units[word] = stated[0]
            taken.append(f'"{column}" as {word} in {stated[0]}')
    found = _found(have, set(named.values()))
    for word in ("loss", *(w for w in WORDS if w != "loss")):
        if word in named:
            continue
        best = _best(found.get(word, []))
        if best is None:
            continue
        column, guess = best
        named[word] = column
        unit = guess.unit or _stated(word, table.units.get(column, ""))
        if unit:
            units[word] = unit
        if guess.rank != OWN:
            taken.append(f'"{column}" as {word}{f" in {unit}" if unit else ""}')
    if "parameters" in named:
        told = guesses(named["parameters"])
        counts = next((g.counts for g in told if g.word == "parameters"), "")
        # Alone, active parameters are all of a dense model.
        if counts == "active" and len(found.get("parameters", ())) < 2:
            counts = ""
    taken += _from_names(table, named, sized_)
    _refuse_missing(table, named, found, sized_, command)
    named = {word: named[word] for word in WORDS if word in named}
    notes = [Note(0, f"columns under other names: {_and(taken)}", "taken")]
    notes = notes if taken else []
    return Columns(named, units, (*notes, *_beside(found, named)), counts)


Found = Mapping[str, Sequence[tuple[str, Guess]]]


def _found(have: Sequence[str], taken: set[str]) -> Found:
    """For each word the columns that it may be."""
    found: dict[str, list[tuple[str, Guess]]] = {}
    for column in have:
        for guess in guesses(column) if column not in taken else ():
            found.setdefault(guess.word, []).append((column, guess))
    return found


def _best(several: Sequence[tuple[str, Guess]]) -> tuple[str, Guess] | None:
    """The one column whose name is nearest, or None where two are as near."""
    likely = [(c, g) for c, g in several if g.rank < TRAINING]
    if not likely:
        return None
    least = min(g.rank for _, g in likely)
    near = [(c, g) for c, g in likely if g.rank == least]
    # Nats before bits of the same text, and these before perplexity.
    order = ("", "nats", "bits", "nats/byte", "bpb", "bpc", "ppl")
    if near[0][1].word == "loss" and len({g.unit for _, g in near}) > 1:
        first = min(order.index(g.unit) for _, g in near)
        near = [(c, g) for c, g in near if order.index(g.unit) == first]
    return near[0] if len(near) == 1 else None


def _stated(word: str, unit: str) -> str:
    """A unit as `--unit` takes it, from what a line of units has for a column."""
    told = [g for g in guesses(f"{word} ({unit})") if g.word == word] if unit else []
    if told and told[0].unit:
        return told[0].unit
    return unit if re.fullmatch(r"[KMBT]|1e[0-9]+", unit) else ""


def _chosen(table: Table, chosen: Mapping[str, str]) -> dict[str, str]:
    have, problems = table.columns, []
    for word, column in chosen.items():
        wrong = [name for name in names_in(column) if name not in have]
        if column in have or not wrong:
            continue
        if UNNAMED in wrong:
            said = f"write the tokens of a step in place of {UNNAMED}, such as 524288"
            problems.append(said)
            continue
        hint = suggest(column, have) or f"; it has {listed(have)}"
        problems.append(f'has no column "{column}" for the {word}{hint}')
    if problems:
        raise InputError(Problem(Mark(table.file, 1, 1), "", p) for p in problems)
    return dict(chosen)


def _from_names(table: Table, named: dict[str, str], sized_: bool) -> list[str]:
    """Takes sizes from the names of runs, where no column has them."""
    lower = {column.lower(): column for column in table.columns}
    texts = [lower[name] for name in TEXTS if name in lower]
    taken = []
    for word in ("parameters", "tokens") if sized_ else ("tokens",):
        if word in named or (len({*named} & {"parameters", "tokens", "compute"}) > 1):
            continue
        if word == "tokens" and "tokens_per_parameter" in named:
            continue
        for column in texts:
            told = [
                sized(word, str(cells.get(column) or "")) for _, cells in table.rows
            ]
            known = [size for size in told if size is not None]
            if len(known) >= MOST * len(told):
                named[word] = column
                example = next(str(c.get(column)) for _, c in table.rows)
                taken.append(f'{word} from the names in "{column}", such as {example}')
                break
    return taken


def _refuse_missing(
    table: Table,
    named: Mapping[str, str],
    found: Found,
    sized_: bool,
    command: str,
) -> None:
    have = table.columns
    given = {"parameters", "tokens", "compute"} & set(named)
    known = len(given) + ("tokens_per_parameter" in named)
    lacking = [] if "loss" in named else ["loss"]
    if known < 2 and (sized_ or "tokens" not in given):
        words = ("parameters", "tokens", "compute") if sized_ else ("tokens",)
        lacking += [word for word in words if word not in named]
    if not lacking:
        return
    wanted = ["loss"] if "loss" in lacking else []
    if len(lacking) > len(wanted):
        wanted.append(_wanted(given, sized_))
    message = f"lacks the columns for {_and(wanted)}"
    if table.about:
        message = f"{table.about}, and {message}"
    if named:
        told = [f'"{column}" as {word}' for word, column in named.items()]
        message += f"; found {_and(told)}"
    left = [c for c in have if c not in named.values()]
    several = {word: _likely(found, word, named) for word in lacking}
    if lacking == ["loss"]:
        several["loss"] = several["loss"] or _only(table, left)
    looks = [
        f"{word} might be {_or([shlex.quote(c) for c in candidates])}"
        for word, candidates in several.items()
        if candidates
    ]
    if looks:
        message += f"; {'; '.join(looks)}"
    # A loss first, then the two that are most often given.
    asked = [w for w in lacking if w == "loss"]
    others = sorted(
        (w for w in lacking if w != "loss"),
        key=lambda w: (not several[w], WORDS.index(w)),
    )
    asked += others[: max(0, 2 - known) if sized_ else 1]
    offer, hints = [command], []
    for word in asked:
        name, hint = _name(table, word, several[word], named.get("parameters", ""))
        offer.append(f"--column {shlex.quote(f'{word}={name}')}")
        hints += [hint] if hint else []
    message += f". It has {listed(left)}. Name them: {' '.join(offer)}"
    if hints:
        message += f"\n{'; '.join(hints)}. A table with them: --table FILE"
    raise InputError([Problem(Mark(table.file, 1, 1), "", message)])


def _wanted(given: set[str], sized_: bool) -> str:
    if not sized_:
        return "tokens"
    if not given:
        return "two of parameters, tokens and compute"
    words = [w for w in ("parameters", "tokens", "compute") if w not in given]
    return f"one of {_and(words)}"


def _likely(found: Found, word: str, named: Mapping[str, str]) -> list[str]:
    """Candidates, the nearest first; of losses an average before its parts."""
    several = [(c, g) for c, g in found.get(word, ()) if c not in named.values()]

    def order(pair: tuple[str, Guess]) -> tuple[object, ...]:
        column, guess = pair
        average = bool(re.search(r"macro|avg|average|mean|overall", column.lower()))
        return guess.rank, bool(guess.unit) and word == "loss", not average

    return [column for column, _ in sorted(several, key=order)]


def _only(table: Table, left: Sequence[str]) -> list[str]:
    """The one column of those left that may be a loss, whatever its language."""
    could = []
    for column in left:
        cells = [cells.get(column) for _, cells in table.rows]
        if len(set(cells)) > 1 and all(map(could_be_loss, cells)):
            could.append(column)
    return could if len(could) == 1 else []


def _name(
    table: Table, word: str, candidates: Sequence[str], size: str
) -> tuple[str, str]:
    """What to write for a word, and where to have it from."""
    if candidates:
        return candidates[0], ""
    if word == "tokens" and (told := _tokens(table, size)) is not None:
        return told
    lower = {plain(column): column for column in table.columns}
    names = next((lower[n] for n in map(plain, TEXTS) if n in lower), None)
    if word == "parameters" and table.about and not table.run and not names:
        return "124M", "the parameters of this run, such as 124M"
    return "NAME", ""


def _tokens(table: Table, size: str) -> tuple[str, str] | None:
    """Tokens from steps, or from a multiple of what is optimal for the size."""
    lower = {plain(column): column for column in table.columns}
    names = (plain(name) for name in (*STEPS, *_STEPS_IN_ALL))
    step = next((lower[name] for name in names if name in lower), None)
    times = (c for c in table.columns if re.search(r"chinchilla|\bxc\b", c.lower()))
    if size and (multiple := next(times, None)) is not None:
        return f"{size}*{multiple}*20", "20: tokens per parameter at a multiple of 1"
    if step is None:
        return None
    for each in ("tokens_per_step", "tokens_per_batch", "batch_size_tokens"):
        if each in lower:
            return f"{step}*{lower[each]}", ""
    batch = next((lower[b] for b in _BATCHES if b in lower), None)
    length = next((lower[s] for s in _LENGTHS if s in lower), None)
    if batch and length:
        return f"{step}*{batch}*{length}", ""
    hint = f"{UNNAMED}: sequences × their length, such as 524288"
    return f"{step}*{UNNAMED}", hint


_STEPS_IN_ALL = (
    *("steps", "total_steps", "training_steps", "train_steps", "num_steps", "n_steps"),
    *("max_steps", "iterations", "num_iterations", "train_iters", "iters", "updates"),
)
_BATCHES = (
    *("batch_size", "global_batch_size", "bs", "batch", "train_batch_size"),
    *("global_train_batch_size", "total_batch_size", "n_seqs"),
)
_LENGTHS = (
    *("seq_len", "seq_length", "sequence_length", "context_length", "max_seq_len"),
    *("block_size", "ctx_len", "context", "max_seq_length", "seqlen", "n_ctx"),
)


def _beside(found: Found, named: Mapping[str, str]) -> list[Note]:
    """Says where another loss, or another count of parameters, stands beside."""
    notes = []
    for word in ("loss", "parameters"):
        used = named.get(word)
        others = [c for c, _ in found.get(word, ()) if c != used]
        if used is None or not others:
            continue
        if word == "parameters" and not any(
            g.rank == OTHER for _, g in found.get(word, ())
        ):
            continue
        names = ", ".join(f'"{column}"' for column in others[:SHOWN])
        names += f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        stand = "stands" if len(others) == 1 else "stand"
        another = "loss" if word == "loss" else "count"
        message = f'{names} {stand} beside "{used}"; another {another}: '
        notes.append(Note(0, f"{message}--column {word}=NAME", f'"{used}" used'))
    return notes


def listed(names: Sequence[str]) -> str:
    """Names for a message, cut where there are too many to read."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(name or '""' for name in names[:SHOWN]) + more


def _and(parts: Sequence[str]) -> str:
    return _joined(parts, "and")


def _or(parts: Sequence[str]) -> str:
    return _joined(parts, "or")


def _joined(parts: Sequence[str], word: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
