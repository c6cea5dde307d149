"""A Dask cluster that works out pieces of something long: the only file with Dask.

A piece is a call of a function that each worker can import. A worker that is lost
costs the pieces it had; others take them over.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from optimizer.engine.batch import cores
from optimizer.errors import InputError, Mark, Problem, needs

T = TypeVar("T")
P = TypeVar("P", bound=tuple[Any, ...])

LOCAL = "local"
AHEAD = 2  # pieces in work or waiting, for each thread of the cluster
RETRIES = 3  # of one piece
POLL = 0.5  # [s] between looks at whether to stop
PATIENCE = 10  # [s] for a scheduler to answer
SILENT = 60  # above every level of Dask's messages
HERE = "127.0.0.1"
STOPS = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}


@contextmanager
def connected(address: str, workers: int | None = None) -> Iterator[Any]:
    """A client of a cluster.

    Args:
        address: of a Dask scheduler, such as `tcp://10.0.0.1:8786`, or `local` for
            one that is started here and stopped at the end.
        workers: processes of a local one, with one thread each; one a core if None.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
    """
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError as error:
        missing = (error.name or "distributed").partition(".")[0]
        raise wrong(address, needs(missing, "cluster")) from None
    if address != LOCAL:
        try:
            client = distributed.Client(address, timeout=PATIENCE)
        except (OSError, ValueError, TypeError):
            message = (
                "no Dask scheduler answers there; give its address, such as "
                "tcp://10.0.0.1:8786, or local for a cluster on this machine"
            )
            raise wrong(address, message) from None
        with client:
            yield client
        return
    with _deaf():
        cluster = distributed.LocalCluster(
            n_workers=workers or cores(),
            threads_per_worker=1,
            processes=True,
            host=HERE,
            dashboard_address=f"{HERE}:0",
            silence_logs=SILENT,
        )
    with cluster, distributed.Client(cluster) as client:
        yield client


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait; processes that start now, and their heirs, hear neither.

    A terminal sends the one, a scheduler of batches the other to workers too, which
    would die of it with long faces. Dask kills them without either.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # later it would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def each(
    client: Any,
    work: Callable[..., T],
    pieces: Iterable[P],
    stopped: Callable[[], bool],
) -> Iterator[tuple[P, T]]:
    """Works out pieces, in the order in which they are done.

    Args:
        client: from `connected`.
        work: takes a piece as its arguments.
        pieces: taken as there is room, so that there may be any number of them.
        stopped: asked often; what is in work is then given up.

    Raises:
        InputError: the cluster is lost, or a piece has cost it several workers.
        Exception: what `work` raised, each time it was tried.
    """
    import distributed  # noqa: PLC0415 - an extra

    todo = iter(pieces)
    again: list[P] = []
    lost: Counter[P] = Counter()
    waiting: dict[Any, P] = {}
    try:
        while True:
            room = max(1, sum(client.nthreads().values())) * AHEAD
            while len(waiting) < room and not stopped():
                piece = again.pop() if again else next(todo, None)
                if piece is None:
                    break
                future = client.submit(work, *piece, pure=False, retries=RETRIES)
                waiting[future] = piece
            if not waiting:
                return
            for future in _ended(distributed, waiting):
                piece = waiting.pop(future)
                try:
                    found = future.result()
                except distributed.KilledWorker:
                    message = (
                        "one piece of the work has cost several workers; they may "
                        "lack memory: try a smaller --chunk"
                    )
                    raise wrong(_address(client), message) from None
                except distributed.CancelledError:
                    # Its worker was lost after the end; the result with it.
                    lost[piece] += 1
                    if client.status != "running" or lost[piece] > RETRIES:
                        raise wrong(_address(client), "the cluster is lost") from None
                    again.append(piece)
                    continue
                yield piece, found
            if stopped():
                return
            if client.status != "running":
                raise wrong(_address(client), "the cluster is lost")
    finally:
        if waiting and client.status == "running":
            client.cancel(list(waiting), force=True)


def _ended(distributed: Any, waiting: Iterable[Any]) -> list[Any]:
    """What has ended; nothing after a while without."""
    try:
        ended = distributed.wait(
            list(waiting), timeout=POLL, return_when="FIRST_COMPLETED"
        )
    except TimeoutError:
        return []
    except distributed.CancelledError:
        return [future for future in waiting if future.done()]
    return list(ended.done)


def _address(client: Any) -> str:
    return LOCAL if client.cluster is not None else str(client.scheduler.address)


def wrong(address: str, message: str) -> InputError:
    """An error about a cluster."""
    return InputError([Problem(Mark(f"--cluster {address}"), "", message)])
