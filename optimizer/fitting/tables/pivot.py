"""Tables of losses with sizes or budgets across: each cell is a run.

So isoFLOP tables are often kept: a line a budget, a column a size. What the numbers
across mean is told by their names, else by what the lines are and how large they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from optimizer.fitting.tables.cells import sized
from optimizer.fitting.tables.names import guesses
from optimizer.fitting.tables.table import Note, Read, Row

WORDS = ("parameters", "tokens", "compute")
FULL = 0.8  # of the cells that are there, which must be losses
BUDGET = 3e14  # [FLOP] no model has so many parameters, and no run sees so many tokens
MOST = 50.0  # nats, or a perplexity that somebody would write down
_SIZE = re.compile(
    r"(?P<before>[A-Za-z_][A-Za-z_ ]*?)?[\s_=:@(\[]*"
    r"(?P<number>[0-9]+(?:[.][0-9]+)?(?:e\+?[0-9]+)?)\s*(?P<size>[KMBT])?"
    r"[\s_]*(?P<after>[A-Za-z_ ]*)[\s)\]]*",
    re.IGNORECASE,
)
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_OTHERS = {"parameters": "tokens", "tokens": "parameters", "compute": "parameters"}


def melted(read: Read) -> Read:
    """A table as it is, or a row for each loss of one that has sizes across.

    Args:
        read: the table.
    """
    if len(read.columns) < 3:
        return read
    corner, *names = read.columns
    across = [_across(name) for name in names]
    found = [size for size in across if size is not None]
    if len(found) < len(names) or len({size for _, size in found}) < len(found):
        return read
    cells = [row.get(name) for _, row in read.rows for name in names]
    there = [cell for cell in cells if cell not in (None, "")]
    if sum(map(could_be_loss, there)) < FULL * max(len(there), 1) or not there:
        return read
    said = next((word for word, _ in found if word), "")
    down = _down(corner, [row.get(corner) for _, row in read.rows])
    if down is None or down == said:
        return read
    if not said:
        large = min(size for _, size in found) >= BUDGET
        said = "compute" if large else _OTHERS[down or "compute"]
    down = down or ("parameters" if said == "compute" else "compute")
    if said == down:
        return read
    # A corner that does not say it stands for what its numbers are.
    told = any(guess.word == down for guess in guesses(corner))
    lead = corner if told or corner == "model" else down
    rows: list[Row] = []
    for line, row in read.rows:
        for name, (_, size) in zip(names, found, strict=True):
            if row.get(name) not in (None, ""):
                cells_ = {lead: row.get(corner), said: size, "loss": row[name]}
                rows.append((line, cells_))
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    message = f"losses stand under {shown}, taken as {said}, one run a cell"
    return Read([lead, said, "loss"], rows, read.units, (Note(0, message, "read"),))


def _across(name: str) -> tuple[str, float] | None:
    """What a number across means, where its name says it, and how much it is."""
    match = _SIZE.fullmatch(name.strip())
    if match is None:
        return None
    size = float(match["number"]) * _FACTORS[(match["size"] or "").lower()]
    words = f"{match['before'] or ''} {match['after'] or ''}".strip()
    if size < 1e4:
        return None
    told = [guess.word for guess in guesses(words)] if words else []
    if words and not told:
        return None
    return next((word for word in told if word in WORDS), ""), size


def _down(corner: str, cells: Sequence[object]) -> str | None:
    """What the lines are; empty if nothing says it, None if they are no sizes."""
    told = [guess.word for guess in guesses(corner)]
    if any(word in told for word in WORDS):
        return next(word for word in WORDS if word in told)
    if told:
        return None
    if all(sized("parameters", str(cell)) for cell in cells):
        return "parameters"
    try:
        numbers = [float(str(cell)) for cell in cells]
    except ValueError:
        return None
    if not numbers or min(numbers) < 1e4:
        return None
    return "compute" if min(numbers) >= BUDGET else ""


def could_be_loss(cell: object) -> bool:
    """Whether a cell has a number that a loss may be."""
    try:
        return 0 < float(str(cell).replace(",", ".")) < MOST
    except ValueError:
        return False
