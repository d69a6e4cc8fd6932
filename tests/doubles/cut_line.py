"""A line to a PostgreSQL server that can be cut: what is sent stays on the way, and neither end hears of it.

A process that is given `address` talks to the server through here. Two threads carry the bytes of each connection.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cordboard.store.address import PostgresAddress
from tests.doubles.databases import shared_server

SOCKET = ".s.PGSQL.5432"
AT_ONCE = 65_536
_PEER = struct.Struct("3i")  # process, user and group, as the kernel knows them


class CutLine:
    """address: of the server's database, through this line. Used as a context."""

    def __init__(self, address: PostgresAddress) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cordboard-line-", dir="/tmp"))
        self._server = shared_server().folder
        self.address = PostgresAddress(address.url.replace(str(self._server), str(self._folder)))
        self._listener = socket.socket(socket.AF_UNIX)
        self._changed = threading.Condition()
        self._is_cut: Callable[[int], bool] = lambda process: False
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> CutLine:
        self._listener.bind(str(self._folder / SOCKET))
        self._listener.listen()
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
    def cut(self, *processes: int) -> Iterator[None]:
        """Nothing gets through, of these processes; of none at all if none is named."""
        self._let(lambda process: not processes or process in processes)
        try:
            yield
        finally:
            self._let(lambda process: False)

    def _let(self, is_cut: Callable[[int], bool]) -> None:
        with self._changed:
            self._is_cut = is_cut
            self._changed.notify_all()

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                self._ends.append(here)
                self._connect(here)

    def _connect(self, here: socket.socket) -> None:
        """Carry on to the server; if it is not there, whoever called hears of it as from the server itself."""
        there = socket.socket(socket.AF_UNIX)
        self._ends.append(there)
        process, _, _ = _PEER.unpack(here.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        try:
            there.connect(str(self._server / SOCKET))
        except OSError:
            here.close()
            return
        self._begin(self._carry, here, there, process)
        self._begin(self._carry, there, here, process)

    def _carry(self, source: socket.socket, sink: socket.socket, process: int) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(AT_ONCE):
                self._wait_for_line(process)
                sink.sendall(data)
        with contextlib.suppress(OSError):  # also after a reset: a process that is killed has not read everything
            sink.shutdown(socket.SHUT_RDWR)

    def _wait_for_line(self, process: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_cut(process))
