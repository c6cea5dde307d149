"""What a column is, by the words of its name: `eval/paloma/c4_en/loss`, `D (B tokens)`.

A name is cut into words, and units and logarithms in it are taken out. What is left is
held against the words of each kind; what it must not have ("per", "batch", "train" for
a loss) matters as much.
"""

from __future__ import annotations

import re

from optimizer.records import dataclass

WORDS = (
    *("parameters", "tokens", "loss", "compute", "unique_tokens", "error", "weight"),
    *("tokens_per_parameter", "width", "vocabulary"),
)
OWN, PLAIN, LONGER, OTHER, TRAINING = range(5)
_SIZES = {
    **dict.fromkeys(("k", "thousand", "thousands"), "K"),
    **dict.fromkeys(("m", "mil", "mio", "mm", "million", "millions"), "M"),
    **dict.fromkeys(("b", "bn", "mrd", "billion", "billions"), "B"),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), "T"),
}
_COUNTED = {"tokens", "token", "toks", "tok", "params", "param", "parameters"}
_FLOPS = {
    **{f"{p.lower()}flop{s}": f"{p}FLOP" for p in "MGTPEZ" for s in ("", "s")},
    **dict.fromkeys(("pfdays", "pfday"), "PF-days"),
}
_LOGS = {**dict.fromkeys(("log10", "lg"), "log10"), "ln": "ln", "log2": "log2"}
_EMBEDDING = {"emb", "embed", "embd", "embedding", "embeddings", "embeds"}
_WITHOUT = {"non", "no", "without", "wo", "excl", "excluding", "minus", "less", "ex"}
_WITH = {"with", "incl", "including", "inc"}
_NEVER = {
    *("per", "ratio", "std", "stderr", "sem", "variance", "err", "lr", "rate", "min"),
    *("frac", "fraction", "percent", "pct", "tensors", "decay", "norm", "time", "max"),
    *("hours", "seconds", "sec", "second", "throughput_rate", "diff", "delta", "rank"),
    *("utilization", "mfu", "hfu", "peak", "promised", "theoretical", "flag", "type"),
    *("path", "url", "file", "filename", "seed", "std", "change", "gap"),
}
_FILLER = {
    *("n", "num", "number", "of", "count", "model", "total", "all", "the", "nr", "in"),
    *("size", "trainable", "precise", "exact", "value", "core", "x", "raw", "amount"),
}
_TESTS = {
    *("val", "valid", "validation", "eval", "evaluation", "test", "heldout", "dev"),
    *("held", "out", "final", "last", "end", "best", "smooth", "smoothed", "lm", "ce"),
    *("cross", "entropy", "xent", "nll", "l", "avg", "mean", "macro", "model", "ema"),
    *("average", "overall", "language", "modeling", "pretrain", "pretraining", "min"),
}
_LOSSES = {"loss", "losses", "xent", "nll", "crossentropy", "bpb", "bpc", "ppl"}
_LOSSES |= {"perplexity", "celoss", "vloss", "valloss", "evalloss", "testloss"}
_NO_LOSS = {
    *("scale", "aux", "auxiliary", "z", "balance", "balancing", "router", "weight"),
    *("weights", "spike", "grad", "fn", "function", "word", "mask", "step", "mtp"),
    *("n", "num", "count", "parameters", "params", "tokens", "excess", "load", "byte"),
}


@dataclass(frozen=True)
class Guess:
    """What a column may be.

    Attributes:
        word: ours.
        rank: how far its name is from ours; the least is the best.
        unit: that the name states, as `--unit` would.
        counts: what parameters count, where the name says it.
    """

    word: str
    rank: int
    unit: str = ""
    counts: str = ""


