"""What an expert would say about a plan: each with its reason and its cure."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.fitted_law import fitted_warnings
from optimizer.analysis.plan.levered import CODES as LEVERED
from optimizer.analysis.plan.levered import levered
from optimizer.analysis.plan.mixture import CODES as MIXTURE
from optimizer.analysis.plan.mixture import of_dense_runs
from optimizer.analysis.plan.near_ends import wide
from optimizer.analysis.plan.practice import ServingUse
from optimizer.analysis.plan.ranges import range_warnings
from optimizer.analysis.plan.saturation import LastThousandth
from optimizer.analysis.plan.trained_otherwise import CODES as TRAINED
from optimizer.analysis.plan.trained_otherwise import trained_otherwise
from optimizer.analysis.plan.wording import (
    amount,
    either,
    lifetime,
    more,
    nats,
    percent,
)
from optimizer.question.asked import Question
from optimizer.question.forgotten import oddities
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import PARAMETERS, significant, write
from optimizer.world.built import Built
from optimizer.world.models import load_model, unsure
from optimizer.world.quantization import BITS
from optimizer.world.roofline import CACHE_ERROR, DEFAULT_CACHE

# Every code that a plan can bear; the page `docs/warnings.md` says what to do.
CODES = (
    *(
        "law-not-known",
        "law-caveats",
        "outside-range",
        "extreme-ratio",
        "beyond-36T",
        "parameter-unit",
    ),
    *("kaplan-compute", "many-epochs", "saturated", "quantization-constants"),
    *("quantization-free", "default-cache", "stored-embeddings", "community-unpaid"),
    *("peak-price-example", "secondary-source", "wide-optimum"),
    "range-unknown",
    *("scaled-architecture", "unfilled-replica", "standing-fractions"),
    *("own-plan", "forgotten-unit", "replaced", "unread-architecture"),
    *("whole-machines", "perfect-verifier"),
    *TRAINED,
    *LEVERED,
    *MIXTURE,
)
FILLED = 0.995  # of a replica, which to two digits is one
NEAR = 1.05  # of a published size: its architecture is then its own
FEW_BITS = 8
MANY = 4.0  # epochs
FEWER = 0.95  # as often as the plan reads its data, from which a model is told
WHOLE = 0.01  # of the cost, above which whole machines are told


def warnings(
    answer: Answer, scenario: Scenario, question: Question
) -> tuple[Warning, ...]:
    """Lists the warnings of a plan, the gravest first."""
    if answer.plan is None:
        return ()
    who = "plan" if scenario.spec.plan is None else "optimum"
    return (
        *range_warnings(answer.plan, scenario.law, who),
        *_law(scenario),
        *_verified(answer),
        *_data(answer, question),
        *_demand(answer, scenario),
        *_chips(scenario),
        *_unpunished(scenario),
        *_cache(scenario, question),
        *_unfilled(answer, scenario),
        *_whole(answer),
        *_scaled(answer, scenario, question),
        *trained_otherwise(scenario),
        *levered(answer.plan, scenario),
        *of_dense_runs(scenario),
        *wide(answer),
        *(Warning(code, message) for code, message in oddities(scenario)),
    )


def scenario_warnings(scenario: Scenario) -> tuple[Warning, ...]:
    """What can be said of a scenario before anything is solved."""
    return (
        *_law(scenario),
        *_chips(scenario),
        *_unpunished(scenario),
        *trained_otherwise(scenario),
        *(Warning(code, message) for code, message in oddities(scenario)),
    )


def _uncounted(scenario: Scenario) -> str:
    """Why a reference may not be in the unit in which the law counts; or empty."""
    target, law = scenario.spec.target, scenario.law
    if target is None or target.match is None or law.counts == "total":
        return ""
    if law.form == "leverage":
        return ""  # what it matches is a dense model
    if target.match.model is not None:
        named = unsure(load_model(target.match.model), law.counts)
        return f"{target.match.model} is {named}" if named else ""
    return (
        "the reference is read in that unit. Published sizes are mostly totals: "
        "convert the reference first"
    )


def _law(scenario: Scenario) -> Iterator[Warning]:
    law = scenario.law
    if why := _uncounted(scenario):
        counts = {
            "non-embedding": "parameters without the embeddings",
            "active": "the parameters active for a token",
        }[law.counts]
        yield Warning("parameter-unit", f"{law.name} counts {counts}, and {why}")
    yield from fitted_warnings(law)
    if law.form == "kaplan":
        yield Warning(
            "kaplan-compute",
            "in Kaplan's law D is the size of a data set read until early stopping, "
            "not the tokens seen, so that 6·N·D is not its training compute. Use it "
            "to compare with older work, not to plan a run",
        )


def _verified(answer: Answer) -> Iterator[Warning]:
    """What samples take for granted."""
    plan = answer.plan
    if plan is None or plan.samples is None or plan.samples == 1:
        return
    yield Warning(
        "perfect-verifier",
        "the loss of several samples is that of the best of them, which takes a "
        "verifier that always knows it and costs nothing, as unit tests nearly do. "
        "Where answers are chosen by vote or by a reward model, fewer samples are "
        "worth it, or none",
    )


def _data(answer: Answer, question: Question) -> Iterator[Warning]:
    epochs = answer.epochs
    if epochs is not None and epochs > MANY:
        yield Warning(
            "many-epochs",
            f"the unique tokens are read {significant(epochs)} times. By Muennighoff "
            "et al. (2023) the fifth reading of a token is worth 77 % of a new token, "
            "the sixteenth 38 %, the fortieth 8 %. Find more unique data, or choose a "
            f"larger model{_fewer_epochs(answer, epochs)}",
        )
    if any(
        term.label == "quantization" for term in (*question.loss, *question.outside)
    ):
        yield Warning(
            "quantization-constants",
            "the loss of quantized weights uses constants that were fitted on models "
            "of up to 1.7B parameters and 26B tokens; their authors write that these "
            "are unlikely to be useful elsewhere (Kumar et al. 2024). Measure the loss "
            "of your own quantized model before you rely on it. The reference of a "
            "match is taken without this loss, the training-optimal model with it",
        )


def _fewer_epochs(answer: Answer, epochs: float) -> str:
    """The largest near-optimal model, with what it costs and how often it reads."""
    if answer.plan is None or not answer.near_optimal:
        return ""
    last = answer.near_optimal[-1]
    larger, tokens = last.parameters[1], last.tokens[1]
    reads = epochs * tokens / answer.plan.tokens
    if answer.fixed is not None or reads > epochs * FEWER:
        return ""
    what = "of the reducible loss" if answer.question == "budget" else "of the cost"
    return (
        f": {amount(larger, 'parameters')} reads them {significant(reads)} times, for "
        f"{percent(last.within)} {what} more"
    )


def _unpunished(scenario: Scenario) -> Iterator[Warning]:
    """Weights of few bits that are taken to cost no quality."""
    few = {
        m.weights or m.arithmetic
        for m in scenario.machines
        if BITS[m.weights or m.arithmetic] < FEW_BITS and not m.quantization_penalty
    }
    for weights in sorted(few):
        yield Warning(
            "quantization-free",
            f"storing weights as {weights} is taken to cost no quality, while what it "
            "costs grows with every token that an overtrained model has seen (Kumar et "
            "al. 2024). Set quantization_penalty: true under serving to see how much",
        )


def _scaled(
    answer: Answer, scenario: Scenario, question: Question
) -> Iterator[Warning]:
    """A cache that is another size's, scaled as its family does."""
    shape = scenario.spec.architecture
    if not isinstance(shape, Built) or shape.anchor is None or answer.plan is None:
        return
    held = any(limit.name.startswith("limits.memory") for limit in question.limits)
    ratio = answer.plan.parameters / shape.anchor
    if not (question.replicas or held) or 1 / NEAR < ratio < NEAR:
        return
    power = significant(shape.record.growth)
    yield Warning(
        "scaled-architecture",
        f"{shape.record.name} has {write(shape.anchor, PARAMETERS)} parameters as the "
        f"law counts them, and this plan {significant(ratio)} times as many: its cache "
        f"is taken to grow with their power of {power}, as depth and width grow alike "
        f"and heads keep their width, and its stored weights with them. "
        "--snap prices sizes that exist, each with its own",
    )


