"""The list of `--snap`: sizes, models, architectures and files of them."""

import pytest

from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.sizes import read_sizes, refuse_unfit
from optimizer.world.models import load_model, size_in, stored

FILE = """\
- {layers: 32, width: 4096, vocabulary: 32000}
- name: grouped
  layers: 32
  width: 4096
  heads: 32
  kv_heads: 8
  ffn_width: 14336
  gated: true
  vocabulary: 128256
"""
FAMILY = """\
vocabulary: 128256
head_size: 128
kv_heads: 8
gated: true
architectures:
  - {layers: 32, width: 4096, ffn_width: 14336}
  - {layers: 80, width: 8192, ffn_width: 28672}
  - {layers: 28, width: 3072, ffn_width: 8192, tied: true}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="mine.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def problems(text):
    with pytest.raises(InputError) as caught:
        read_sizes(text)
    return str(caught.value).splitlines()


def test_sizes_models_architectures_and_files_stand_in_one_list(here):
    here(FILE)
    found = read_sizes(
        " 7B, llama-3-8b ,layers=24 width=2048 name=small vocabulary=50257 tied=true,"
        "mine.yaml,, 7B"
    )
    names = ["7B", "llama-3-8b", "small", "32x4096", "grouped"]
    assert [size.name for size in found] == names
    sizes = [size_in(size.what, "total") for size in found]
    assert sizes[:2] == [7e9, 8030261248]
    assert sizes[2] == 12 * 24 * 2048**2 + 50257 * 2048
    assert sizes[3] == 12 * 32 * 4096**2 + 2 * 32000 * 4096
    assert stored(found[4].what) == pytest.approx(8030261248, rel=1e-4)


def test_words_above_the_list_are_those_of_a_family(here):
    """Llama 3 8B and 70B, and Llama 3.2 3B: one family, and what differs."""
    here(FAMILY)
    for size, name in zip(
        read_sizes("mine.yaml"),
        ("llama-3-8b", "llama-3-70b", "llama-3.2-3b"),
        strict=True,
    ):
        model = load_model(name).architecture
        assert size_in(size.what, "total") == size_in(model, "total")
        assert size.what.cached == model.cached


@pytest.mark.parametrize(
    "text",
    [
        "layers=32 width=4096 kv_heads=8 head_size=128",
        "layers = 32  width= 4096 head_size =128 kv_heads=8",
        "layers: 32 width: 4096 head_size: 128 kv_heads: 8",
    ],
)
def test_words_of_an_architecture_may_come_in_any_order(text):
    (size,) = read_sizes(text)
    assert size.name == "32x4096"
    assert size_in(size.what, "non-embedding") == 32 * (
        2 * 4096 * (4096 + 1024) + 8 * 4096**2
    )


def test_a_file_may_be_given_by_its_folder(here):
    here(FILE, "shapes/of mine.txt")
    assert len(read_sizes("./shapes/of mine.txt")) == 2


def test_every_mistake_of_a_file_has_its_place(here):
    here(
        "- {layers: 32, widht: 4096}\n"
        "- layers: -3\n"
        "  width: 4096\n"
        "- 7B\n"
        "- {layers: 2, width: 4096, heads: 32, kv_heads: 7, ffn_width: 9}\n"
    )
    allowed = (
        "active_experts, cache, experts, ffn_width, gated, head_size, heads, kv_heads, "
        "layers, name, parameters, sequence, tied, vocabulary, width"
    )
    assert problems("mine.yaml") == [
        'mine.yaml:1:16: [0].widht: unknown word "widht"; did you mean "width"? '
        f"allowed: {allowed}",
        "mine.yaml:2:11: [1].layers: must be above 0, got -3",
        "mine.yaml:4:3: [2]: must be an architecture, such as {layers: 32, width: "
        "4096, vocabulary: 128256}",
        "mine.yaml:5:49: [3].kv_heads: must divide the 32 heads of a width of 4096, "
        "got 7",
        "mine.yaml:5:63: [3].ffn_width: may be of two matrices or of three; add "
        "gated: true for three, as with SwiGLU, or gated: false",
    ]


def test_mistakes_of_a_family_stand_where_they_were_made(here):
    """A word of all is told once, and one of a member by its place in the list."""
    here(
        "vocabulary: many\n"
        "architectures:\n"
        "  - {layers: 32, width: 4096}\n"
        "  - {layers: 2.5, width: 4096}\n"
    )
    assert problems("mine.yaml") == [
        'mine.yaml:1:13: vocabulary: must be a whole number such as 8, got "many"',
        "mine.yaml:4:14: architectures[1].layers: must be a whole number, got 2.5",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]\n", "mine.yaml:1:1: must be a list of architectures, such as - {layers:"),
        ("", "mine.yaml: the file is empty"),
        ("layers: 3\nwidth: 4\n", "mine.yaml:1:1: needs a list of architectures; add "),
        ("architectures: 5\n", "mine.yaml:1:16: architectures: must be a list of arch"),
        ("7B\n", "mine.yaml:1:1: must be a list of architectures, such as"),
        ("- {layers: 2\n", "mine.yaml:2:1: "),
        (
            "- {layers: 2, width: 4}\n- {layers: 2, width: 4}\n",
            'mine.yaml:2:3: [1]: "2x4" is the name of another size; give each its own',
        ),
        (
            "- {layers: 2, width: 4}\n" * 1001,
            "mine.yaml:1:1: must be at most 1000 architectures, got 1001",
        ),
    ],
)
def test_files_that_are_no_list_of_architectures(here, text, told):
    here(text)
    (line,) = problems("mine.yaml")
    assert line.startswith(told)


def test_a_file_that_is_not_there(here):
    assert problems("none.yaml") == ["none.yaml: there is no such file"]


def test_every_mistake_of_the_list_is_told_at_once(here):
    here("- {layers: 32, width: 4096}\n")
    assert problems(
        "lama-3-8b, 7 cats, layers=32 widht=4096, mine.yaml, layers=32 width=4096"
    ) == [
        "--snap: must be a size such as 7B, a published model, an architecture such "
        'as layers=32 width=4096, or a .yaml file of these, got "lama-3-8b"; did you '
        'mean "llama-3-8b"?',
        '--snap: must be a number of parameters such as 7B, got "7 cats"',
        '--snap layers=32 widht=4096: widht: unknown word "widht"; did you mean '
        '"width"? allowed: active_experts, cache, experts, ffn_width, gated, '
        "head_size, heads, kv_heads, layers, name, parameters, sequence, tied, "
        "vocabulary, width",
        '--snap layers=32 width=4096: "32x4096" is the name of another size; give '
        "each its own, for example name: wide",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("layers=32 4096", 'must be words and values such as layers=32, got "4096"'),
        ("layers=32 width=", "must be words and values such as layers=32, got "),
        ("=32", "must be words and values such as layers=32, got "),
        ("layers=32 layers=33 width=4096", "layers: is given twice; keep one"),
        ("layers=32 width=4096 gated=si", "gated: must be true or false"),
        (
            "layers=thirty width=4096",
            'layers: must be a whole number such as 8, got "t',
        ),
        ("layers=32 width=[4096]", "width: must be a whole number"),
        ("layers=&a width=4096", 'layers: "&a" refers to another place'),
        ("width=4096", "layers: is missing"),
    ],
)
def test_architectures_that_are_none(words, told):
    (line,) = problems(words)
    assert line.startswith(f"--snap {words}: {told}")


def test_what_a_law_cannot_count_is_told_at_its_place(here):
    here("- {layers: 32, width: 4096}\n- {layers: 2, width: 64, vocabulary: 100}\n")
    found = read_sizes("7B, mine.yaml, layers=3 width=64")
    rest = "target: {match: {parameters: 1B}}\ndemand: {tokens: 1T}\n"
    refuse_unfit(found, [read_scenario(f"law: kumar-2024\n{rest}")])
    with pytest.raises(InputError) as caught:
        refuse_unfit(found, [read_scenario(f"law: besiroglu-2024\n{rest}")] * 2)
    message = (
        "besiroglu-2024 counts the embeddings; add vocabulary: 128256, and tied: true "
        "where they also read the answer out"
    )
    assert str(caught.value).splitlines() == [
        f"--snap layers=3 width=64: {message}",
        f"mine.yaml:1:3: [0]: {message}",
    ]
