"""Which of N, D and D/N lie outside the runs of a law: of a plan, and of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optimizer.analysis.plan.doubts import Beyond, Warning
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.wording import KINDS, amount, counted, times
from optimizer.reading.quantity import significant
from optimizer.world.law import Law

MOST_TOKENS = 36e12  # Qwen3 (2025) is the longest published run
SYMBOLS = {"parameters": "N", "tokens": "D", "tokens_per_parameter": "D/N"}
RANGE = ("outside-range", "extreme-ratio", "beyond-36T")  # told by this file


def beyond(law: Law, N: float, D: float) -> tuple[Beyond, ...]:
    """Which of N, D and D/N lie outside the runs of a law, and how far."""
    sizes = {"parameters": N, "tokens": D, "tokens_per_parameter": D / N}
    return tuple(_past(law, sizes))


def _past(law: Law, sizes: Mapping[str, float]) -> Iterator[Beyond]:
    for what, value in sizes.items():
        interval = getattr(law.range, what)
        if interval is None or interval[0] <= value <= interval[1]:
            continue
        below = value < interval[0]
        edge = interval[0] if below else interval[1]
        factor = edge / value if below else value / edge
        side = "below" if below else "above"
        yield Beyond(what, value, edge, side, factor)


def outside(law: Law, N: float, D: float) -> Iterator[str]:
    """The same in words: `D = 9.23T is 18 × the most, 500B`."""
    yield from map(_told, beyond(law, N, D))


def _told(one: Beyond) -> str:
    value, edge = (
        significant(size) if one.what not in KINDS else amount(size, one.what)
        for size in (one.value, one.edge)
    )
    far = f"{times(one.factor)} × the most"
    if one.side == "below":
        far = f"1/{times(one.factor)} of the least"
    return f"{SYMBOLS[one.what]} = {value} is {far}, {edge}"


def range_warnings(plan: Pair, law: Law, who: str = "plan") -> Iterator[Warning]:
    """What a plan outside a law's runs, or beyond any run, is to be told.

    Args:
        plan: the model.
        law: that gives its loss.
        who: what it is called.
    """
    ratio = plan.tokens_per_parameter
    found = list(outside(law, plan.parameters, plan.tokens))
    if found:
        yield Warning(
            "outside-range",
            f"the {who} lies outside the runs that {law.name} was fitted to: "
            f"{'; '.join(found)}. Its loss there is an extrapolation: try other "
            "laws, or fit one to runs of your own",
        )
    covered = law.range.tokens_per_parameter
    if covered is not None and ratio > covered[1]:
        yield Warning(
            "extreme-ratio",
            f"{significant(ratio)} tokens per parameter is beyond the "
            f"{significant(covered[1])} of the law's runs. Sardana et al. (2024) "
            "trained up to 10,000 and found that laws fitted to lower ratios "
            "overstate what the data are worth there: expect to need more tokens",
        )
    if plan.tokens > MOST_TOKENS:
        yield Warning(
            "beyond-36T",
            f"{counted(plan.tokens, 'tokens')} is more than any published run used "
            "(36T, by Qwen3). Set limits: {tokens: } to the data that you can get",
        )


def reaching(
    law: Law,
    low: Mapping[str, float],
    high: Mapping[str, float],
    what: str,
    where: str = "at the farthest",
) -> tuple[Warning, ...]:
    """The same of many plans at once.

    Args:
        law: that they rest on.
        low: the least `parameters`, `tokens` and `tokens_per_parameter` of all plans.
        high: the greatest of each.
        what: the plans are, in the plural.
        where: among them those ends are.
    """
    found = []
    for ends, side in ((low, "below"), (high, "above")):
        found += [one for one in _past(law, ends) if one.side == side]
    warnings = []
    if found:
        told = "; ".join(map(_told, found))
        warnings.append(
            Warning(
                "outside-range",
                f"{what} reach outside the runs that {law.name} was fitted to, "
                f"{where}: {told}. Their loss there is an extrapolation: try other "
                "laws, or fit one to runs of your own",
            )
        )
    if high["tokens"] > MOST_TOKENS:
        warnings.append(
            Warning(
                "beyond-36T",
                f"{what} reach {counted(high['tokens'], 'tokens')}, more than any "
                "published run used (36T, by Qwen3). Set limits: {tokens: } to the "
                "data that you can get",
            )
        )
    return tuple(warnings)
