"""Machines: what a FLOP costs, how a stream's serving overrides the common one."""

import pytest

from optimizer.errors import InputError
from optimizer.reading.document import load_text
from optimizer.reading.fields import read_model
from optimizer.world.hardware import load_hardware
from optimizer.world.machines import Energy, Machine, Serving, Training, machine

H100 = load_hardware("h100-sxm")


def serving(text):
    return read_model(load_text(text, "s.yaml"), Serving)


def test_an_hour_of_an_h100_at_its_whole_peak():
    """989.4 TFLOP/s for an hour at $2, 700 W · 0.5 · 1.2 at the wall, 0.4 kg a kWh."""
    figures = Energy(pue=1.2, power_fraction=0.5, grid="0.4 kg/kWh")
    rates = machine(H100, "bf16", 2.0, figures)
    found = rates.amounts(989.4e12 * 3600, 1.0)
    expected = {"s": 3600, "USD": 2, "kWh": 0.42, "kgCO2e": 0.168}
    assert found == pytest.approx({"FLOP": 989.4e12 * 3600, **expected})
    half = rates.amounts(989.4e12 * 3600, 0.5)
    assert half == pytest.approx(
        {"FLOP": 989.4e12 * 3600, **{k: 2 * v for k, v in expected.items()}}
    )
    # fp8 does twice the work in the time, at the same power.
    fast = machine(H100, "fp8", 2.0, figures).amounts(1979e12 * 3600, 1.0)
    assert fast["kWh"] == pytest.approx(0.42)


@pytest.mark.parametrize(
    ("rates", "mfu", "known"),
    [
        (Machine(), 0.4, {"FLOP"}),
        (Machine(price=2.0), 0.4, {"FLOP"}),
        (Machine(flops=1e15, price=2.0), None, {"FLOP"}),
        (Machine(flops=1e15), 0.4, {"FLOP", "s"}),
        (Machine(flops=1e15, price=2.0), 0.4, {"FLOP", "s", "USD"}),
        (Machine(flops=1e15, power=500.0), 0.4, {"FLOP", "s", "kWh"}),
        (Machine(flops=1e15, grid=0.3), 0.4, {"FLOP", "s"}),
    ],
)
def test_a_unit_is_known_where_its_figures_are(rates, mfu, known):
    assert set(rates.amounts(1e18, mfu)) == known


def test_a_precision_that_a_chip_lacks_is_refused_with_those_it_has():
    with pytest.raises(ValueError, match="a100-80-sxm has no fp8 peak; it has bf16"):
        machine(load_hardware("a100-80-sxm"), "fp8", 1.0, None)


def test_energy_of_a_chip_without_a_tdp_is_refused_with_the_chips_reason():
    figures = Energy(pue=1.2, power_fraction=0.5, grid=None)
    tpu = load_hardware("tpu-v5e")
    with pytest.raises(ValueError, match="Google publishes no TDP"):
        machine(tpu, "bf16", 1.0, figures)
    assert machine(tpu, "bf16", 1.0, None).power is None


def test_stored_weights_follow_the_arithmetic_and_the_cache_does_not():
    plain = serving("{}")
    assert (plain.arithmetic, plain.weight_bytes, plain.kv_bytes) == ("bf16", 2, 2)
    eight = serving("{precision: fp8}")
    assert (eight.weight_bytes, eight.kv_bytes) == (1, 2)
    four = serving("{precision: fp8, weights: int4, kv: fp8}")
    assert (four.weight_bytes, four.kv_bytes) == (0.5, 1)


def test_a_streams_serving_overrides_word_by_word():
    common = serving("{hardware: h100-sxm, mfu: 30 %, price: $2/h, weights: int4}")
    own = serving("{hardware: l4, mfu: {prefill: 20 %, decode: 2 %}}")
    both = own.over(common)
    assert both.hardware == "l4"
    assert both.mfu.decode == 0.02
    assert both.price == 2
    assert both.weight_bytes == 0.5
    assert serving("{}").over(common) == common
    # A word that repeats the default is a word: it overrides.
    assert (
        serving("{precision: bf16}").over(serving("{precision: fp8}")).arithmetic
        == "bf16"
    )


def test_mfu_alone_means_time_and_flops_means_none():
    assert serving("{mfu: 30 %}").by_time
    assert serving("{model: mfu, mfu: 30 %}").by_time
    assert not serving("{}").by_time
    assert not serving("{model: flops, mfu: 30 %}").by_time
    assert serving("{model: mfu}").by_time


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{mfu: 1.5}", "mfu: must be at most 1"),
        ("{mfu: 0}", "mfu: must be above 0"),
        ("{price: 3 GB}", "price: must be a price"),
        ("{price: 0}", "price: must be above 0"),
        ("{accelerators: 0}", "accelerators: must be above 0"),
        ("{accelerators: 1.5}", "accelerators: must be a whole number"),
        ("{precision: int4}", "precision: must be one of bf16, fp8, int8, fp4"),
    ],
)
def test_machines_that_cannot_be(text, words):
    with pytest.raises(InputError) as raised:
        read_model(load_text(text, "s.yaml"), Training)
    assert words in str(raised.value)
