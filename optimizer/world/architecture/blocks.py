"""Parameters of the blocks that models are built of, and what the mixers keep.

Each function counts what the matrices of one block hold; biases and norms are counted
where there are any. *Source*: Vaswani et al. 2017; Shazeer 2020 (gates); Ainslie et al.
2023 (grouped queries); DeepSeek-AI 2024 (latent attention); Gu & Dao 2023 and Dao & Gu
2024 (state spaces); Yang et al. 2024 (gated delta rule); Kimi Team 2025 (KDA).
"""

from __future__ import annotations

from optimizer.world.architecture.record import Feed, Mixer, Store

FP32, BF16 = 4, 2  # bytes: recurrent states; the last inputs of a convolution


def grouped(  # noqa: PLR0913 - one argument a width
    width: int,
    heads: int,
    kv_heads: int,
    key: int,
    value: int | None = None,
    *,
    window: int | None = None,
    kind: str = "full",
    qkv_bias: bool = False,
    out_bias: bool = False,
    extra: int = 0,
    same: bool = False,
    gated: bool = False,
) -> Mixer:
    """Attention whose query heads share keys and values in groups.

    Args:
        width: of the model.
        heads: query heads.
        kv_heads: key and value heads.
        key: width of a key head.
        value: width of a value head; the key's unless given.
        window: tokens that a query sees, itself included; the reference keeps one
            less.
        kind: as the record names it.
        qkv_bias: whether queries, keys and values have biases.
        out_bias: whether the output has one.
        extra: parameters of norms, sinks and gates of its own.
        same: whether values are the keys' projection again, and cached all the same.
        gated: whether queries come with a gate as wide as they are.
    """
    value = key if value is None else value
    outer = heads * value
    inner = heads * key * (2 if gated else 1) + kv_heads * (key + (not same) * value)
    parameters = width * (inner + outer)
    parameters += inner * qkv_bias + width * out_bias + extra
    most = None if window is None else max(window - 1, 1)
    return Mixer(
        kind=kind,
        parameters=parameters,
        stores=(Store(kv_heads * (key + value), most),),
        pair=heads * (key + value),
        reads=window,
    )


def latent(  # noqa: PLR0913 - one argument a width
    width: int,
    heads: int,
    rank: int,
    rope: int,
    nope: int,
    value: int,
    *,
    query_rank: int | None,
    bias: bool = False,
    index: tuple[int, int, int] | None = None,
    shared_index: bool = False,
    extra: int = 0,
    norms: bool = True,
) -> Mixer:
    """Latent attention (MLA): one compressed vector and one rotary key a token.

    Args:
        width: of the model.
        heads: query heads.
        rank: of the compressed keys and values.
        rope: width of the shared rotary key.
        nope: width of a key without position.
        value: width of a value head.
        query_rank: of the compressed queries; None where they are not compressed.
        bias: whether the compressing matrices and the output have biases.
        index: heads and width of the keys that choose what to read, and how many
            tokens are read; None reads all.
        shared_index: whether an earlier layer chooses.
        extra: parameters of gates of its own.
        norms: whether the compressed vectors pass a norm.
    """
    full = heads * (nope + rope)
    if query_rank is None:
        parameters = width * full
    else:
        parameters = width * query_rank + query_rank * full
        parameters += query_rank * (norms + bias)
    parameters += width * (rank + rope) + rank * norms + (rank + rope) * bias
    parameters += rank * heads * (nope + value) + heads * value * width + width * bias
    stores = [Store(rank + rope)]
    scan = 0
    if index is not None and not shared_index:
        many, wide, _ = index
        parameters += (query_rank or width) * many * wide  # queries
        parameters += width * wide + 2 * wide + width * many  # key, its norm, weights
        stores.append(Store(wide))
        scan = many * wide
    return Mixer(
        kind="latent",
        parameters=parameters + extra,
        stores=tuple(stores),
        pair=heads * (2 * rank + rope),
        reads=None if index is None else index[2],
        scan=scan,
    )


def dense(width: int, inner: int, *, gated: bool = True, bias: bool = False) -> int:
    """Parameters of a feed-forward block: two matrices, or three with a gate."""
    matrices = 3 if gated else 2
    return matrices * width * inner + bias * ((matrices - 1) * inner + width)


