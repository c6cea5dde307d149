import datetime
from pathlib import Path

import pytest

from optimizer.errors import InputError, Mark
from optimizer.reading.document import load_text
from optimizer.world.hardware import (
    Hardware,
    example_price,
    hardware_from_mapping,
    hardware_names,
    load_hardware,
)


def chip(text: str) -> Hardware:
    return hardware_from_mapping(load_text(text, "my.yaml"))


def complaints(text: str) -> list[str]:
    with pytest.raises(InputError) as raised:
        chip(text)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize("key", hardware_names())
def test_every_entry_is_complete_and_of_a_plausible_size(key: str) -> None:
    """A slip of a thousand in any unit falls outside these spans.

    Few makers give no TDP; whatever lacks one must say why.
    """
    hardware = load_hardware(key)
    assert hardware.key == key
    assert 1e14 < hardware.peak("bf16") < 5e15
    assert hardware.memory is not None
    assert 1e10 < hardware.memory < 5e11
    assert hardware.bandwidth is not None
    assert 1e11 < hardware.bandwidth < 1e13
    if key.startswith(("tpu", "trainium")) or key == "h20":
        assert hardware.tdp is None
        assert "TDP" in hardware.note or "data sheet" in hardware.note
    else:
        assert 50 < hardware.power() < 2000
    # Joules a FLOP of real chips: 0.2 to 2 pJ at bf16, over six years of them.
    if hardware.tdp:
        assert 2e-13 < hardware.tdp / hardware.peak("bf16") < 2e-12
    # A byte takes about as long as 30 to 600 FLOP.
    assert 30 < hardware.peak("bf16") / hardware.bandwidth < 650
    assert hardware.source
    year, month, *day = map(int, hardware.date.split("-"))
    assert datetime.date(year, month, *(day or [1])) < datetime.date(2026, 12, 1)


def test_the_figures_of_three_chips_as_their_makers_print_them() -> None:
    """NVIDIA's H100 and A100 datasheets, Google's TPU v5e page, to their rounding.

    The sparse figures of H100 SXM are 1,979 TFLOP/s at bf16 and 3,958 at fp8.
    """
    h100, a100 = load_hardware("h100-sxm"), load_hardware("a100-80-sxm")
    assert h100.peak("bf16") == pytest.approx(1979e12 / 2, rel=1e-3)
    assert h100.peak("fp8") == pytest.approx(3958e12 / 2, rel=1e-3)
    assert (h100.memory, h100.bandwidth, h100.tdp) == (80 * 2**30, 3.35e12, 700)
    assert (a100.peak("bf16"), a100.peak("int8")) == (312e12, 624e12)
    assert (a100.memory, a100.bandwidth, a100.tdp) == (80 * 2**30, 2.039e12, 400)
    v5e = load_hardware("tpu-v5e")
    assert (v5e.peak("bf16"), v5e.peak("int8")) == (197e12, 393e12)
    assert (v5e.memory, v5e.bandwidth) == (16 * 2**30, 819e9)


def test_mi300x_peaks_follow_from_its_clock_and_its_compute_units() -> None:
    """304 units at 2.1 GHz do 2048 bf16 and 4096 fp8 FLOP a cycle each.

    *Source*: AMD ROCm documentation, Instinct MI300 series microarchitecture.
    """
    cycles = 304 * 2.1e9
    mi300x = load_hardware("mi300x")
    assert mi300x.peak("bf16") == pytest.approx(2048 * cycles, rel=1e-4)
    assert mi300x.peak("fp8") == pytest.approx(4096 * cycles, rel=1e-4)
    assert mi300x.peak("int8") == mi300x.peak("fp8")


@pytest.mark.parametrize(
    "key", ["h100-sxm", "h200-sxm", "b200", "gb200", "b300", "gb300", "mi300x"]
)
def test_half_the_bits_double_the_speed_where_both_are_stated(key: str) -> None:
    hardware = load_hardware(key)
    assert hardware.peak("fp8") == pytest.approx(2 * hardware.peak("bf16"), rel=1e-3)


@pytest.mark.parametrize("key", ["b200", "gb200"])
def test_blackwell_doubles_once_more_at_four_bits(key: str) -> None:
    hardware = load_hardware(key)
    assert hardware.peak("fp4") == 2 * hardware.peak("fp8")