def guesses(name: str) -> list[Guess]:
    """What a column of some name may be; mostly one thing, or nothing."""
    if plain(name) in WORDS:
        return [Guess(plain(name), OWN)]
    # As MLflow and Neptune call what was set.
    scoped = re.match(r"(?:params|parameters)[./](.+)", name)
    if scoped and (found := guesses(scoped[1])):
        return found
    if plain(name) == "time_token":  # how far a run is, as Composer counts it
        return [Guess("tokens", PLAIN)]
    words, log = split(name), ""
    if words and words[0] in (*_LOGS, "log"):
        log = _LOGS.get(words[0], "log10")
        words = words[1:]
    found = [
        *_loss(words),
        *([] if _ratio(words, name) else _amount(words)),
        *([Guess("tokens_per_parameter", PLAIN)] if _ratio(words, name) else []),
    ]
    for word, usual in _SHAPE.items():
        if plain(re.split(r"[/.]", name)[-1]) in usual:
            found.append(Guess(word, PLAIN))
    if log:
        return [Guess(g.word, g.rank, log, g.counts) for g in found if g.word != "loss"]
    return found


def plain(name: str) -> str:
    """A name in lower case, with _ for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def split(name: str) -> list[str]:
    """The words of a name, in lower case: numParams is num and params."""
    text = re.sub(r"([kmgtpez]?)(flops|flop|flos)", r" \1flops ", name, flags=re.I)
    text = re.sub(
        r"(?:PF|petaflops?)[ /_-]*s?[ _-]*days?", " pfdays ", text, flags=re.I
    )
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    text = text.replace("Cross Entropy", "crossentropy")
    found = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    return [w for word in found for w in _apart(word)]


def _apart(word: str) -> list[str]:
    """Words that people write as one."""
    together = {
        **{"nparams": ["n", "params"], "numparams": ["num", "params"]},
        **{"ntokens": ["n", "tokens"], "numtokens": ["num", "tokens"]},
        **{"nonemb": ["non", "emb"], "nonembedding": ["non", "embedding"]},
        **{"nonembed": ["non", "emb"], "nonembd": ["non", "emb"]},
        **{"modelsize": ["model", "size"], "valloss": ["val", "loss"]},
        **{"evalloss": ["eval", "loss"], "testloss": ["test", "loss"]},
        **{"trainloss": ["train", "loss"], "celoss": ["ce", "loss"]},
        **{"crossentropyloss": ["cross", "entropy", "loss"]},
        **{"tokensseen": ["tokens", "seen"], "tpp": ["tpp"], "vloss": ["val", "loss"]},
    }
    return together.get(word, [word])


def _ratio(words: list[str], name: str) -> bool:
    """Tokens per parameter."""
    kept = set(words)
    if re.fullmatch(r"\s*D\s*/\s*N\s*", name) or kept & {"tpp"}:
        return True
    tokens, sizes = kept & {"tokens", "token", "tok"}, kept & _PARAMETERS
    if tokens and sizes and (kept & {"per", "ratio"} or "/" in name or "to" in kept):
        first = min(map(words.index, tokens)) < min(map(words.index, sizes))
        return first and not kept & {"flops", "loss"}
    return bool(tokens) and bool(kept & {"mult", "multiplier"})


_SHAPE = {
    "weight": ("weights",),
    "width": ("d_model", "n_embd", "hidden_size", "d_embed", "dim", "hidden_dim"),
    "vocabulary": ("vocab_size", "n_vocab", "vocabulary_size", "vocab"),
}
_PARAMETERS = {"param", "params", "parameter", "parameters", "par"}


def _amount(words: list[str]) -> list[Guess]:
    """Parameters, tokens or compute, with the unit that stands in the name."""
    unit, kept = "", []
    for place, word in enumerate(words):
        power = re.fullmatch(r"(?:1?e)([0-9]{1,2})", word)
        if power and len(words) > 1:
            unit = f"1e{power[1]}"
        elif (
            word in _SIZES and place and (len(word) > 1 or place == len(words) - 1)
        ) or (word in _SIZES and place and "_".join(words[place + 1 :]) in _COUNTED):
            unit = _SIZES[word]
        elif word in _FLOPS:
            unit = _FLOPS[word]
            kept.append("flops")
        else:
            kept.append(word)
    have = set(kept)
    if {"max", "tokens"} <= have and not have & {"batch", "seq", "length", "len"}:
        return [Guess("tokens", TRAINING, unit)]  # of a run, or of a context
    if have & _NEVER or not have:
        return []
    for find in (_compute, _tokens, _parameters):
        if guess := find(kept, have):
            return [Guess(guess.word, guess.rank, unit, guess.counts)]
    return []


def _compute(kept: list[str], have: set[str]) -> Guess | None:
    flops = have & {"flops", "flop", "flos", "compute"}
    alone = kept in (["c"], ["budget"], ["compute", "budget"], ["c", "flops"])
    if not flops and not alone:
        return None
    if have & {"token", "tokens", "param", "params", "device", "hardware", "sample"}:
        return None
    rest = have - flops - _FILLER
    rest -= {"c", "train", "training", "budget", "throughput", "pretraining"}
    return Guess("compute", LONGER if rest else PLAIN)


def _tokens(kept: list[str], have: set[str]) -> Guess | None:
    if have & {
        "batch",
        "vocab",
        "vocabulary",
        "context",
        "ctx",
        "seq",
        "length",
        "len",
    }:
        return None
    if kept in (["unique"], ["unique", "d"], ["unique", "data"]):
        return Guess("unique_tokens", PLAIN)
    named = have & {"tokens", "token", "tok", "toks", "datapoints"}
    alone = kept[0] == "d" and have <= {"d", "tokens", "data", "train", "total"}
    data = kept in (["data", "size"], ["dataset", "size"], ["training", "data"])
    if not (named or alone or data):
        return None
    if "unique" in have:
        return Guess("unique_tokens", PLAIN)
    if have & _PARAMETERS or have & {"eos", "pad", "bos", "step", "epoch", "generated"}:
        return None
    rest = have - named - _FILLER - {"d", "seen", "train", "training", "trained"}
    rest -= {"consumed", "processed", "data", "dataset", "throughput", "pretraining"}
    return Guess("tokens", LONGER if rest else PLAIN)


def _parameters(kept: list[str], have: set[str]) -> Guess | None:
    named = have & _PARAMETERS
    rest = have - named - _EMBEDDING - _WITHOUT - _FILLER - _WITH
    rest -= {"active", "activated", "total", "config", "cfg", "hparams", "summary"}
    letter = kept[0] == "n" and not rest and not have & {"of", "number"}
    told = [word for word in kept if word != "in"]
    size = told in (["size"], ["model", "size"], ["model", "n"], ["model", "scale"])
    if not (named or letter or size):
        return None
    if have & {"tokens", "token", "flops", "layers", "heads", "head", "data", "expert"}:
        return None
    # An embedding's own parameters are none of the model's.
    whole = bool(have & _WITH)
    if have & _EMBEDDING and not have & _WITHOUT and not whole:
        return None
    counts = ""
    if have & _EMBEDDING and not whole:
        counts = "non-embedding"
    elif have & {"active", "activated"}:
        counts = "active"
    rank = LONGER if rest else PLAIN
    return Guess("parameters", OTHER if counts else rank, counts=counts)


def _loss(words: list[str]) -> list[Guess]:
    kept = list(words)
    unit = ""
    for told, name in (
        (["bits", "per", "byte"], "bpb"),
        (["bits", "per", "char"], "bpc"),
        (["bits", "per", "character"], "bpc"),
        (["bits", "per", "token"], "bits"),
        (["nats", "per", "byte"], "nats/byte"),
    ):
        for place in range(len(kept) - len(told) + 1):
            if kept[place : place + len(told)] == told:
                unit = name
                kept[place : place + len(told)] = ["loss"]
                break
    have = set(kept)
    unit = unit or next((u for u in ("bpb", "bpc") if u in have), "")
    if have & {"ppl", "perplexity"}:
        unit = "ppl"
    named = have & _LOSSES or {"cross", "entropy"} <= have
    # "ce" alone might be anything.
    named = named or ("ce" in have and have & {"val", "validation", "eval", "test"})
    if kept == ["l"]:
        return [Guess("loss", PLAIN)]
    if not named or have & _NO_LOSS or have & (_NEVER - {"min", "rank", "time"}):
        return []
    if unit == "" and have & {"bits", "nats"}:
        unit = "bits" if "bits" in have else "nats"
    training = have & {"train", "training", "trn"}
    rest = have - _LOSSES - _TESTS - training - {"nats", "bits", "token", "none"}
    rest -= {"summary", "metrics", "value", "results"}
    rank = TRAINING if training else LONGER if rest else PLAIN
    return [Guess("loss", rank, unit)]
