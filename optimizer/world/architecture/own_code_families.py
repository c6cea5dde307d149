"""PLaMo 2, OpenELM, RWKV 7, Baichuan M1, Phi 4 flash: with code of their own.

*Source*: their models in mlx-lm 0.32; for the widths of OpenELM also Mehta et al. 2024,
"OpenELM", section 2.1, and for RWKV 7 Peng et al. 2025, "RWKV-7 Goose", section 4.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import Traits, heads_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import with_heads
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record, Store

PLAMO = Traits(tied=True, head_size="ask")


def read_plamo2(f: Fields, name: str) -> Record:
    """PLaMo 2: state spaces and attention in turn, most of it in a window."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    head = f.number("hidden_size_per_head")
    f = replace(f, value={**f.value, "head_dim": head})
    heads, kv_heads, _ = heads_of(f, PLAMO)
    step = f.number("mamba_step", least=2)
    mamba = f.flag("mamba_enabled", missing=True)
    whole = set(f.whole_numbers("full_attention_idx") or ())
    feed = Feed(blocks.dense(width, f.number("intermediate_size")))
    space, layers = _plamo_space(f, width, head), []
    for i in range(count):
        # Where there are few layers, the last one attends.
        attends = i == count - 1 if count <= step // 2 else i % step == step // 2
        mixer = space
        if attends or not mamba:
            window = None if i in whole else f.number("attention_window_size")
            mixer = blocks.grouped(
                width,
                heads,
                kv_heads,
                head,
                window=window,
                kind="full" if window is None else "sliding",
                extra=(heads + kv_heads) * head,
            )
        layers.append(Layer(mixer, feed, 4 * width))
    return with_heads(f, PLAMO, name, tuple(layers))


