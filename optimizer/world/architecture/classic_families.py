"""Families from before Llama, each with words of its own: GPT-2, OPT, Falcon.

*Source*: the configuration and modeling code of each family in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.records import dataclass, replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import tied_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.record import Feed, Layer, Record


@dataclass(frozen=True)
class Classic:
    """What differs between them.

    Attributes:
        width, count, heads: the words for them.
        inner: words for the inner width; four times the width where none is given.
        positions: words for the number of learned positions; none without them.
        tied: whether the embeddings read the answer out, unless the file says.
        biases: of queries, keys and values; of the output; of the dense block.
        norms: in a layer.
        head_bias: whether the matrix that reads out has a bias.
        first_norm: whether a norm follows the embeddings.
        norm: parameters of a norm for each number of the width.
    """

    width: str = "n_embd"
    count: str = "n_layer"
    heads: str = "n_head"
    inner: tuple[str, ...] = ("n_inner",)
    positions: tuple[str, ...] = ()
    tied: bool = True
    biases: tuple[bool, bool, bool] = (True, True, True)
    norms: int = 2
    head_bias: bool = False
    first_norm: bool = False
    norm: int = 2


PLAIN = Classic(
    width="hidden_size", count="num_hidden_layers", heads="num_attention_heads"
)
GPT2 = Classic(positions=("n_positions",))
CLASSICS = {
    "gpt2": GPT2,
    "gpt-sw3": GPT2,
    "gpt_bigcode": GPT2,
    "gptj": Classic(tied=False, biases=(False, False, True), norms=1, head_bias=True),
    "codegen": Classic(
        tied=False, biases=(False, False, True), norms=1, head_bias=True
    ),
    "gpt_neo": Classic(
        width="hidden_size",
        count="num_layers",
        heads="num_heads",
        inner=("intermediate_size",),
        positions=("max_position_embeddings",),
        biases=(False, True, True),
    ),
    "bloom": Classic(width="hidden_size", inner=(), first_norm=True),
    "mpt": Classic(
        width="d_model",
        count="n_layers",
        heads="n_heads",
        inner=(),
        biases=(False, False, False),
        norm=1,
    ),
    "opt": replace(PLAIN, inner=("ffn_dim",)),
    "falcon": replace(PLAIN, inner=("ffn_hidden_size",)),
}


def read_classic(f: Fields, name: str) -> Record:
    """Reads a config of one of these families.

    Raises:
        FieldError: a word is missing, impossible or contradicts another.
    """
    family = str(f.value["model_type"])
    t = CLASSICS[family]
    count, width = f.number(t.count, "num_hidden_layers"), f.number(t.width)
    heads = f.number(t.heads, "n_head", "num_heads", "num_attention_heads")
    if width % heads:
        raise f.wrong(t.heads, f"must divide the width of {width}, got {heads}")
    kv_heads, head = heads, width // heads
    inner = f.maybe(*t.inner, least=1) if t.inner else None
    inner = 4 * width if inner is None else inner
    qkv, out, mlp = t.biases
    norms = t.norms
    if family == "gpt_bigcode" and f.flag("multi_query", missing=True):
        kv_heads = 1
    if family == "falcon":
        kv_heads, norms = _falcon(f, heads)
        if kv_heads not in {1, heads}:
            f.say(
                f"the reference copies keys to all {heads} query heads before it keeps "
                f"them; {kv_heads} are counted, as engines keep them"
            )
        qkv = out = mlp = f.flag("bias", missing=False)
    norm = t.norm
    if family == "opt":
        qkv = out = mlp = f.flag("enable_bias", missing=True)
        norm *= f.flag("layer_norm_elementwise_affine", missing=True)
    around = norm * width
    if family == "opt" and not f.flag("do_layer_norm_before", missing=True):
        around = 0  # OPT 350M has no norm after the last layer
    mixer = blocks.grouped(width, heads, kv_heads, head, qkv_bias=qkv, out_bias=out)
    window = f.maybe("window_size") if family == "gpt_neo" else None
    feed = Feed(blocks.dense(width, inner, gated=False, bias=mlp))
    layers = [Layer(mixer, feed, norms * norm * width)] * count
    if window is not None:
        f.say("of GPT-Neo's local layers the reference keeps the whole cache")
    vocabulary = f.number("vocab_size")
    matrix = vocabulary * width
    narrow = f.maybe("word_embed_proj_dim", least=1) if family == "opt" else None
    if narrow not in {None, width}:  # nor embeddings as wide as the model
        matrix = vocabulary * int(narrow or 0)
        around += 2 * width * int(narrow or 0)
    positions = f.number(*t.positions) if t.positions else 0
    if family == "opt":
        positions = f.number("max_position_embeddings") + 2
    if family == "mpt" and f.flag("learned_pos_emb", missing=True):
        # The reference has ALiBi and no positions, whatever the word says.
        positions = 0
    tied = tied_of(f, t.tied)
    return Record(
        name=name,
        family=family,
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        key_width=head,
        value_width=head,
        vocabulary=vocabulary,
        layers=tuple(layers),
        input_embedding=matrix + positions * width,
        output_embedding=0 if tied else matrix,
        lookup=positions * width,
        around=around + t.first_norm * t.norm * width + t.head_bias * vocabulary,
    )


def _falcon(f: Fields, heads: int) -> tuple[int, int]:
    """Key and value heads of Falcon, and the norms of a layer."""
    new = f.flag("new_decoder_architecture", missing=False)
    if new:
        kv_heads = f.number("num_kv_heads")
        norms = f.maybe("num_ln_in_parallel_attn", least=1) or 2
        return kv_heads, norms
    kv_heads = 1 if f.flag("multi_query", missing=True) else heads
    return kv_heads, 1 if f.flag("parallel_attn", missing=True) else 2
