"""The words of a config: each read once, with its place, and asked for if missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.reading.fields import FieldError
from optimizer.reading.quantity import shown
from optimizer.reading.yamltext import Steps
from optimizer.records import dataclass, field, replace

MOST = 10**9  # a count above it is no model's
DEEPEST = 10**4  # layers
# Other words for the same number, that families and their first files use.
ALIASES = {
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "hidden_size": ("n_embd", "d_model", "n_embed"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "num_key_value_heads": ("num_kv_heads", "n_kv_heads"),
    "num_nextn_predict_layers": ("num_mtp_layers", "mtp_num_hidden_layers"),
}
DEPTHS = (
    *("num_hidden_layers", *ALIASES["num_hidden_layers"]),
    *("num_transformer_layers", "num_nextn_predict_layers", "num_mtp_modules"),
)
# Of these a file that has two must mean the same by both.
ONE_MEANING = ("num_hidden_layers", "hidden_size")


@dataclass(frozen=True)
class Fields:
    """Part of a config.

    Attributes:
        value: its words.
        at: where it stands in the file.
        outer: the config around it, where some words stand instead.
        said: sentences about what was taken for granted; grows while it is read.
        defaults: what stands for words that are left out, in families whose files
            leave out what the family has in common.
    """

    value: Mapping[str, Any]
    at: Steps = ()
    outer: Fields | None = None
    said: list[str] = field(default_factory=list)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __contains__(self, word: str) -> bool:
        return self.value.get(word) is not None

    def wrong(self, word: str, message: str) -> FieldError:
        """An error at a word."""
        return FieldError(((*self.at, word), message))

    def say(self, sentence: str) -> None:
        """Notes what was taken for granted, once."""
        if sentence not in self.said:
            self.said.append(sentence)

    def raw(self, *words: str) -> tuple[str, Any]:
        """The first of some words that has a value, else the first and None."""
        for word in (*words, *(other for x in words for other in ALIASES.get(x, ()))):
            if (value := self.value.get(word)) is not None:
                return word, value
        for word in words:
            if (value := self.defaults.get(word)) is not None:
                self.say(f"{word} is not in the file; its family's own is {value}")
                return word, value
        return words[0], None

    def agree(self) -> None:
        """Refuses a file that says two different things by words of one meaning.

        Raises:
            FieldError: it does.
        """
        for word in ONE_MEANING:
            told = {x: self.value[x] for x in (word, *ALIASES[word]) if x in self}
            first = next(iter(told), word)
            for other, value in told.items():
                if other != first and value != told[first]:
                    raise self.wrong(
                        other,
                        f"is {shown(value)}, and {first}, which means the same, is "
                        f"{shown(told[first])}; leave the wrong one out",
                    )

    def layers(self, count: int) -> tuple[Fields, ...]:
        """The words of each layer: where `per_layer_config` has others, those.

        Raises:
            FieldError: it names a layer that there is not.
        """
        own = self.inside("per_layer_config")
        found: dict[int, Fields] = {}
        alike: dict[str, Fields] = {}
        for word in own.value:
            index = int(word) if word.isdecimal() and len(word) < 7 else count
            if index >= count:
                raise own.wrong(word, f"is no layer: there are {count}, counted from 0")
            other = own.inside(word).value
            key = repr(sorted(other.items()))
            alike.setdefault(
                key,
                replace(self, value={**self.value, **other, "per_layer_config": {}}),
            )
            found[index] = alike[key]
        return tuple(found.get(index, self) for index in range(count))

    def number(self, *words: str, least: int = 1) -> int:
        """A whole number, under the first of some words that is given."""
        word, value = self.raw(*words)
        if value is None:
            other = "".join(f" or {other}" for other in words[1:])
            raise self.wrong(
                word,
                f"is missing{other and f' (as{other[3:]})'}; add it from the "
                "model's own config.json: what the family usually has may not be "
                "what this model has",
            )
        return self._whole(word, value, least)

    def maybe(self, *words: str, least: int = 0) -> int | None:
        """A whole number, or None where none of some words has a value."""
        word, value = self.raw(*words)
        return None if value is None else self._whole(word, value, least)

    def _whole(self, word: str, value: Any, least: int) -> int:
        if isinstance(value, list) and value and value == value[:1] * len(value):
            value = value[0]  # one for each layer, all alike
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(word, f"must be a whole number, got {shown(value)}")
        most = DEEPEST if word in DEPTHS else MOST
        if not least <= value <= most:
            raise self.wrong(word, f"must be {least} to {most:,}, got {shown(value)}")
        return value

    def automatic(self, word: str) -> bool:
        """Whether a number is left to a rule: missing, or `auto`."""
        return self.raw(word)[1] in (None, "auto")

    def flag(self, word: str, missing: bool) -> bool:
        """True or false; a family's own rule where it is missing."""
        value = self.raw(word)[1]
        if value is None:
            return missing
        if not isinstance(value, bool):
            raise self.wrong(word, f"must be true or false, got {shown(value)}")
        return value

    def words(self, word: str) -> tuple[str, ...] | None:
        """A list of words, or None."""
        value = self.sequence(word)
        if value is None:
            return None
        for index, one in enumerate(value):
            if not isinstance(one, str):
                raise FieldError(
                    ((*self.at, word, index), f"must be a word, got {shown(one)}")
                )
        return tuple(value)

    def whole_numbers(self, word: str) -> tuple[int, ...] | None:
        """A list of whole numbers, or None."""
        value = self.sequence(word)
        if value is None:
            return None
        for one in value:
            if not isinstance(one, int):
                raise self.wrong(word, f"must hold whole numbers, got {shown(one)}")
        return tuple(int(one) for one in value)

    def sequence(self, word: str) -> Sequence[Any] | None:
        """A list, or None."""
        value = self.raw(word)[1]
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise self.wrong(word, f"must be a list, got {shown(value)}")
        return value

    def inside(self, word: str) -> Fields:
        """The config under a word; an empty one where there is none."""
        value = self.value.get(word)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self.wrong(word, f"must be a config of its own, got {shown(value)}")
        return Fields(value, (*self.at, word), self, self.said)

    def inside_list(self, word: str, index: int, value: Any) -> Fields:
        """The config at a place of a list."""
        if not isinstance(value, Mapping):
            raise FieldError(
                ((*self.at, word, index), f"must be a config, got {shown(value)}")
            )
        return Fields(value, (*self.at, word, index), self, self.said)

    def layered(self, word: str, count: int) -> tuple[str, ...] | None:
        """A list with a word for each layer, or None."""
        value = self.words(word)
        if value is not None and len(value) != count:
            raise self.wrong(
                word,
                f"has {len(value)} entries for {count} layers; one of the two is wrong",
            )
        return value

    def chain(self) -> Iterator[Fields]:
        """This config, and those around it."""
        yield self
        if self.outer is not None:
            yield from self.outer.chain()