@pytest.mark.parametrize(("key", "peak"), [("b300", 153.5e12), ("gb300", 165e12)])
def test_blackwell_ultra_gave_up_int8(key: str, peak: float) -> None:
    """Its int8 is a tenth of its bf16 and less: no preset may take twice bf16."""
    hardware = load_hardware(key)
    assert hardware.peak("int8") == peak
    assert hardware.peak("int8") < hardware.peak("bf16") / 10


@pytest.mark.parametrize(
    ("key", "precision"),
    [
        ("a100-80-sxm", "fp8"),
        ("tpu-v5e", "fp8"),
        ("tpu-v7", "int8"),
    ],
)
def test_no_peak_that_no_primary_source_states(key: str, precision: str) -> None:
    assert precision not in load_hardware(key).peaks


def test_figures_that_are_not_the_makers_own_are_marked() -> None:
    """NVIDIA publishes no data sheet of the H20; Intel and AWS do of theirs."""
    assert {"bf16", "bandwidth"} <= set(load_hardware("h20").secondary)
    assert not load_hardware("gaudi-3").secondary
    for key in hardware_names():
        chip = load_hardware(key)
        for word in chip.secondary:
            assert word in chip.peaks or getattr(chip, word) is not None


def test_memory_is_in_gib_and_links_are_one_way() -> None:
    """NVLink 4 is printed as 900 GB/s of both directions; drivers report GiB."""
    h100 = load_hardware("h100-sxm")
    assert (h100.link, h100.memory) == (450e9, 80 * 2**30)
    assert load_hardware("b300").memory == 275_040 * 2**20


def test_a_peak_that_is_not_stated_names_those_that_are() -> None:
    with pytest.raises(
        ValueError, match=r"^a100-40-sxm has no fp8 peak; it has bf16, i"
    ):
        load_hardware("a100-40-sxm").peak("fp8")
    with pytest.raises(ValueError, match=r"^b200 has no int4 peak; it has bf16, fp8,"):
        load_hardware("b200").peak("int4")


def test_energy_of_a_tpu_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="tdp: 300 W") as raised:
        load_hardware("tpu-v6e").power()
    assert str(raised.value) == (
        "tpu-v6e has no thermal design power (Google publishes no TDP, only "
        "estimates by others exist); describe the chip in the scenario and add "
        "e.g. tdp: 300 W"
    )


@pytest.mark.parametrize(
    ("word", "near"),
    [("h100-sxn", "h100-sxm"), ("H100-SXM", "h100-sxm"), ("tpu_v5e", "tpu-v5e")],
)
def test_an_unknown_name_is_told_the_near_one(word: str, near: str) -> None:
    mark = Mark("plan.yaml", 7, 13)
    with pytest.raises(InputError) as raised:
        load_hardware(word, mark=mark, path="serving.hardware")
    (problem,) = raised.value.problems
    assert str(problem).startswith(
        "plan.yaml:7:13: serving.hardware: must be a .yaml file or one of a100-40-sxm,"
    )
    assert str(problem).endswith(f', trainium-3, got "{word}"; did you mean "{near}"?')


@pytest.mark.parametrize("word", ["", "../", "h100-sxm\x00/", "quite else"])
def test_a_name_that_is_none_is_an_input_error(word: str) -> None:
    with pytest.raises(InputError):
        load_hardware(word)


MINE = """\
name: my-chip
peaks: {bf16: 400 TFLOP/s, fp8: 0.8 PFLOP/s}
memory: 96 GB
bandwidth: 4 TB/s
tdp: 0.6 kW
source: our lab
"""


def test_an_entry_of_the_users_with_units_of_their_choice() -> None:
    hardware = chip(MINE)
    assert hardware.key == hardware.name == "my-chip"
    assert hardware.peaks == {"bf16": 400e12, "fp8": 800e12}
    assert (hardware.memory, hardware.bandwidth) == (96e9, 4e12)
    assert (hardware.power(), hardware.source) == (600, "our lab")


