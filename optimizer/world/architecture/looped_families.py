"""Families whose layers run several times over: HRM, Ouro, Dory, Inkling 2 Loop.

Memory holds such a layer once, and a sequence keeps what it writes at each pass. Each
further pass stands in the record as a layer of its own without parameters, so that
totals, caches and attention are exact. *Source*: the configuration and modeling code of
each family in Transformers 5.24; of Ouro and LoopCoder that in vLLM.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.reading.quantity import PARAMETERS, shown, write
from optimizer.records import replace
from optimizer.world.architecture import windows
from optimizer.world.architecture.decoder import Traits, read_decoder
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.inkling_families import read_inkling2
from optimizer.world.architecture.record import Layer, Record, Store

_WORDS = {"full": "full_attention", "sliding": "sliding_attention"}
LOOPED = (*("ouro", "iquestloopcoder", "hrm_text", "dory"), "inkling2_loop_text")
PLAIN = Traits(kv_heads="heads")
OURO = Traits(kv_heads="heads", norms=4)
DORY = Traits(
    head_size="ask",
    gate="apart",
    bias="attention_bias",
    mlp_bias="mlp_bias",
    last=0,
)
HRM = Traits(
    kv_heads="heads",
    bias="attention_bias",
    mlp_bias="mlp_bias",
    gate="wide",
    norm=0,
)


def read_looped(f: Fields, name: str) -> Record:
    """Reads a config of one of these families.

    Raises:
        FieldError: a word is missing, impossible or not known.
    """
    family = f.value["model_type"]
    if family == "ouro":
        return _ouro(f, name)
    if family == "iquestloopcoder":
        return _loopcoder(f, name)
    if family == "hrm_text":
        return _hrm(f, name)
    return _dory(f, name) if family == "dory" else _inkling(f, name)


def _ouro(f: Fields, name: str) -> Record:
    """All layers run `total_ut_steps` times; a gate says when to stop."""
    steps = f.number("total_ut_steps")
    record = read_decoder(f, OURO, name)
    record = replace(record, around=record.around + record.width + 1)
    return _looped(f, record, 0, len(record.layers), steps)


def _loopcoder(f: Fields, name: str) -> Record:
    """Later passes read what the first has kept, and a window of their own."""
    loops, window = f.number("loop_num"), f.number("loop_window_size")
    record = read_decoder(f, PLAIN, name)
    gate = record.heads * (record.key_width + 1)
    layers = tuple(replace(one, around=one.around + gate) for one in record.layers)
    store = Store(2 * record.kv_heads * record.key_width, window)
    again = replace(
        layers[0].mixer, kind="shared + sliding", parameters=0, stores=(store,)
    )
    count = len(layers)
    _say(f, f"all {count} layers run", loops, layers)
    return replace(record, layers=layers + (Layer(again),) * (count * (loops - 1)))


def _hrm(f: Fields, name: str) -> Record:
    """A slow stack of layers after some passes of a fast one, several times."""
    high, low = f.number("H_cycles"), f.number("L_cycles")
    told = f.number("num_hidden_layers")
    each = f.maybe("num_layers_per_stack", least=1) or told
    visits = high * (low + 1)
    if told not in {each, each * visits}:
        raise f.wrong(
            "num_hidden_layers",
            "must be num_layers_per_stack · H_cycles · (L_cycles + 1), which is "
            f"{each * visits}, got {told}",
        )
    # A stack of queries, keys and values of its own for each head, and a gate.
    plain = {"num_hidden_layers": 2 * each, "num_key_value_heads": None}
    record = read_decoder(replace(f, value={**f.value, **plain}), HRM, name)
    f.say(
        f"two stacks of {each} layers run {high * low} and {high} times: memory holds "
        "them once, and each pass keeps its own cache"
    )
    more = (_again(record.layers[0]),) * ((visits - 2) * each)
    return replace(
        record, layers=record.layers + more, around=record.around + record.width
    )


def _dory(f: Fields, name: str) -> Record:
    """The layers between the first and the last ones loop.

    Files list attention and dense block as two layers, each of them counted.
    """
    count = f.number("num_hidden_layers")
    told = f.words("layer_types") or ()
    half = 2 if "mlp" in told else 1
    kinds = told[::half] or windows.one_in(4)(f, count)
    first, last = (
        f.number(f"n_{word}_layers", least=0) // half for word in ("input", "output")
    )
    inner = f.maybe("n_recurrent_layers", least=1)
    inner = count // half - first - last if inner is None else inner // half
    f = replace(
        f,
        value={
            **f.value,
            "num_hidden_layers": count // half,
            "layer_types": [_WORDS.get(kind, kind) for kind in kinds],
        },
    )
    loops, mode = f.number("n_recurrent_loops"), f.raw("recurrent_kv_cache_mode")[1]
    if mode not in ("per_loop", "last_loop"):
        raise f.wrong(
            "recurrent_kv_cache_mode",
            f"must be per_loop or last_loop, got {shown(mode)}",
        )
    record = read_decoder(f, DORY, name)
    scales = 2 * record.heads * record.key_width + 2 * f.number("intermediate_size")
    layers = tuple(replace(x, around=x.around + scales) for x in record.layers)
    record = replace(record, layers=layers, around=record.around + record.vocabulary)
    _within(f, "n_recurrent_layers", first, first + inner, len(layers))
    return _looped(f, record, first, first + inner, loops, kept=mode == "per_loop")


def _inkling(f: Fields, name: str) -> Record:
    """Layers of the loop take messages from their pass before."""
    own = f.inside("loop_config")
    g = own if own.value else f
    start = g.number("loop_layer_index_start", "core_start", least=0)
    end = g.number("loop_layer_index_end", "core_end")
    passes = g.number("loop_num_passes", "num_passes")
    rank = g.number("loop_gate_rank", "gate_rank")
    record = read_inkling2(f, name)
    _within(f, "loop_layer_index_end", start, end, len(record.layers))
    gates = 4 * 4 * record.width * rank
    layers = tuple(
        replace(x, around=x.around + gates * (start <= i < end))
        for i, x in enumerate(record.layers)
    )
    queries = 4 * (end - start) * record.width
    record = replace(record, layers=layers, around=record.around + queries)
    return _looped(f, record, start, end, passes)


def _within(f: Fields, word: str, start: int, end: int, count: int) -> None:
    if not start < end <= count:
        raise f.wrong(
            word, f"must leave a loop within the {count} layers, got {start} to {end}"
        )


def _looped(
    f: Fields, record: Record, start: int, end: int, passes: int, *, kept: bool = True
) -> Record:
    """The record with a layer without parameters for each further pass.

    Args:
        f: the config, for what is said.
        record: with each layer once.
        start: the first layer of the loop.
        end: the one after its last.
        passes: through the loop.
        kept: whether each pass keeps something of its own of the sequence.
    """
    inner = record.layers[start:end]
    more = tuple(_again(one, kept=kept) for one in inner)
    _say(f, f"layers {start} to {end - 1} run", passes, inner)
    layers = record.layers[:end] + more * (passes - 1) + record.layers[end:]
    return replace(record, layers=layers)


def _say(f: Fields, what: str, passes: int, inner: Sequence[Layer]) -> None:
    further = (passes - 1) * sum(layer.active for layer in inner)
    f.say(
        f"{what} {passes} times: memory holds them once, and a token takes the FLOPs "
        f"of {write(further, PARAMETERS)} parameters more than it passes"
    )


def _again(layer: Layer, *, kept: bool = True) -> Layer:
    """A further pass through a layer: no parameters, and a cache of its own if kept."""
    mixer = replace(layer.mixer, parameters=0)
    return Layer(mixer if kept else replace(mixer, stores=(), state=0))
