"""Constants fitted to measured points, with their errors and what stays unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from optimizer.analysis.serving.beside import (
    Beside,
    Errors,
    beside,
    both,
    contradictions,
)
from optimizer.analysis.serving.replica_choice import ReplicaChoice, replica_choice
from optimizer.fitting.calibrate import WORDS, Fitted, calibrate, chip_label, telling
from optimizer.fitting.oddities import together
from optimizer.fitting.points import Point, Points
from optimizer.records import dataclass, replace
from optimizer.world.serving.constants import Constants, Library, Measured

KINDS = ("dense", "mixture")
LEAST = 5  # points of a kind, below which nothing is fitted
UNKNOWN = 1.0  # of what the points say over what was known before
FOLDS = 5


@dataclass(frozen=True)
class HeldOut:
    """Errors on points that were left out, a group at a time.

    Attributes:
        kind: of the models.
        by: what a group has in common.
        groups: how many there are.
        tpot: of the time per token.
        throughput: of tokens a second.
        replica: whether the size that measured best is named.
    """

    kind: str
    by: str
    groups: int
    tpot: Errors
    throughput: Errors
    replica: ReplicaChoice


@dataclass(frozen=True)
class Calibrated:
    """Constants with their errors.

    Attributes:
        library: the constants.
        ranges: what the points of each entry reach.
        held_out: errors on points that were left out.
        unknown: constants that the points cannot tell, by kind.
        told: what is odd about the points, in sentences.
    """

    library: Library
    ranges: tuple[str, ...]
    held_out: tuple[HeldOut, ...]
    unknown: Mapping[str, tuple[str, ...]]
    told: tuple[str, ...]


def calibrated(
    points: Points, start: Library | None, date: str, source: str
) -> Calibrated:
    """Fits constants to measured points.

    Args:
        points: measured.
        start: constants that are held where the points say nothing; None starts from
            wide guesses.
        date: of the fit.
        source: of the points.

    Raises:
        ValueError: too few points can be used; the message says why.
    """
    usable, left = [], []
    for point in points.rows:
        if because := _useless(point):
            left.append((point.line, because))
        else:
            usable.append(point)
    entries: list[Measured] = []
    ranges: list[str] = []
    held: list[HeldOut] = []
    unknown: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        own = [p for p in usable if p.model is not None and p.model.kind == kind]
        if len(own) < LEAST:
            continue
        first = None if start is None else start.find(kind, "", "").constants
        plain = calibrate(own, kind, False, first)
        named = calibrate(own, kind, True, first)
        made = list(_entries(own, kind, plain, named))
        out = list(_held_out(own, kind, first))
        off = next((x.tpot.median for x in out if x.by == "accelerator"), None)
        made[0] = (replace(made[0][0], held_out=off), made[0][1])
        entries += [entry for entry, _ in made]
        ranges += [_range(members) for _, members in made]
        held += out
        weights = telling(own, plain, kind)
        unknown[kind] = tuple(
            word
            for word, weight in zip(WORDS, weights, strict=True)
            if weight < UNKNOWN and not (word == "routed" and kind == "dense")
        )
    if not entries:
        because = f"; line {left[0][0]}: {left[0][1]}" if left else ""
        raise ValueError(
            f"{len(usable)} of {len(points.rows)} points can be used, and a kind of "
            f"model needs {LEAST}{because}"
        )
    library = Library("", source, date, tuple(entries))
    return Calibrated(
        library, tuple(ranges), tuple(held), unknown, tuple(_odd(left, usable))
    )


def _useless(point: Point) -> str:
    """Why nothing is learnt from a point; empty where something is."""
    place, model = point.place, point.model
    if place is None or model is None:
        return point.refused
    if point.per_token is None and point.rate is None:
        return "it has no measured time per token and no tokens a second"
    try:
        place.check(model)
    except ValueError as error:
        return str(error)
    return ""


def _odd(left: Sequence[tuple[int, str]], usable: Sequence[Point]) -> Iterator[str]:
    for because, lines in together(left):
        yield f"left out, {lines}: {because}"
    for one, two, factor in contradictions(usable):
        yield (
            f"lines {one.line} and {two.line} measured the same and differ "
            f"{factor:.2f} times; both are kept: leave out the one you trust less"
        )


def _entries(
    own: Sequence[Point], kind: str, plain: Fitted, named: Fitted
) -> Iterator[tuple[Measured, Sequence[Point]]]:
    """Of all, of each chip and format, of each engine, of all three."""
    yield _entry(plain.constants(), kind, ("", "", ""), own), own
    for label in sorted({chip_label(p) for p in own}):
        members = [p for p in own if chip_label(p) == label]
        chip, precision = label.split()
        made = plain.constants(label)
        yield _entry(made, kind, (chip, precision, ""), members), members
        for engine in sorted({p.engine for p in members} - {""}):
            some = [p for p in members if p.engine == engine]
            made = named.constants(label, engine)
            yield _entry(made, kind, (chip, precision, engine), some), some
    for engine in sorted({p.engine for p in own} - {""}):
        some = [p for p in own if p.engine == engine]
        made = named.constants("", engine)
        yield _entry(made, kind, ("", "", engine), some), some


def _entry(
    constants: Constants, kind: str, of: tuple[str, str, str], members: Sequence[Point]
) -> Measured:
    made = Measured(constants, kind, *of, len(members), 0.0, 0.0, 0.0)
    alone = replace(made, accelerator="", precision="", engine="")
    library = Library("", "", "", (alone,))
    tpot, rate = both(beside(Points("", "", tuple(members)), library))
    told = tpot if tpot.points else rate
    return replace(
        made,
        error=told.median or 0.0,
        error_90=told.p90 or 0.0,
        throughput_error=rate.median or 0.0,
    )


def _bare(
    constants: Constants, kind: str, chip: str = "", precision: str = ""
) -> Measured:
    """Constants without errors."""
    return Measured(constants, kind, chip, precision, "", 0, 0.0, 0.0, 0.0)


def _held_out(
    own: Sequence[Point], kind: str, first: Constants | None
) -> Iterator[HeldOut]:
    """Points predicted from the others: a chip, a model, or every fifth left out."""
    ways: dict[str, Callable[[int, Point], str]] = {
        "accelerator": lambda _, p: p.place.chip.key if p.place else "",
        "model": lambda _, p: p.model.name if p.model else "",
        "fifth": lambda i, _: str(i % FOLDS),
    }
    for by, key in ways.items():
        names = [key(i, p) for i, p in enumerate(own)]
        groups = sorted(set(names))
        if len(groups) < 2:
            continue
        found: list[Beside] = []
        for group in groups:
            rest = [p for p, name in zip(own, names, strict=True) if name != group]
            left = [p for p, name in zip(own, names, strict=True) if name == group]
            fitted = calibrate(rest, kind, False, first)
            made = []
            for label in sorted({chip_label(p) for p in left}):
                chip, precision = label.split()
                made.append(_bare(fitted.constants(label), kind, chip, precision))
            common = _bare(fitted.constants(), kind)
            library = Library("", "", "", (*made, common))
            found += beside(Points("", "", tuple(left)), library)
        yield HeldOut(kind, by, len(groups), *both(found), replica_choice(found))


def _range(members: Sequence[Point]) -> str:
    """What some points reach, in words."""
    models = sorted({p.model.name for p in members if p.model})
    sizes = sorted({int(p.place.accelerators) for p in members if p.place})
    batches = [p.batch for p in members if p.batch is not None]
    loads = f"{min(batches):.0f} to {max(batches):.0f} at once" if batches else "full"
    prompts = [p.prompt for p in members]
    outputs = [p.output for p in members]
    return (
        f"{', '.join(models)}; {', '.join(map(str, sizes))} accelerators; {loads}; "
        f"prompts {min(prompts):.0f} to {max(prompts):.0f}, "
        f"answers {min(outputs):.0f} to {max(outputs):.0f} tokens"
    )
