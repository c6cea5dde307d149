"""The explorer when pages go away, and when many ask at once; with real sockets."""

import json
import socket
import threading

import pytest

from optimizer.analysis.plan import optimum
from optimizer.commands import explore
from tests.report.explore.test_explore import opened

LONG = 30  # [s] that nothing here takes
BODY = json.dumps({"values": {"demand.chat.requests": "6M/day"}}).encode()


class Held:
    """A solve that waits until it may go on, and counts."""

    def __init__(self):
        self.count, self.may, self.solve = 0, threading.Event(), optimum.solve

    def __call__(self, scenario):
        self.count += 1
        assert self.may.wait(LONG)
        return self.solve(scenario)


@pytest.fixture
def served(monkeypatch):
    with explore.serving(opened(), 0) as server:
        held = Held()
        monkeypatch.setattr(optimum, "solve", held)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server, held
        held.may.set()
        server.shutdown()
        thread.join()


def sent(server):
    """A page that has asked and reads nothing yet."""
    port = server.server_port
    page = socket.create_connection(("127.0.0.1", port), timeout=LONG)
    head = (
        f"POST /solve HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    page.sendall(head.encode() + BODY)
    return page


def read(page):
    """The status of an answer; None where there is none."""
    with page, page.makefile("rb") as file:
        words = file.read().split(None, 2)
    return int(words[1]) if words else None


def until(server, holds):
    """Waits until something holds of the line."""
    turns = server.turns
    with turns.changed:
        assert turns.changed.wait_for(lambda: holds(turns.line), LONG)


def standing(server, number):
    until(server, lambda line: len(line) == number)


def test_a_page_that_has_gone_is_not_solved_for(served, capfd):
    server, held = served
    first = sent(server)
    standing(server, 1)
    second = sent(server)
    standing(server, 2)
    third = sent(server)
    standing(server, 3)
    second.close()
    held.may.set()
    assert [read(first), read(third)] == [200, 200]
    standing(server, 0)
    assert held.count == 2
    assert capfd.readouterr().err == ""


def test_a_page_that_leaves_while_it_is_solved_leaves_no_trace(served, capfd):
    server, held = served
    page = sent(server)
    standing(server, 1)
    page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    page.close()  # with a reset, so that the answer cannot be written
    held.may.set()
    standing(server, 0)
    assert read(sent(server)) == 200
    assert capfd.readouterr().err == ""


def test_the_line_is_bounded_and_those_who_left_make_room(served):
    server, held = served
    pages = []
    for number in range(explore.LINE):
        pages.append(sent(server))
        standing(server, number + 1)
    assert read(sent(server)) == 503
    pages.pop(3).close()
    last = server.turns.line[-1]
    late = sent(server)  # takes the place of the page that left
    until(server, lambda line: line[-1] is not last)
    held.may.set()
    assert {read(page) for page in [*pages, late]} == {200}
    assert held.count == explore.LINE


def test_connections_are_bounded(served):
    server, _ = served
    server.room = threading.BoundedSemaphore(2)
    here = ("127.0.0.1", server.server_port)
    idle = [socket.create_connection(here) for _ in range(2)]
    assert read(socket.create_connection(here, timeout=LONG)) is None
    for one in idle:
        one.close()
