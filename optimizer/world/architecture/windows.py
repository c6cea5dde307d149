"""Which layers slide or are sparse, where a config says it by a rule and not a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optimizer.reading.quantity import shown
from optimizer.world.architecture.fields import Fields

Window = Callable[[Fields, int], Sequence[str]]


def always(f: Fields, count: int) -> Sequence[str]:
    """Every layer slides where the file has a window."""
    return ("sliding" if "sliding_window" in f else "full",) * count


def switched(f: Fields, count: int) -> Sequence[str]:
    """Qwen's: with `use_sliding_window`, layers from `max_window_layers` on slide."""
    if not f.flag("use_sliding_window", missing=False) or "sliding_window" not in f:
        return ("full",) * count
    first = f.number("max_window_layers", least=0)
    return tuple("sliding" if i >= first else "full" for i in range(count))


def one_in(period: int, *words: str) -> Window:
    """The last layer of each period is full, the others slide; the file may say which.

    Args:
        period: the family's own.
        words: that say it, also as letters, such as `LLLG`.
    """

    def rule(f: Fields, count: int) -> Sequence[str]:
        word, told = f.raw(*words) if words else ("", None)
        if isinstance(told, str) and told and set(told) <= {"L", "G"}:
            letters = (told * count)[:count]
            # The last layer sees everything, whatever the pattern says.
            return (*("full" if x == "G" else "sliding" for x in letters[:-1]), "full")
        every = period if told is None else f.number(*words)
        if told is None:
            f.say(
                f"layer_types is not in the file: every {every}th layer is full, the "
                "others slide, as in all of the family"
            )
        if isinstance(told, str):
            raise f.wrong(word, f"must be a number or L and G, got {shown(told)}")
        if "sliding_window" not in f:
            return ("full",) * count
        return tuple("sliding" if (i + 1) % every else "full" for i in range(count))

    return rule


def asked(f: Fields, count: int) -> Sequence[str]:
    """No rule of the family's own is known where the file does not list its layers.

    Raises:
        FieldError: always.
    """
    raise f.wrong("layer_types", "is missing; it says which layers slide")


def laid_out(f: Fields, count: int) -> Sequence[str]:
    """A list says of each layer whether it slides, by 1 or 0.

    Raises:
        FieldError: it has another length, or other numbers.
    """
    layout = f.whole_numbers("sliding_window_layout")
    if layout is None or len(layout) != count or not set(layout) <= {0, 1}:
        raise f.wrong(
            "sliding_window_layout", f"must be 0 or 1 for each of the {count} layers"
        )
    return tuple("sliding" if one else "full" for one in layout)


def first_slides(f: Fields, count: int) -> Sequence[str]:
    """Layers slide and see everything in turn, the first one slides."""
    f.say("layer_types is not in the file: every second layer slides, from the first")
    return tuple("full" if i % 2 else "sliding" for i in range(count))


def without_positions(f: Fields, count: int) -> Sequence[str]:
    """Llama 4's: layers without rotary positions see everything, others a chunk."""
    told = f.whole_numbers("no_rope_layers")
    if told:
        if len(told) != count:
            raise f.wrong(
                "no_rope_layers", f"has {len(told)} entries for {count} layers"
            )
        rotary = [bool(one) for one in told]
    else:
        period = f.maybe("no_rope_layer_interval", least=1)
        if period is None:
            period = 4
            f.say("no_rope_layers is not in the file: every 4th layer sees everything")
        rotary = [bool((i + 1) % period) for i in range(count)]
    if "attention_chunk_size" not in f:
        return ("full",) * count
    return tuple("chunked" if one else "full" for one in rotary)


def sparse_from(*words: str) -> Callable[[Fields, int], Sequence[bool]]:
    """The first layers are dense, as many as a word says; or a list says of each."""

    def rule(f: Fields, count: int) -> Sequence[bool]:
        if (told := listed(f, count)) is not None:
            return told
        word, _ = f.raw(*words)
        first = f.number(*words, least=0)
        if first > count:
            raise f.wrong(word, f"must be at most the {count} layers, got {first}")
        every = f.maybe("moe_layer_freq", least=1) or 1
        return tuple(i >= first and i % every == 0 for i in range(count))

    return rule


def sparse_after(f: Fields, count: int) -> Sequence[bool]:
    """The first layers are dense where a word says how many, else none is."""
    if "first_k_dense_replace" in f or "mlp_layer_types" in f:
        return sparse_from("first_k_dense_replace")(f, count)
    return (True,) * count


def listed(f: Fields, count: int) -> Sequence[bool] | None:
    """`mlp_layer_types`, or `moe_layer_freq` where it is a list; else None.

    Raises:
        FieldError: it has a word that is not known, or the wrong length.
    """
    told = f.layered("mlp_layer_types", count)
    if told is None:
        if not isinstance(f.value.get("moe_layer_freq"), list):
            return None
        ones = f.whole_numbers("moe_layer_freq") or ()
        if len(ones) != count:
            raise f.wrong(
                "moe_layer_freq", f"has {len(ones)} entries for {count} layers"
            )
        return tuple(bool(one) for one in ones)
    for index, word in enumerate(told):
        if word not in {"dense", "sparse", "moe", "hash_moe"}:
            raise f.wrong(
                f"mlp_layer_types.{index}",
                f"must be dense or sparse, got {shown(word)}",
            )
    return tuple(word != "dense" for word in told)


def listed_or_all(f: Fields, count: int) -> Sequence[bool]:
    """As the file lists them, else each."""
    return listed(f, count) or (True,) * count


def stepped(f: Fields, count: int) -> Sequence[bool]:
    """Qwen's: every so many layers, but those that are named as dense."""
    if (told := listed(f, count)) is not None:
        return told
    step = f.maybe("decoder_sparse_step", least=1) or 1
    plain = set(f.whole_numbers("mlp_only_layers") or ())
    return tuple(i not in plain and (i + 1) % step == 0 for i in range(count))


def interleaved(f: Fields, count: int) -> Sequence[bool]:
    """Llama 4's: the last of every so many layers, or those that are named."""
    told = f.whole_numbers("moe_layers")
    if told is not None:
        return tuple(i in set(told) for i in range(count))
    step = f.number("interleave_moe_layer_step")
    return tuple((i + 1) % step == 0 for i in range(count))


def between(f: Fields, count: int) -> Sequence[bool]:
    """Ernie's: from a first to a last layer, every so many."""
    if (told := listed(f, count)) is not None:
        return told
    first = f.number("moe_layer_start_index", least=0)
    end = f.maybe("moe_layer_end_index", least=-1)
    end = count - 1 if end is None or end < 0 else end
    step = f.maybe("moe_layer_interval", least=1) or 1
    return tuple((i + 1) % step == 0 and first <= i <= end for i in range(count))
