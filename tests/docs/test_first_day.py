"""A newcomer's first ten minutes: from the README by its links to five answers.

Each question is a link away from the README, has a command that the page shows, and the
command answers it in its first paragraph. What the pages print is compared with what
the commands print in `test_pages`; here it is whether that answers the question.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
LINK = re.compile(r"\]\(([^)#]+\.md)\)")
SHOWN = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def linked(page: Path) -> set[Path]:
    text = page.read_text(encoding="utf-8")
    return {(page.parent / link).resolve() for link in LINK.findall(text)}


@pytest.fixture(scope="module")
def questions():
    """Heading → what stands under it, on the page that the README sends one to."""
    page = ROOT / "docs" / "questions.md"
    assert page in linked(README)
    parts = re.split(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# Of each question: words of its heading, and what an answer must have, as words.
ANSWERS = {
    "how large and how long": (
        "for my demand",
        (r"Train [\d.]+B parameters on [\d.]+[BT] tokens", r"[\d.]+ days", r"\$\d"),
    ),
    "what if demand triples": (
        "triples",
        (r"Train [\d.]+B parameters on [\d.]+[BT] tokens", "6T served tokens"),
    ),
    "which law, and how sure": (
        "Which law",
        (
            r"anywhere from [\d.]+B to [\d.]+B",
            r"factor of [\d.]+ in size",
        ),
    ),
    "2,048 H100 for 60 days": (
        "2,048 H100 for 60 days",
        (r"60 days", r"train [\d.]+B parameters on [\d.]+T tokens"),
    ),
    "buy or train": (
        "buy",
        ("Do not train", r"costs \$\d", r"a new model\s+wins|wins above"),
    ),
}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_has_its_command_and_the_command_its_answer(questions, question):
    heading, wanted = ANSWERS[question]
    (found,) = (text for title, text in questions.items() if heading in title)
    shown = " ".join(SHOWN.findall(found))
    assert shown.startswith("$ overtrain ")
    told = " ".join(shown.split())
    for pattern in wanted:
        assert re.search(pattern, told), pattern


def test_every_scenario_of_the_path_is_one_that_init_writes(questions):
    """So that a reader who has only the installed tool can follow."""
    from optimizer import starter_names  # noqa: PLC0415

    text = "".join(questions.values())
    used = set(re.findall(r"scenarios/([\w-]+)\.yaml", text))
    assert len(used) >= 4
    assert used <= set(starter_names())


def test_doubt_is_one_link_further(questions):
    """Which law to take, and a plan that is safe."""
    page = ROOT / "docs" / "questions.md"
    further = linked(page)
    for name in ("which-law.md", "uncertainty.md"):
        assert ROOT / "docs" / name in further
    text = (ROOT / "docs" / "which-law.md").read_text(encoding="utf-8")
    assert "besiroglu-2024-refit" in text[: text.index("\n## ")]


def test_the_numbers_of_the_path_are_those_of_the_answers(capsys):
    """Three times the demand wants a smaller model on more tokens, which compare
    prices: the two plans that the page tells, and a plan that is safe for both."""
    import cli  # noqa: PLC0415

    file = str(ROOT / "scenarios" / "open-release.yaml")
    sizes = []
    for demand in ("2T", "6T"):
        words = ["solve", file, "--set", f"demand.tokens={demand}", "--format", "json"]
        assert cli.main(words) == 0
        (plan,) = json.loads(capsys.readouterr().out)["plans"]
        sizes.append((plan["plan"]["parameters"], plan["plan"]["tokens"]))
    (one, few), (small, many) = sizes
    assert small < one
    assert many > few
    shown = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    for size in (one, small):
        assert f"{size / 1e9:.3g}B parameters" in shown


def test_who_decides_reads_it_on_the_first_screen(overtrain_report):
    """What to do and why: the first sentences of a report, before any fold."""
    first = overtrain_report.partition("<details")[0]
    words = re.sub(r"<[^>]+>", " ", first).replace("\xa0", " ")
    told = " ".join(words.split())
    for part in (
        "Do not train",
        "a new model costs",
        "How sure this is",
        "What could change it",
    ):
        assert part.lower() in told.lower(), part


@pytest.fixture(scope="module")
def overtrain_report():
    pytest.importorskip("vl_convert")
    import overtrain  # noqa: PLC0415

    return overtrain.report(overtrain.load(ROOT / "scenarios" / "buy-or-build.yaml"))