def _cache(scenario: Scenario, question: Question) -> Iterator[Warning]:
    """A KV cache of which nothing is told, and weights that are not all counted."""
    law = scenario.law
    if question.replicas and scenario.spec.architecture is None:
        yield Warning(
            "default-cache",
            f"no architecture is given, so that the KV cache is {DEFAULT_CACHE}. That "
            f"is {CACHE_ERROR}, and the batch moves with it: add architecture: "
            "{layers: 32, width: 4096, kv_heads: 8, head_size: 128}, as your model "
            "has them",
        )
    held = any(limit.name.startswith("limits.memory") for limit in question.limits)
    if law.counts == "non-embedding" and (question.replicas or held):
        yield Warning(
            "stored-embeddings",
            f"{law.name} counts no embeddings, so that memory and traffic are without "
            "theirs: vocabulary x width weights more, twice that where they are not "
            "tied",
        )


def _unfilled(answer: Answer, scenario: Scenario) -> Iterator[Warning]:
    """Machines that the load does not fill, so that no batch forms."""
    for use in answer.serving:
        if use.replicas is None or use.replicas > FILLED:
            continue
        part = (
            f"the load of {use.stream} fills {significant(use.replicas)} of a replica"
        )
        if use.standing is not None:
            yield Warning(
                "unfilled-replica",
                f"{part} at its peak{_in_batches(use)}, and {use.standing:.0f} is paid "
                "all the time: a smaller machine, other work on it, or an API may cost "
                "less",
            )
        else:
            yield Warning(
                "unfilled-replica",
                f"{part}, too little for a batch of {use.batch:.0f} to form. What it "
                "costs here holds where other work fills the machine; with idle_paid: "
                "true and peak_to_mean whole replicas are paid all the time",
            )
    for index, stream in enumerate(scenario.streams):
        serving, _ = scenario.serving_of(index)
        if serving.idle_paid and serving.by_time and stream.lifetime is None:
            yield Warning(
                "standing-fractions",
                f"idle capacity of {stream.name or 'the demand'} is paid in fractions "
                "of a replica, since its lifetime is not told; add lifetime: 2 years",
            )


