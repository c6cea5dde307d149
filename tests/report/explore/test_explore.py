"""The live explorer over HTTP: the page, plans, the saved file, and who may ask."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from html import escape
from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.live import live, moved, saved
from optimizer.commands.explore import MOST, serving
from optimizer.question.load import load_scenario, read_scenario
from optimizer.reading.document import load_text
from optimizer.report.pages.explore import fragment
from optimizer.report.pages.headline import headline

ROOT = Path(__file__).parents[3]
EVIL = "</script><img src=x onerror=alert(1)>"
TEXT = f"""\
# A comment.
name: "{EVIL}"   # of the page
law: {{E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283}}
target: {{match: {{parameters: 13B}}}} # the target
demand:
  - name: "chat"
    requests: 5M/day      # a day
    input_tokens: '800'
    output_tokens: 3e2
    lifetime: 2 years
  - {{name: batch, tokens: 2T}}
"""


def opened(text=TEXT, *sets):
    return live(load_text(text, "a.yaml"), Path(), sets)


@pytest.fixture(scope="module")
def server():
    with serving(opened(), 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    def request(method, path, body=None, **headers):
        port = server.server_port
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {word.replace("_", "-"): text for word, text in headers.items()}
        data = json.dumps(body) if isinstance(body, dict) else body
        link.request(method, path, data, sent)
        reply = link.getresponse()
        text = reply.read().decode()
        link.close()
        return reply, text

    return request


def test_the_page_has_a_control_for_each_number_and_no_markup_of_the_file(ask):
    reply, text = ask("GET", "/")
    assert reply.status == 200
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    for name in ("target.match.parameters", "demand.chat.requests", "law.alpha"):
        assert f'data-name="{name}"' in text
    assert EVIL not in text
    assert "&lt;/script&gt;&lt;img" in text
    assert "http://" not in text
    assert "https://" not in text


def test_a_moved_number_is_solved(ask):
    reply, text = ask("POST", "/solve", {"values": {"demand.batch.tokens": "20T"}})
    told = json.loads(text)
    assert reply.status == 200
    assert told["wrong"] == {}
    answer = solve(read_scenario(TEXT, "a.yaml", ["demand.batch.tokens=20T"]))
    assert f"{answer.plan.loss:.4f}" in told["html"]
    assert escape(headline(answer)) in told["html"]


def test_mistakes_stand_beside_their_controls(ask):
    values = {"demand.batch.tokens": "-3", "demand.chat.lifetime": "long", "x": "1"}
    for path, status in (("/solve", 200), ("/save", 422)):
        reply, text = ask("POST", path, {"values": values})
        told = json.loads(text)
        assert reply.status == status
        assert told["html"] == ""
        assert told["wrong"]["x"] == "there is no such number"
    for name in ("demand.batch.tokens", "demand.chat.lifetime"):
        _, text = ask("POST", "/solve", {"values": {name: values[name]}})
        assert "must be " in json.loads(text)["wrong"][name]
    _, text = ask("POST", "/solve", {"values": {"law.alpha": "{a: [1]}"}})
    assert json.loads(text)["wrong"] == {"law.alpha": "needs a number"}


def test_the_saved_file_keeps_its_words_and_answers_the_same(ask):
    values = {
        "target.match.parameters": "30B",
        "demand.chat.requests": "7M/day",
        "demand.chat.input_tokens": "900",
        "demand.chat.output_tokens": "1K",
        "demand.batch.tokens": "3T",
    }
    reply, text = ask("POST", "/save", {"values": values})
    assert reply.status == 200
    meant = TEXT.replace("13B", "30B").replace("5M/day", "7M/day")
    meant = meant.replace("'800'", "900").replace("3e2", "1K").replace("2T", "3T")
    assert text == meant
    assert solve(read_scenario(text)).cost.total == pytest.approx(
        solve(moved(opened(), values).scenario).cost.total, rel=1e-12
    )


@pytest.mark.parametrize("name", ["open-release", "consumer-api", "on-device"])
def test_every_control_of_a_shipped_scenario_moves_and_saves(name, tmp_path):
    path = ROOT / "scenarios" / f"{name}.yaml"
    explored = live(load_text(path.read_text(), str(path)), path.parent, ())
    for control in explored.controls:
        for text in control.stops[::39]:
            change = moved(explored, {control.name: text})
            assert change.wrong == {}
            file = tmp_path / "saved.yaml"
            file.write_text(saved(explored, change))
            again = load_scenario(file)
            assert again.law.coefficients == change.scenario.law.coefficients
            assert again.spec.model_copy(update={"law": ""}) == (
                change.scenario.spec.model_copy(update={"law": ""})
            )


def test_choices_are_only_those_that_can_be_asked_and_each_saves():
    path = ROOT / "scenarios" / "consumer-api.yaml"
    text = path.read_text()
    explored = live(load_text(text, str(path)), path.parent, ())
    picks = {one.name: one for one in explored.picks}
    assert set(picks) == {
        *("law", "objective", "training.hardware", "training.precision"),
        *("serving.hardware", "serving.precision"),
    }
    assert "tpu-v5e" not in picks["serving.hardware"].options  # it has no price
    assert picks["objective"].options == ("compute", "dollars")
    changes = {name: one.options[-1] for name, one in picks.items()} | {"law": "x"}
    assert moved(explored, changes).wrong["law"].startswith("may be ")
    for name, one in picks.items():
        for word in one.options[::6]:
            change = moved(explored, {name: word})
            assert change.problems == ()
            new = saved(explored, change)
            assert read_scenario(new).spec == change.scenario.spec
            comments = [line for line in text.split("\n") if "#" in line]
            assert [line for line in new.split("\n") if "#" in line] == comments


def test_a_slider_is_where_its_box_is():
    """Whatever period the box says, and at an end for what is beyond it."""
    explored = opened()
    name = "demand.chat.requests"
    for text, stop in (
        ("50M/day", 80),
        ("500M/day", 80),
        ("0.5M/day", 0),
        ("5M/day", 40),
        ("35M/week", 40),
        ("15.8114M/day", 60),
        ("110.68M/week", 60),
    ):
        found = moved(explored, {name: text}).stops.get(name)
        assert found == stop, text


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("{accelerators: 8} # own", "{attention: true, accelerators: 8} # own"),
        ("\n  # own\n  accelerators: 8 # a", None),
    ],
)
def test_a_new_word_finds_its_place_in_the_file(start, end):
    end = end or f"{start}\n  attention: true"
    shape = "architecture: {layers: 32, width: 4096, sequence: 4096}\n"
    text = f"{TEXT}{shape}training: "
    explored = opened(f"{text}{start}\n", "training.attention=true")
    assert saved(explored, moved(explored, {})) == f"{text}{end}\n"


@pytest.mark.parametrize("name", ["verified-code", "distillation", "open-release"])
def test_the_curve_touches_its_least_at_the_plan(name):
    """Also where the samples are part of the plan, and of a student."""
    scenario = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    text = fragment(scenario, solve(scenario))
    assert 'class="curve"' in text
    assert "costs the least;" in text


def test_the_stops_of_a_range_stay_in_it():
    """Texts are rounded, and no text of an expected number leaves its range."""
    ranges = (
        "batch.tokens={low: 1004B, expected: 2T, high: 3001B}",
        "chat.requests={low: 1M/day, expected: 62M/month, high: 1B/year}",
    )
    explored = opened(TEXT, *(f"demand.{each}" for each in ranges))
    controls = [one for one in explored.controls if one.name.endswith(".expected")]
    assert len(controls) == 2
    for control in controls:
        assert len(set(control.stops)) > 20
        for stop in control.stops:
            assert moved(explored, {control.name: stop}).wrong == {}
        assert moved(explored, {control.name: "9e99/day"}).scenario is None


def test_a_bare_number_keeps_the_unit_beside_its_box():
    """`3M` beside requests/day was 3M requests in all: 7.2B tokens, not 5.26T."""
    explored = opened()
    (control,) = [one for one in explored.controls if one.name.endswith(".requests")]
    assert control.unit == "requests/day"
    bare, whole = (
        moved(explored, {control.name: text}).scenario for text in ("3M", "3M/day")
    )
    assert bare is not None
    assert bare.spec.demand == whole.spec.demand


def test_a_word_that_the_file_lacks_still_saves():
    explored = opened(TEXT, "limits.tokens=1T")
    text = saved(explored, moved(explored, {"limits.tokens": "2T"}))
    assert read_scenario(text).spec.limits.tokens == 2e12


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/", {"Host": "127.0.0.1"}, 403),
        ("GET", "/", {"Origin": "http://evil.example"}, 403),
        ("POST", "/solve", {"Origin": "http://evil.example"}, 403),
        ("POST", "/solve", {"Origin": "null"}, 403),
        ("POST", "/solve", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("POST", "/solve", {"Content_Type": "text/plain"}, 415),
        ("POST", "/other", {}, 404),
        ("GET", "/../../etc/passwd", {}, 404),
        ("GET", "/a.yaml", {}, 404),
        ("PUT", "/", {}, 501),
        ("DELETE", "/", {}, 501),
    ],
)
def test_others_are_refused(ask, method, path, headers, status):
    body = {"values": {}} if method == "POST" else None
    reply, _ = ask(method, path, body, **headers)
    assert reply.status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[1]", 400),
        ('{"values": 3}', 400),
        ('{"values": {"a": 3}}', 400),
        ("[" * 5000, 400),
        (" " * (MOST + 1), 413),
    ],
)
def test_bodies_that_are_none_are_refused(ask, body, status):
    reply, _ = ask("POST", "/solve", body)
    assert reply.status == status


def test_ctrl_c_ends_it(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "explore", "a.yaml"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err == "the explorer has ended\n"


def test_a_stream_with_a_machine_of_its_own_has_choices_of_its_own():
    text = TEXT.replace(
        "demand:\n",
        "demand:\n  - {name: own, tokens: 1T, # mine\n"
        "     serving: {hardware: b200, precision: fp8, mfu: 20 %, price: $4/h}}\n",
    )
    assert text != TEXT
    explored = live(load_text(text, "a.yaml"), Path(), ())
    picks = {one.name: one for one in explored.picks}
    chip = picks["demand.own.serving.hardware"]
    assert chip.text == "b200"
    change = moved(explored, {chip.name: "h200-sxm"})
    assert (change.wrong, change.problems) == ({}, ())
    new = saved(explored, change)
    assert new == text.replace("hardware: b200", "hardware: h200-sxm")
    assert solve(read_scenario(new)).cost.total == pytest.approx(
        solve(change.scenario).cost.total, rel=1e-12
    )
