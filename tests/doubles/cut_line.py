"""A line to a PostgreSQL server that can be cut: what is sent stays on the way, and neither end hears of it.

A process that is given `address` talks to the server through here. Two threads carry the bytes of each connection.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cordboard.store.address import PostgresAddress
from tests.doubles.databases import shared_server

SOCKET = ".s.PGSQL.5432"
AT_ONCE = 65_536


class CutLine:
    """address: of the server's database, through this line. Used as a context."""

    def __init__(self, address: PostgresAddress) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cordboard-line-", dir="/tmp"))
        self._server = shared_server().folder
        self.address = PostgresAddress(address.url.replace(str(self._server), str(self._folder)))
        self._listener = socket.socket(socket.AF_UNIX)
        self._is_whole = threading.Event()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> CutLine:
        self._listener.bind(str(self._folder / SOCKET))
        self._listener.listen()
        self._is_whole.set()
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for end in (self._listener, *self._ends):
            end.close()
        shutil.rmtree(self._folder)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing gets through."""
        self._is_whole.clear()
        try:
            yield
        finally:
            self._is_whole.set()

    def _begin(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.socket(socket.AF_UNIX)
                self._ends += [here, there]
                there.connect(str(self._server / SOCKET))
                self._begin(self._carry, here, there)
                self._begin(self._carry, there, here)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(AT_ONCE):
                self._is_whole.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