def _in_batches(use: ServingUse) -> str:
    """At which batch a need for replicas is, where fewer sequences are in flight."""
    if use.full_batch is None or use.full_batch <= use.batch:
        return ""
    return f", in batches of {use.full_batch:.0f}"


def _whole(answer: Answer) -> Iterator[Warning]:
    """Where machines in whole numbers cost much more than in fractions."""
    relaxed = answer.relaxed
    if relaxed is None or answer.question == "budget" or answer.cost is None:
        return
    if not (relaxed.batches or relaxed.replicas):
        return
    dearer = answer.cost.total / relaxed.total - 1
    if dearer > WHOLE:
        have = [
            f"{significant(one)} {word}"
            for word, some in (
                ("sequences a batch", relaxed.batches),
                ("replicas", relaxed.replicas),
            )
            for one in some
        ]
        yield Warning(
            "whole-machines",
            f"whole batches and replicas cost {more(dearer, than=True)} "
            f"{either(have, 'and')} would, the optimum in fractions: another chip, "
            "precision or number of accelerators may fit better",
        )


def _demand(answer: Answer, scenario: Scenario) -> Iterator[Warning]:
    unpaid = [s.name for s in answer.demand.streams if s.cost_share == 0 < s.tokens]
    if unpaid:
        yield Warning(
            "community-unpaid",
            f"the serving cost of {', '.join(unpaid)} counts for nothing here, so "
            "the plan ignores what its users will pay. Set cost_share above 0 % to "
            "plan for them too",
        )
    for note in scenario.notes:
        yield Warning(
            "peak-price-example",
            f"{note}; replace it by the price that you pay",
        )


def _chips(scenario: Scenario) -> Iterator[Warning]:
    """Accelerators of which a figure is not the maker's own."""
    chips = {id(chip): chip for chip in scenario.hardware.values() if chip is not None}
    for chip in chips.values():
        if chip.secondary:
            yield Warning(
                "secondary-source",
                f"of {chip.key} {', '.join(chip.secondary)} stand in secondary sources "
                "only, not on a page of its maker: describe the chip in the scenario "
                "with the figures of your supplier",
            )


def worn(
    answer: Answer, idle: bool, last: LastThousandth | None
) -> tuple[Warning, ...]:
    """Says where repeated data give next to nothing more.

    Args:
        answer: with a plan.
        idle: whether its budget buys nothing more.
        last: what the last thousandth of a target costs, where that is much.
    """
    message = ""
    if idle:
        wall = next(w for w in answer.limits if w.name.startswith("budget."))
        spent = f"{amount(wall.value, wall.unit)} of {amount(wall.bound, wall.unit)}"
        message = (
            f"{wall.name} buys nothing more: every way to spend the rest lowers the "
            "reducible loss by less than a millionth. The plan is the cheapest of the "
            f"models that are equally good, and spends {spent}. Find more unique tokens"
        )
    elif last is not None and answer.cost is not None:
        message = (
            "the unique tokens give next to nothing more at this target: "
            f"{nats(last.loss)}, a thousandth of the reducible loss above it, would "
            f"take {percent(last.saved)} less {lifetime(answer.cost.unit)}. Raise the "
            "target, or find more unique tokens"
        )
    return (Warning("saturated", message),) if message else ()