def mixture(  # noqa: PLR0913 - one argument a width
    width: int,
    inner: int,
    experts: int,
    chosen: int,
    *,
    shared: int = 0,
    gated: bool = True,
    bias: bool = False,
    router_bias: bool = False,
    extra: int = 0,
) -> Feed:
    """A mixture of experts with its router.

    Args:
        width: of the model.
        inner: of one routed expert.
        experts: routed ones.
        chosen: those of them that a token passes.
        shared: parameters of the experts that every token passes.
        gated: whether an expert has a gate.
        bias: whether its matrices have biases.
        router_bias: whether the router has a bias.
        extra: parameters of norms and gates of its own.
    """
    return Feed(
        parameters=width * experts + experts * router_bias + shared + extra,
        experts=experts,
        chosen=chosen,
        expert=dense(width, inner, gated=gated, bias=bias),
    )


def mamba(
    width: int,
    inner: int,
    state: int,
    rank: int,
    kernel: int,
    *,
    bias: bool = False,
    conv_bias: bool = True,
    norms: bool = False,
) -> Mixer:
    """A selective state space of the first kind (Mamba)."""
    parameters = width * 2 * inner + inner * (rank + 2 * state) + rank * inner + inner
    parameters += inner * kernel + inner * conv_bias + inner * state + inner
    parameters += inner * width + bias * (2 * inner + width)
    parameters += norms * (rank + 2 * state)
    return Mixer(
        "state-space",
        parameters,
        state=FP32 * inner * state + BF16 * inner * kernel,
    )


def mamba2(  # noqa: PLR0913 - one argument a width
    width: int,
    heads: int,
    head: int,
    state: int,
    groups: int,
    kernel: int,
    *,
    bias: bool = False,
    conv_bias: bool = True,
    norm: bool = True,
) -> Mixer:
    """A state space of the second kind (Mamba-2)."""
    inner = heads * head
    mixed = inner + 2 * groups * state
    projected = inner + mixed + heads
    parameters = width * projected + inner * width + bias * (projected + width)
    parameters += mixed * (kernel + conv_bias) + 3 * heads + inner * norm
    return Mixer(
        "state-space",
        parameters,
        state=FP32 * inner * state + BF16 * mixed * kernel,
    )


def gated_delta(
    width: int, key_heads: int, value_heads: int, key: int, value: int, kernel: int
) -> Mixer:
    """The gated delta rule: a state of key times value for each head."""
    keys, values = key_heads * key, value_heads * value
    mixed = 2 * keys + values
    parameters = width * (mixed + values + 2 * value_heads) + values * width
    parameters += mixed * kernel + 2 * value_heads + value
    return Mixer(
        "linear",
        parameters,
        state=FP32 * value_heads * key * value + BF16 * mixed * kernel,
    )


def delta_attention(
    width: int,
    heads: int,
    head: int,
    kernel: int,
    *,
    full_rank: bool = False,
    full_decay: bool = False,
) -> Mixer:
    """Kimi delta attention: the delta rule with a decay for each channel.

    Args:
        width: of the model.
        heads: of the state.
        head: width of keys and of values.
        kernel: of the convolutions.
        full_rank: whether the gate of the output is one matrix, not two narrow ones.
        full_decay: whether that of the decay is.
    """
    inner = heads * head
    decay = inner + heads
    decay += width * inner if full_decay else width * head + head * inner
    gate = width * inner if full_rank else width * head + head * inner
    parameters = 3 * width * inner + 3 * inner * kernel + decay + width * heads
    parameters += gate + head + inner * width
    return Mixer(
        "linear",
        parameters,
        state=FP32 * heads * head * head + BF16 * 3 * inner * kernel,
    )


def short_convolution(width: int, kernel: int, *, bias: bool = False) -> Mixer:
    """A gated convolution over the last few tokens."""
    parameters = 3 * width * width + width * kernel + width * width
    parameters += bias * (3 * width + width + width)
    return Mixer("convolution", parameters, state=BF16 * width * kernel)