def _plamo_space(f: Fields, width: int, head: int) -> Mixer:
    """A state space whose steps and projections pass norms."""
    heads, state = f.number("mamba_num_heads"), f.number("mamba_d_state")
    kernel, inner, rank = f.number("mamba_d_conv"), heads * head, max(64, width // 16)
    parameters = 2 * width * inner + inner * kernel + inner * (rank + 2 * state)
    parameters += rank * heads + 3 * heads + rank + 2 * state + inner * width
    kept = blocks.FP32 * inner * state + blocks.BF16 * inner * (kernel - 1)
    return Mixer("state-space", parameters, state=kept)


def read_openelm(f: Fields, name: str) -> Record:
    """OpenELM: each layer has heads and a width of its own."""
    count, width = f.number("num_transformer_layers"), f.number("model_dim")
    head, divisor = f.number("head_dim"), f.number("ffn_dim_divisor")
    queries, keys = (
        _each(f, word, count) for word in ("num_query_heads", "num_kv_heads")
    )
    norms = 2 * head * f.flag("normalize_qk_projections", missing=True)
    gated, told = f.flag("ffn_with_glu", missing=True), f.sequence("ffn_multipliers")
    if told is None or len(told) != count:
        raise f.wrong(
            "ffn_multipliers", f"must have a number for each of {count} layers"
        )
    layers = []
    for i, many in enumerate(told):
        if not isinstance(many, int | float) or not 0 < many < 1000:
            raise f.wrong("ffn_multipliers", f"must hold numbers, got {shown(many)}")
        inner = _divisible(many * width, divisor)
        mixer = blocks.grouped(width, queries[i], keys[i], head, extra=norms)
        layers.append(
            Layer(mixer, Feed(blocks.dense(width, inner, gated=gated)), 2 * width)
        )
    tied = f.flag("share_input_output_layers", missing=True)
    words = {"hidden_size": width, "tie_word_embeddings": tied}
    record = around(
        replace(f, value={**f.value, **words}), name, tuple(layers), tied=tied
    )
    return replace(
        record,
        heads=max(queries),
        kv_heads=max(keys),
        key_width=head,
        value_width=head,
    )


def _each(f: Fields, word: str, count: int) -> tuple[int, ...]:
    """A number of heads for each layer."""
    told = f.whole_numbers(word) or ()
    if len(told) != count or min(told) < 1:
        raise f.wrong(word, f"must have a number from 1 for each of the {count} layers")
    return told


def _divisible(value: float, divisor: int) -> int:
    """The nearest multiple, raised where it lost more than a tenth."""
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near


def read_rwkv7(f: Fields, name: str) -> Record:
    """RWKV 7: a state for each head, and nothing that grows with the context."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    head, inner = f.number("head_dim"), f.number("intermediate_size")
    if width % head:
        raise f.wrong("head_dim", f"must divide the hidden_size of {width}, got {head}")
    decay, value, rate, gate = (
        2 * width * f.number(f"{word}_low_rank_dim")
        for word in ("decay", "v", "a", "gate")
    )
    # Six mixes with the last token, three scales, two norms of the heads; of four
    # narrow pairs of matrices three have a bias, and the first layer has no value's.
    own = 4 * width * width + 11 * width + decay + rate + 2 * width + gate
    kept = blocks.FP32 * width * head + blocks.BF16 * 2 * width
    feed = Feed(2 * width * inner + width)
    layers = tuple(
        Layer(
            Mixer("linear", own + (value + width) * (i > 0), state=kept),
            feed,
            4 * width + 2 * width * (i == 0),
        )
        for i in range(count)
    )
    record = around(f, name, layers, tied=False, extra=width)
    return replace(record, heads=0, kv_heads=0, key_width=0)


def read_baichuan_m1(f: Fields, name: str) -> Record:
    """Baichuan M1: keys and values mix with the last token's; some layers slide."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    kernel = f.number("conv_window")
    slides = set(f.whole_numbers("sliding_window_layers") or ())
    t = Traits(kv_heads="ask")
    feed = Feed(blocks.dense(width, f.number("intermediate_size")))
    made = {}
    for sliding in (False, True):
        own = {
            word: f.value[f"num_swa_{word[4:]}"]
            for word in ("num_attention_heads", "num_key_value_heads")
            if sliding and f"num_swa_{word[4:]}" in f
        }
        heads, kv_heads, head = heads_of(replace(f, value={**f.value, **own}), t)
        plain = blocks.grouped(
            width,
            heads,
            kv_heads,
            head,
            window=f.number("sliding_window") if sliding else None,
            kind="sliding" if sliding else "full",
            extra=2 * kv_heads * kernel,
        )
        kept = blocks.BF16 * 2 * kv_heads * head * (kernel - 1)
        made[sliding] = replace(plain, state=kept)
    layers = tuple(Layer(made[i in slides], feed, 2 * width) for i in range(count))
    return with_heads(f, t, name, layers)


def read_phi4flash(f: Fields, name: str) -> Record:
    """Phi 4 flash (SambaY): the second half reads what one layer in the middle keeps.

    State spaces and attention take turns. In the first half attention slides; the layer
    after the middle keeps all keys, and the rest have queries alone, and gates on the
    last state space's output in place of state spaces of their own.
    *Source*: Ren et al. 2025, "Decoder-Hybrid-Decoder Architecture for Efficient
    Reasoning with Long Generation", section 2.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    if count % 4 or f.number("mb_per_layer", least=0) != 2:
        raise f.wrong(
            "num_hidden_layers", "must be a multiple of 4, with mb_per_layer 2"
        )
    t = Traits(tied=True)
    heads, kv_heads, head = heads_of(f, t)
    inner = f.number("mamba_expand") * width
    auto = f.automatic("mamba_dt_rank")
    space = blocks.mamba(
        width,
        inner,
        f.number("mamba_d_state"),
        -(-width // 16) if auto else f.number("mamba_dt_rank"),
        f.number("mamba_d_conv"),
        bias=f.flag("mamba_proj_bias", missing=False),
        conv_bias=f.flag("mamba_conv_bias", missing=True),
    )
    differs = 4 * head + 2 * head  # lambdas of differential attention, and its norm
    keys, out = 2 * kv_heads * head, heads * head
    own = (width + 1) * (out + keys) + (out + 1) * width + differs
    pair = 2 * heads * head
    slides = _phi_window(f)
    kinds = {
        "space": space,
        "gate": Mixer("none", 2 * width * inner),
        "sliding": Mixer("sliding", own, (Store(keys, slides - 1),), 0, pair, slides),
        "full": Mixer("full", own, (Store(keys),), 0, pair),
        "shared": Mixer("shared", own - (width + 1) * keys, pair=pair),
    }
    feed, middle = Feed(blocks.dense(width, f.number("intermediate_size"))), count // 2
    layers = []
    for i in range(count):
        if i % 2 == 0:
            kind = "space" if i <= middle else "gate"
        else:
            kind = "sliding" if i < middle else "full" if i == middle + 1 else "shared"
        layers.append(Layer(kinds[kind], feed, 4 * width))
    record = with_heads(f, t, name, tuple(layers))
    bias = record.vocabulary * f.flag("lm_head_bias", missing=False)
    return replace(record, around=record.around + width + bias)


def _phi_window(f: Fields) -> int:
    """The window, which the file says once or for each layer."""
    value = f.raw("sliding_window")[1]
    if isinstance(value, list):
        said = {one for one in value if one is not None}
        value = next(iter(said)) if len(said) == 1 else value
    return replace(f, value={**f.value, "sliding_window": value}).number(
        "sliding_window", least=2
    )