def test_an_entry_inside_a_scenario_is_found_and_located_by_its_path() -> None:
    scenario = load_text(
        "training:\n"
        "  hardware: {name: my-chip, peaks: {bf16: 400 TFLOP/s}}\n"
        "serving:\n"
        "  hardware:\n"
        "    name: other\n"
        "    peaks: {bf16: 400}\n",
        "plan.yaml",
    )
    assert hardware_from_mapping(scenario, ("training", "hardware")).memory is None
    with pytest.raises(InputError) as raised:
        hardware_from_mapping(scenario, ("serving", "hardware"))
    assert str(raised.value) == (
        "plan.yaml:6:19: serving.hardware.peaks.bf16: must be a speed such as "
        "989 TFLOP/s, got 400; add a unit: FLOP/s, GFLOP/s, TFLOP/s, PFLOP/s, EFLOP/s"
    )


def test_a_file_is_found_from_the_scenarios_folder(tmp_path: Path) -> None:
    (tmp_path / "chip.yaml").write_text(MINE, encoding="utf-8")
    assert load_hardware("chip.yaml", tmp_path).key == "my-chip"
    assert load_hardware(str(tmp_path / "chip.yaml")).key == "my-chip"
    with pytest.raises(InputError, match=r"none\.yaml: there is no such file$"):
        load_hardware("none.yaml", tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            MINE.replace("fp8: 0.8", "fp9: 0.8"),
            'my.yaml:2:28: peaks.fp9: unknown word "fp9"; did you mean "fp8"?',
        ),
        (
            MINE.replace("0.6 kW", "-5 W"),
            'my.yaml:5:6: tdp: must be above 0, got "-5 W"',
        ),
        (
            MINE.replace("96 GB", "96 GB/s"),
            'my.yaml:3:9: memory: must be a size in bytes such as 80 GB, got "96 GB/s"',
        ),
        (
            MINE.replace("{bf16: 400 TFLOP/s, fp8: 0.8 PFLOP/s}", "{}"),
            "my.yaml:2:8: peaks: must give at least one peak, e.g. bf16: 400 TFLOP/s",
        ),
        (
            MINE.replace("my-chip", "' '"),
            "my.yaml:1:7: name: must be a name, got an empty text",
        ),
        (
            MINE.replace("my-chip", "h100-sxm"),
            'my.yaml:1:7: name: "h100-sxm" is in the library; choose another name',
        ),
    ],
)
def test_mistakes_of_an_entry_in_plain_words(text: str, expected: str) -> None:
    (complaint,) = complaints(text)
    assert complaint.startswith(expected)


def test_every_mistake_of_an_entry_at_once() -> None:
    found = complaints("nam: x\npeaks: {bf16: fast, fp8: true}\nmemory: .nan\n")
    assert [line.split(": ")[1] for line in found] == [
        "nam",
        "peaks.bf16",
        "peaks.fp8",
        "memory",
    ]
    assert 'did you mean "name"?' in found[0]


@pytest.mark.parametrize("text", ["[1, 2]", "just text", "peaks: 3", "name: [x]"])
def test_what_is_no_entry_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        chip(text)


def test_the_example_is_the_median_offer_and_a_real_one() -> None:
    """Seven offers of H100 SXM from 2.69 to 12.29 USD/h: the fourth is 4.29."""
    price = example_price("h100-sxm")
    assert (price.value, price.provider) == (4.29, "Lambda")
    assert price.date == "2026-09-20"
    assert price.note.startswith("on demand")


def test_of_two_middle_offers_the_dearer() -> None:
    assert example_price("h100-nvl").value == 3.19  # of 2.59 and 3.19
    assert example_price("a100-80-sxm").value == 2.79  # of 1.39, 1.79, 2.79, 3.43


def test_every_example_is_dated_plausible_and_for_a_chip_of_the_library() -> None:
    priced = []
    for key in hardware_names():
        try:
            price = example_price(key)
        except ValueError:
            continue
        priced.append(key)
        assert 0.5 < price.value < 15
        assert datetime.date.fromisoformat(price.date) < datetime.date(2026, 12, 1)
        assert price.provider
        assert price.note
    assert len(priced) == 8


@pytest.mark.parametrize("key", ["h200-sxm", "my-chip", ""])
def test_a_chip_without_an_example_price_says_so(key: str) -> None:
    with pytest.raises(ValueError, match=r"price: \$2\.50/h$") as raised:
        example_price(key)
    assert str(raised.value).startswith(
        f"there is no example price for {key}, only for a100-40-sxm, "
    )
