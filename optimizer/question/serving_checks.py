"""What must hold between the words of serving machines."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps, dotted
from optimizer.reading.spread import expected
from optimizer.world.demand import Stream
from optimizer.world.machines import Serving

Finding = tuple[Steps, str]

# Words of `model: measured` alone.
MEASURED = ("engine", "constants", "prefill", "speculation")
_WALLS = ("max_time_per_output_token", "max_time_to_first_token")


def found_prompts(scenario: Scenario) -> Iterator[Finding]:
    """Prompts can be found only where they are told apart from answers."""
    for index, stream in enumerate(scenario.streams):
        if stream.cached_input_tokens is not None:
            own = stream.serving
            common = scenario.spec.serving
            told = common if own is None else own.over(common)
            if told.prefix_cache is not None:
                where = dotted(scenario.serving_path(index, "prefix_cache"))
                message = f"says what {where} says too; keep one of them"
                yield (*scenario.stream_path(index), "cached_input_tokens"), message
        found = scenario.serving_of(index)[0].prefix_cache
        if found and stream.input_tokens is None and not idle(stream):
            message = "is a share of prompts; add input_tokens: 800 to the demand"
            yield scenario.serving_path(index, "prefix_cache"), message


def rooflines(scenario: Scenario) -> Iterator[Finding]:
    """What a roofline needs, and words that say nothing without one."""
    used = {"mfu": "0.5", "mbu": "0.7"}
    there = set()
    for index, stream in enumerate(scenario.streams):
        serving, chip = scenario.serving_of(index)
        if not serving.batched:
            own = stream.serving.model_fields_set if stream.serving else set()
            place = (*scenario.stream_path(index), "serving")
            yield from _unused(serving, place, own)
            continue
        there.add(index)
        yield from _measured(scenario, index)
        lacking = [word for word in used if getattr(serving, word) is None]
        listed = [f"{word}: {used[word]}" for word in lacking]
        if chip is None:
            listed.insert(0, "hardware: h100-sxm")
        if listed:
            path = scenario.serving_path(index, "model")
            yield path, f"needs more figures; add for example {', '.join(listed)}"
        if chip is not None and (chip.bandwidth is None or chip.memory is None):
            missing = "memory" if chip.memory is None else "bandwidth"
            path = scenario.serving_path(index, "hardware")
            yield (
                path,
                f"{chip.key} has no {missing}, which the roofline needs; describe it "
                "in the scenario: hardware: {name: my-chip, peaks: {bf16: 990 TFLOP/s},"
                " memory: 80 GB, bandwidth: 3.35 TB/s}",
            )
        if stream.input_tokens is None and not idle(stream):
            yield (
                scenario.stream_path(index),
                "gives only a total, but a roofline prices reading and writing apart; "
                "add input_tokens: 800 and output_tokens: 300",
            )
    common = scenario.spec.serving
    if not there:
        yield from _unused(common, ("serving",), common.model_fields_set)


def _measured(scenario: Scenario, index: int) -> Iterator[Finding]:
    """Shares that a measured machine has of its own, and an engine without one."""
    own, common = scenario.streams[index].serving, scenario.spec.serving
    serving = common if own is None else own.over(common)
    its = serving.model == "measured"
    for word in ("mfu", "mbu") if its else MEASURED:
        if getattr(serving, word) is not None:
            path = scenario.serving_path(index, word)
            if not its:
                yield path, "is for model: measured; remove it, or choose that model"
            else:
                yield path, "is measured already with model: measured; remove it"


def _unused(serving: Serving, place: Steps, own: Collection[str]) -> Iterator[Finding]:
    """Words of a machine without a roofline that nothing would read.

    Its figures may stand beside another model, to compare the two; limits may not.
    """
    if serving.batched:
        return
    figures = () if serving.model else ("mbu", "memory_fill", "accelerators")
    for word in (*_WALLS, *figures):
        if word in own:
            yield (*place, word), "is for a roofline; add model: roofline, or remove it"
    for word in MEASURED:
        if word in own:
            message = "is for model: measured; remove it, or choose that model"
            yield (*place, word), message
    if "idle_paid" in own and serving.idle_paid and serving.peak_to_mean is None:
        yield (*place, "idle_paid"), "needs the load's peak; add peak_to_mean: 3"
    if "peak_to_mean" in own and not serving.by_time:
        message = "is about time; add model: roofline, or model: mfu"
        yield (*place, "peak_to_mean"), f"{message}, with hardware and mfu"


def idle(stream: Stream) -> bool:
    """Whether a stream serves nothing."""
    flow = expected(stream.tokens if stream.requests is None else stream.requests)
    return bool(flow.amount == 0)
