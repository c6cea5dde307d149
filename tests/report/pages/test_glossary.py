"""Words that not everybody knows are linked where they first stand in a report."""

import re
from pathlib import Path

from optimizer.report.formats.glossary import WORDS, Glossary

DOCS = Path(__file__).parents[3] / "docs"


def test_each_sentence_is_that_of_the_docs():
    text = " ".join((DOCS / "glossary.md").read_text(encoding="utf-8").split())
    for name, told in WORDS.values():
        assert f"**{name}**: {told}" in text


def test_only_the_first_use_is_linked_and_only_whole_words():
    glossary = Glossary()
    one = glossary.linked("The loss is 2.1; the losses of law.E <b>are</b> no loss.")
    assert one.count("<a ") == 1
    assert re.search(r'The <a class="word" href="#word-\d+">loss</a> is', one)
    assert "&lt;b&gt;are&lt;/b&gt;" in one
    assert "<a" not in glossary.linked("A loss again, and outlaws")
    assert [name for _, name, _ in glossary.words()] == ["Loss"]


def test_every_pattern_finds_its_own_word():
    for pattern, (name, _) in WORDS.items():
        glossary = Glossary()
        word = name if re.search(pattern, name) else name.lower()
        assert "<a" in glossary.linked(f"a {word} b"), name
        assert [told for _, told, _ in glossary.words()] == [name]
