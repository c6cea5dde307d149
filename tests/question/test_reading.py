"""Good input in all its spellings, `--set`, and files beside the scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import DAY, Flow
from optimizer.reading.spread import Spread
from optimizer.world.demand import served

PLAIN = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
EVERYTHING = Path(__file__).with_name("everything.yaml")


def test_every_word_of_the_design_is_read() -> None:
    scenario = load_scenario(EVERYTHING)
    spec, (assistant, batch) = scenario.spec, scenario.streams
    assert scenario.name == "Everything"
    assert spec.training.accelerators == 384
    assert scenario.hardware["serving",].peaks["fp4"] == 1.6e15
    assert assistant.requests == Spread(
        low=Flow(2e6, DAY), expected=Flow(5e6, DAY), high=Flow(8e6, DAY)
    )
    assert batch.serving is not None
    assert scenario.prices.keys() == {"h100-sxm"}
    assert scenario.notes[0].startswith("h100-sxm at $")
    assert served(assistant).prompt == 800
    assert formulate(scenario).unit == "kgCO2e"


def test_words_that_are_left_out_have_the_values_of_the_design() -> None:
    scenario = read_scenario(PLAIN, "folder/assistant.yaml")
    assert scenario.name == "assistant"
    assert scenario.spec.objective == "compute"
    (stream,) = scenario.streams
    assert (stream.samples, stream.growth, stream.start) == (1.0, 0.0, 0.0)
    assert stream.cost_share == 1.0
    assert scenario.prices == {}
    assert (
        read_scenario("law: kaplan-2020\nbudget: {training_compute: 1e24}\n").streams
        == ()
    )


@pytest.mark.parametrize(
    "spelling",
    [
        *("2e12", "2.0e12", "2E12", "2T", "2_000_000_000_000", "2 T", "2T tokens"),
        *(
            "2000B",
            "2 trillion",
            "2 trillion tokens",
            "'2T'",
            "+2T",
            "2.0 T",
            "0x1d1a94a2000",
        ),
        *("{low: 1T, expected: 2T, high: 3e12}", "2000000000000", "2e+12"),
    ],
)
def test_numbers_in_all_their_spellings(spelling: str) -> None:
    scenario = read_scenario(PLAIN.replace("2T", spelling))
    assert served(scenario.streams[0]).tokens == 2e12


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("limits: {training_time: 30 days}", "limits: {training_time: 720 h}"),
        ("limits: {training_time: 1 year}", "limits: {training_time: 365.25 days}"),
        ("limits: {memory: 80 GB}", "limits: {memory: 80e9 bytes}"),
        ("limits: {total_cost: $5M}", "limits: {total_cost: 5 million USD}"),
        ("limits: {energy: 9 TWh}", "limits: {energy: 9e9 kWh}"),
        ("limits: {training_compute: 1e24}", "limits: {training_compute: 1 YFLOP}"),
        ("costs: {restart: 5 %}", "costs: {restart: 0.05}"),
        (
            "data: {price: $0.5 per million tokens}",
            "data: {price: $500/billion tokens}",
        ),
        ("money: {discount_rate: 8 %}", "money: {discount_rate: 8 %/year}"),
    ],
)
def test_one_amount_in_two_units(one: str, other: str) -> None:
    machines = (
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2.50/h, accelerators: 8}\n"
        "serving: {hardware: h100-sxm, mfu: 0.3, price: 2.5}\n"
        "energy: {pue: 1.1, power_fraction: 70 %}\n"
    )
    first, second = (
        read_scenario(PLAIN + machines + text + "\n").spec for text in (one, other)
    )
    assert first == second
    assert first.training.price == first.serving.price == 2.5


STREAMS = PLAIN.replace(
    "demand: {tokens: 2T}",
    "demand:\n  - {name: chat, tokens: 2T}\n"
    "  - {name: code, requests: 1M/day, input_tokens: 10, output_tokens: 5,"
    " lifetime: 1 year}",
)


def changed(text: str, *assignments: str) -> Scenario:
    return read_scenario(text, "f.yaml", assignments)


def test_set_takes_siblings_away() -> None:
    target = changed(PLAIN, "target.loss=2.0").spec.target
    assert target is not None
    assert (target.loss, target.match) == (2.0, None)
    spec = changed(PLAIN, "budget.compute=1e24").spec
    assert spec.target is None
    assert spec.budget is not None
    match = changed(PLAIN, "target.match.tokens=1T").spec.target
    assert match is not None
    assert match.match is not None
    assert (match.match.parameters, match.match.tokens) == (13e9, 1e12)
    named = changed(PLAIN, "target.match.model=llama-3-8b")
    assert named.reference == (8030261248.0, 15e12)


@pytest.mark.parametrize(
    "both",
    [
        ("budget.cost=$30M", "budget.compute=1e24"),
        ("target.match.tokens=1T", "target.match.model=llama-3-8b"),
        ("fix.tokens=1T", "fix.parameters=3B"),
    ],
)
def test_sets_that_exclude_each_other_are_refused_as_in_a_file(both):
    with pytest.raises(InputError, match="cannot stand beside --set"):
        changed(PLAIN, *both)


def test_set_changes_a_stream_by_its_name_and_leaves_the_others() -> None:
    for path in ("demand.chat.requests", "demand.0.requests", "demand[0].requests"):
        chat, code = changed(
            STREAMS,
            f"{path}=5M/day",
            "demand.chat.input_tokens=800",
            "demand.chat.output_tokens=300",
            "demand.chat.lifetime=1 year",
        ).streams
        assert (chat.tokens, chat.requests) == (None, Flow(5e6, DAY))
        assert code == read_scenario(STREAMS).streams[1]
    chat, code = changed(STREAMS, "demand.code.tokens=1T").streams
    assert (code.tokens, code.requests) == (Flow(1e12), None)


def test_set_changes_the_coefficients_of_any_law() -> None:
    named = changed(PLAIN, "law.alpha=0.3").law
    assert named.coefficients["alpha"] == 0.3
    assert named.name == "besiroglu-2024-refit with alpha=0.3"
    inline = "law: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283}"
    text = PLAIN.replace("law: besiroglu-2024-refit", inline)
    both = changed(text, "law.coefficients.beta=0.3", "law.E=1.7").law
    assert (both.coefficients["beta"], both.coefficients["E"]) == (0.3, 1.7)
    other = changed(PLAIN, "law.Nc=9e13", "law=kaplan-2020").law
    assert other.coefficients["Nc"] == 9e13


def test_paths_start_from_the_folder_of_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "scenarios"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "law.yaml").write_text(
        "name: mine\ncoefficients: {E: 1.7, A: 400, B: 410, alpha: 0.34, beta: 0.28}\n"
    )
    (folder / "parts" / "chip.yaml").write_text(
        "name: my-chip\npeaks: {bf16: 400 TFLOP/s}\n"
    )
    text = PLAIN.replace("besiroglu-2024-refit", "parts/law.yaml")
    text += "serving: {hardware: ./parts/chip.yaml, mfu: 30 %}\n"
    (folder / "s.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    scenario = load_scenario("scenarios/s.yaml", ["training.hardware=parts/chip.yaml"])
    assert scenario.law.name == "mine"
    assert {chip.key for chip in scenario.hardware.values()} == {"my-chip"}
    monkeypatch.chdir(folder / "parts")
    assert load_scenario("../s.yaml").law.name == "mine"
    monkeypatch.chdir(folder)
    assert read_scenario(text).law.name == "mine"


def test_a_broken_part_is_located_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "law.yaml").write_text("coefficients: {E: x}\n")
    (tmp_path / "chip.yaml").write_text("\n")
    text = PLAIN.replace("besiroglu-2024-refit", "law.yaml")
    (tmp_path / "s.yaml").write_text(text + "training: {hardware: chip.yaml}\n")
    with pytest.raises(InputError) as caught:
        load_scenario(tmp_path / "s.yaml")
    law, chip = caught.value.problems
    assert str(law.mark) == f"{tmp_path / 'law.yaml'}:1:19"
    assert str(chip.mark) == f"{tmp_path / 's.yaml'}:4:22"
    assert chip.message.endswith("chip.yaml: the file is empty")
