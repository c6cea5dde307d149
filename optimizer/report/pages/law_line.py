"""The formula that was solved, as one line of a page."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer, LawUsed
from optimizer.analysis.plan.wording import amount, samples
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import Text
from optimizer.world.formulas import FORMULAS, PLAIN


def law_line(answer: Answer) -> Text:
    """The formula that was solved, what its N counts, and where it was read."""
    law = answer.law
    N, D = "N", "D"
    if (again := law.repetition) is not None:
        N, D = "N" if again.R_N is None else "N'", "D'"
    both = f"/{D}^{law.delta:.6g}" if law.delta else ""
    A, B, E = (significant(value, 6) for value in (law.A, law.B, law.E))
    body = f"{A}/{N}^{law.alpha:.6g}{both} + {B}/{D}^{law.beta:.6g}"
    if law.outer != 1:
        body = f"({body})^{law.outer:.6g}"
    if law.E:
        body = f"{E} + {body}"
    if (stored := law.quantization) is not None:
        body += (
            f" + {significant(stored['coefficient'], 6)}·D^{stored['tokens']:.6g}"
            f"/N^{-stored['parameters']:.6g}"
        )
    drawn = ""
    if answer.plan is not None and answer.plan.samples is not None:
        drawn = f" at {samples(answer.plan.samples)} a request"
    counts = "all parameters" if law.counts == "total" else f"{law.counts} parameters"
    more = "".join(f"; {part}" for part in _repeated(law))
    own = ""
    if law.form not in PLAIN and law.form in FORMULAS:
        own = f" Its own coefficients give it by {FORMULAS[law.form]}."
    source = f" Source: {law.source}." if law.source else ""
    return Text(
        f"{law.name}, L(N, D) = {body} in {law.loss_unit}{drawn}{more}; N counts "
        f"{counts}.{own}{source}",
        label="law",
    )


def _repeated(law: LawUsed) -> Iterator[str]:
    """What D' and N' are, where data repeat."""
    again = law.repetition
    if again is None:
        return
    yield f"U = min(D, {amount(again.unique, 'tokens')}) unique tokens"
    yield f"D' = {_faded('U', 'D', again.R_D)}"
    if again.R_N is not None:
        yield (
            "N' = N up to V, the size that is training-optimal for U, and beyond it "
            f"{_faded('V', 'N', again.R_N)}"
        )


def _faded(level: str, reach: str, most: float) -> str:
    """What is worth as much as new, where the rest fades."""
    return f"{level} + {most:.4g}·{level}·(1 − exp((1 − {reach}/{level})/{most:.4g}))"
