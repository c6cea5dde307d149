"""`overtrain explore`: a page on this machine in which every number can be moved."""

from __future__ import annotations

import json
import select
import socket
import sys
from contextvars import copy_context
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

import click

from optimizer.commands import options
from optimizer.commands.turns import GoneError, TooManyError, Turns
from optimizer.errors import Defect, InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.story.live import Live, Moved

HERE = "127.0.0.1"
NAMES = (HERE, "localhost")
MOST = 100_000  # [bytes] of a request's body
PATIENCE = 30  # [s] with a slow client
LINE = 8  # changes that are solved or wait for it
ROOM = 64  # connections at a time, each with a thread
BUSY = "too many pages ask at once; close some"
EXAMPLES = """\b
Examples:
  overtrain explore open-release.yaml
  overtrain explore a.yaml --port 8000 --set demand.tokens=5T
"""


@click.command("explore", epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@options.overrides
@options.engine
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Of the page; any that is free unless given.",
)
def command(file: str, overrides: tuple[str, ...], port: int) -> int:
    """Open a page in which every number of a scenario can be moved.

    The page is for this machine alone and needs no network. Each change is solved and
    certified as `solve` does, and the changed scenario can be downloaded with its
    comments. Ctrl-C ends it.
    """
    from optimizer.analysis.story.live import live  # noqa: PLC0415 - heavy
    from optimizer.question.portfolio_file import is_portfolio  # noqa: PLC0415

    document, base = options.opened(file)
    if is_portfolio(document):
        message = "holds several models that share; explore takes one model a file"
        raise InputError([Problem(document.key_mark(("models",)), "models", message)])
    explored = live(document, base, overrides)
    try:
        with serving(explored, port) as server:
            address = f"http://{HERE}:{server.server_port}/"
            click.echo(f"{address}  (Ctrl-C ends it)", err=True)
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo("the explorer has ended", err=True)
    return 0


class Explorer(ThreadingHTTPServer):
    """A server of one scenario."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, explored: Live, port: int) -> None:
        from optimizer import __version__  # noqa: PLC0415
        from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415
        from optimizer.report.pages.explore import explore_page, policy  # noqa: PLC0415

        super().__init__((HERE, port), Handler)
        self.explored = explored
        self.policy = policy()
        self.asked = copy_context()  # a thread does not know by itself what was
        self.turns, self.room = Turns(LINE), BoundedSemaphore(ROOM)
        answer = solve(explored.scenario)
        self.page = explore_page(explored, answer, __version__).encode()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread for a request, where there is room for one more."""
        if self.room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one request, in a thread of its own."""
        answer = super().process_request_thread
        try:
            self.asked.copy().run(answer, request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a page that went away, and one line of all else."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            click.echo(f"a request failed: {error!r}", err=True)


def serving(explored: Live, port: int) -> Explorer:
    """Opens a server on this machine; its context closes it.

    Raises:
        InputError: the port is taken or not allowed.
    """
    try:
        return Explorer(explored, port)
    except OSError as error:
        message = f"cannot be used: {error.strerror}; without --port any free one is"
        raise InputError([Problem(Mark(f"--port {port}"), "", message)]) from None


class Handler(BaseHTTPRequestHandler):
    """Answers requests from this machine's own page and refuses all others.

    A page of another site reaches 127.0.0.1 too, by its own name (DNS rebinding) or by
    a form; the first has a foreign Host, the second a foreign Origin.
    """

    server: Explorer
    timeout = PATIENCE
    server_version = "overtrain"
    sys_version = ""

    def do_GET(self) -> None:
        """The page."""
        if not self._ours():
            return
        if self.path != "/":
            self._refuse(HTTPStatus.NOT_FOUND, "there is only /")
            return
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def do_POST(self) -> None:
        """A plan or a file for the values in the body."""
        if not self._ours():
            return
        if self.path not in ("/solve", "/save"):
            self._refuse(HTTPStatus.NOT_FOUND, "there are /solve and /save")
            return
        values = self._values()
        if values is None:
            return
        from optimizer.analysis.story.live import moved  # noqa: PLC0415

        try:
            with self.server.turns.turn(self._gone):
                change = moved(self.server.explored, values)
                answer = self._saved if self.path == "/save" else self._solved
                answer(change)
        except TooManyError:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        except (GoneError, ConnectionError, TimeoutError):
            self.close_connection = True  # there is nobody to tell
        except Exception as error:
            named = str(error) if isinstance(error, Defect) else repr(error)
            told = {"html": "", "wrong": {}, "problems": [f"overtrain failed: {named}"]}
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, told)

    def _solved(self, change: Moved) -> None:
        from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415
        from optimizer.report.pages.explore import fragment, short  # noqa: PLC0415

        told = _mistakes(change)
        if change.scenario is not None:
            answer = solve(change.scenario)
            told["html"] = fragment(change.scenario, answer)
            told["now"] = short(answer)
            told["stops"] = dict(change.stops)
        self._json(HTTPStatus.OK, told)

    def _saved(self, change: Moved) -> None:
        from optimizer.analysis.story.live import saved  # noqa: PLC0415

        if change.scenario is None:
            self._json(HTTPStatus.UNPROCESSABLE_ENTITY, _mistakes(change))
            return
        text = saved(self.server.explored, change).encode()
        self._send(HTTPStatus.OK, "application/yaml; charset=utf-8", text)

    def _gone(self) -> bool:
        """Whether the page has closed its side; it sends nothing after its request."""
        try:
            told, _, _ = select.select([self.connection], [], [], 0)
            return bool(told) and not self.connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True

    def _ours(self) -> bool:
        """Whether a request comes from the page itself; it is refused if not."""
        hosts = [f"{name}:{self.server.server_port}" for name in NAMES]
        if self.headers.get_all("Host", []) not in [[host] for host in hosts]:
            self._refuse(HTTPStatus.FORBIDDEN, "this page is for this machine alone")
            return False
        origins = self.headers.get_all("Origin", [])
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        foreign = any(o not in [f"http://{host}" for host in hosts] for o in origins)
        if foreign or site not in ("same-origin", "none"):
            self._refuse(HTTPStatus.FORBIDDEN, "other pages may not ask")
            return False
        return True

    def _values(self) -> dict[str, str] | None:
        """The values in the body; None where it was refused."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
            return None
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and len(length) < 10):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "say how long the body is")
            return None
        if int(length) > MOST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
            values = body["values"]
            if not all(isinstance(text, str) for text in values.values()):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, 'send {"values": {name: text}}')
            return None
        found: dict[str, str] = values
        return found

    def _json(self, status: HTTPStatus, told: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{message}\n".encode())

    def _send(self, status: HTTPStatus, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing; the terminal is the user's."""


def _mistakes(change: Moved) -> dict[str, Any]:
    return {
        "html": "",
        "wrong": dict(change.wrong),
        "problems": list(change.problems),
    }
