"""The test that tells: which form foresees runs beyond those it was fitted to.

The runs of the largest D/N (and, apart, of the largest compute) are held out, every
form is fitted to the rest, and the signed error of each on the runs held out is what
the choice of form should rest on. A good fit says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from optimizer.errors import Defect, InputError
from optimizer.fitting.fit import Fit, point_fit
from optimizer.fitting.forms import Choice
from optimizer.fitting.objective import Array
from optimizer.fitting.refuse import seen_once
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import Progress, silent
from optimizer.records import dataclass, field, replace
from optimizer.world.extrapolation import ADDITIVE, Axis, Extrapolation, Miss

FITTED = 0.6  # the quantile of D/N up to which runs are fitted
FEWEST = 3  # runs that are worth predicting
CHOICES: Mapping[str, Choice] = {
    "chinchilla": Choice("chinchilla"),
    "tied": Choice("chinchilla", tie=True),
    "coupled": Choice("coupled"),
    "saturating": Choice("saturating"),
}


@dataclass(frozen=True)
class FormTest:
    """How each form foresaw the runs at the far end of an axis.

    Attributes:
        result: the errors, as a law file carries them.
        fitted: how many runs the forms were fitted to.
        lines: the runs held out.
        refused: the form → why it could not be fitted.
        scatter: of the additive fit to the rest, a fraction of the loss; None
            where there is none.
    """

    result: Extrapolation
    fitted: int
    lines: tuple[int, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    scatter: float | None = None

    @property
    def best(self) -> str | None:
        """The form of least error, the mean and the largest together."""
        misses = self.result.forms
        if not misses:
            return None
        return min(misses, key=lambda form: _size(misses[form]))


Errors = Callable[[Runs, Runs, Choice, float, Progress], tuple[Array, Array]]


def form_tests(
    found: Fit, share: float, progress: Progress = silent
) -> tuple[FormTest, ...]:
    """Holds out the runs of largest D/N, and apart those of largest compute.

    Args:
        found: the fit whose runs are taken.
        share: of the runs held out by compute; 0 asks for no test.
        progress: told how many searches were done.
    """
    choice = found.settings.choice
    if not share or choice.law == "hestness":
        return ()
    return both_ends(seen_once(found.runs, choice), share, progress=progress)


def both_ends(
    runs: Runs,
    share: float,
    errors: Errors | None = None,
    progress: Progress = silent,
) -> tuple[FormTest, ...]:
    """The tests by tokens per parameter and by compute, where runs are left."""
    ratio = runs.tokens / runs.parameters
    ends: tuple[tuple[Axis, float], ...] = (
        ("tokens_per_parameter", float(np.quantile(ratio, FITTED))),
        ("compute", float(np.quantile(runs.compute, 1 - share))),
    )
    tests = (
        form_test(runs, by, edge, errors=errors, progress=progress) for by, edge in ends
    )
    return tuple(test for test in tests if test is not None)


def form_test(
    runs: Runs,
    by: Axis,
    edge: float,
    delta: float = 1e-3,
    errors: Errors | None = None,
    progress: Progress = silent,
) -> FormTest | None:
    """Fits every form to the runs up to an edge, and predicts the rest.

    Args:
        runs: all of them.
        by: the axis.
        edge: the largest value that is fitted.
        delta: of Huber's loss.
        errors: of a form, where it is fitted otherwise than to all runs as one.
        progress: told how many searches were done.

    Returns:
        None where fewer than three runs are left to predict, or none to fit.
    """
    values = runs.tokens / runs.parameters if by != "compute" else runs.compute
    near = values <= edge * (1 + 1e-12)
    if (~near).sum() < FEWEST or not near.any():
        return None
    rest, held = runs.take(near), runs.take(~near)
    forms: dict[str, Miss] = {}
    refused: dict[str, str] = {}
    scatter = None
    for name, choice in CHOICES.items():
        try:
            off, own = (errors or _errors)(rest, held, choice, delta, progress)
        except (InputError, Defect) as why:
            refused[name] = str(why).removeprefix(f"{runs.file}: ")
            continue
        if name == ADDITIVE:
            scatter = float(1.4826 * np.median(np.abs(own)))
        forms[name] = Miss(float(off.mean()), float(off[np.argmax(np.abs(off))]))
    result = Extrapolation(
        by, float(values[near].max()), float(values.max()), held.count, forms
    )
    return FormTest(result, rest.count, held.line, refused, scatter)


def _errors(
    rest: Runs, held: Runs, choice: Choice, delta: float, progress: Progress
) -> tuple[Array, Array]:
    """Predicted over measured loss, less 1, of the runs held out and of the rest."""
    asked, centre, found = point_fit(rest, choice, delta, 0, progress)
    own = asked.predict(found.z[None])[0] - asked.target
    beyond = replace(
        asked,
        x=np.log(held.parameters) - centre.x,
        y=np.log(held.tokens) - centre.y,
    )
    return np.exp(beyond.predict(found.z[None])[0]) / held.loss - 1, own


def _size(miss: Miss) -> float:
    return abs(miss.mean) + abs(miss.largest or miss.mean)
