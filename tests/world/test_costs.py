"""Lines of the bill as monomials, against the papers' counts of FLOPs."""

import pytest

from optimizer.errors import InputError
from optimizer.reading.document import load_text
from optimizer.reading.fields import read_model
from optimizer.world.costs import (
    Architecture,
    Costs,
    Data,
    MoneyOverTime,
    other_lines,
    serving_line,
    value,
)
from optimizer.world.demand import Stream, served
from optimizer.world.machines import Machine, Serving, Training
from optimizer.world.training import training_line

SHAPE = Architecture(layers=36, width=2048, sequence=4096)
CHIP = Machine("chip", flops=1e15, price=3.6, power=1000.0, grid=0.5)


def read(model, text):
    return read_model(load_text(text, "s.yaml"), model)


def stream(text):
    return served(read(Stream, f"{{{text}}}"))


def at(line, unit, N=2e9, D=3e12):
    return line.amount(unit, {"N": N, "D": D})


def test_training_flops_of_smollm3_with_attention():
    """PaLM's appendix B: 6·N + 12·L·H·Q·T FLOPs a token; SmolLM3's shape."""
    plain = training_line(read(Training, "{}"), Machine(), 0.0, None)
    assert at(plain, "FLOP", 3075098624, 1) == 6 * 3075098624
    seen = training_line(read(Training, "{attention: true}"), Machine(), 0.0, SHAPE)
    assert at(seen, "FLOP", 3075098624, 1) == 6 * 3075098624 + 12 * 36 * 2048 * 4096
    # A fifth more for this model: what its MFU of 26 % by 6·N·D hides.
    assert at(seen, "FLOP", 3075098624, 1) / (6 * 3075098624) == pytest.approx(
        1.196, abs=5e-4
    )


def test_restarts_repeat_training_work_attention_and_all():
    training = read(Training, "{attention: true, mfu: 50 %}")
    once = training_line(training, CHIP, 0.0, SHAPE)
    again = training_line(training, CHIP, 0.08, SHAPE)
    for unit in ("FLOP", "s", "USD", "kWh", "kgCO2e"):
        assert at(again, unit) == pytest.approx(1.08 * at(once, unit), rel=1e-12)


@pytest.mark.parametrize("shape", [None, Architecture(layers=1, width=1)])
def test_attention_needs_a_shape_and_a_sequence(shape):
    with pytest.raises(ValueError, match="sequence: 4096"):
        training_line(read(Training, "{attention: true}"), CHIP, 0.0, shape)


def test_the_second_of_a_machine_in_every_unit():
    """1e15 FLOP/s at 25 %: 4 s for 1e15 FLOP, $0.001 a second, 1 kW, 0.5 kg a kWh."""
    line = training_line(read(Training, "{mfu: 25 %}"), CHIP, 0.0, None)
    N, D = 1e6, 1e15 / 6e6
    found = {u: at(line, u, N, D) for u in ("FLOP", "s", "USD", "kWh", "kgCO2e")}
    expected = {
        "FLOP": 1e15,
        "s": 4,
        "USD": 0.004,
        "kWh": 4 / 3600,
        "kgCO2e": 2 / 3600,
    }
    assert found == pytest.approx(expected, rel=1e-12)


def test_prefill_and_decode_each_at_their_mfu():
    demand = stream("requests: 1e6, input_tokens: 1000, output_tokens: 100")
    split = read(Serving, "{mfu: {prefill: 50 %, decode: 2 %}}")
    line = serving_line(demand, split, CHIP, MoneyOverTime(), None)
    seconds = 2 * 2e9 * (1e9 / 0.5 + 1e8 / 0.02) / 1e15
    assert at(line, "s") == pytest.approx(seconds, rel=1e-12)
    assert at(line, "FLOP") == pytest.approx(2 * 2e9 * 1.1e9, rel=1e-12)
    total = stream("tokens: 1.1e9")
    with pytest.raises(ValueError, match="gives only a total, but prefill and"):
        serving_line(total, split, CHIP, MoneyOverTime(), None)
    nothing = serving_line(stream("tokens: 0"), split, CHIP, MoneyOverTime(), None)
    assert at(nothing, "USD") == 0


def test_attention_of_a_prompt_is_the_causal_mean():
    """Token t of T attends to t before it: Σ 4·L·width·t = 2·L·width·T² a prompt."""
    demand = stream("requests: 10, input_tokens: 5000, output_tokens: 7")
    bare, seen = (
        serving_line(demand, read(Serving, text), Machine(), MoneyOverTime(), SHAPE)
        for text in ("{}", "{attention: true}")
    )
    extra = sum(4 * 36 * 2048 * t for t in range(1, 5001)) * 10
    assert at(seen, "FLOP") - at(bare, "FLOP") == pytest.approx(extra, rel=3e-4)
    for shape, text in ((None, "tokens: 5"), (SHAPE, "tokens: 5")):
        with pytest.raises(ValueError, match="input_tokens of a request"):
            serving_line(
                stream(text),
                read(Serving, "{attention: true}"),
                Machine(),
                MoneyOverTime(),
                shape,
            )


def test_only_dollars_are_discounted():
    demand = stream("tokens: 1e9, start: 2 years")
    money = MoneyOverTime(discount_rate="10 %", price_decline="20 %")
    common = read(Serving, "{mfu: 20 %}")
    now = serving_line(demand, common, CHIP, MoneyOverTime(), None)
    then = serving_line(demand, common, CHIP, money, None)
    for unit in ("FLOP", "s", "kWh", "kgCO2e"):
        assert at(then, unit) == at(now, unit)
    assert at(then, "USD") == pytest.approx(at(now, "USD") * (0.8 / 1.1) ** 2)
    # What a token sold then is worth: discounted, at its own constant price.
    assert then.counted == pytest.approx(1.1**-2)


def test_data_and_fixed_costs_are_dollars_alone():
    lines = other_lines(Costs(fixed="$5k"), Data(price="$2 per million tokens"))
    assert [line.name for line in lines] == ["data", "fixed"]
    assert [at(line, "USD") for line in lines] == pytest.approx([6e6, 5000])
    assert [at(line, "kWh") for line in lines] == [0, 0]
    assert other_lines(Costs(), Data()) == ()


def test_a_unit_that_is_not_known_is_none_and_not_zero():
    line = training_line(read(Training, "{}"), CHIP, 0.0, None)
    assert at(line, "USD") is None
    assert at(line, "FLOP") == 3.6e22
    assert value(line.terms["FLOP"][0], {"N": 2.0, "D": 5.0}) == 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{price_decline: 100 %}", "price_decline: must be below 100 %"),
        ("{discount_rate: -100 %}", "discount_rate: must be above -100 %"),
        ("{price_decline: -5 %}", "price_decline: must be at least 0"),
    ],
)
def test_money_that_cannot_be(text, words):
    with pytest.raises(InputError) as raised:
        read(MoneyOverTime, text)
    assert words in str(raised.value)
