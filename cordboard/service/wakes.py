"""How the processes of one machine tell each other that there is something to look at in the store.

Each process listens on a UNIX datagram socket in a folder of the state directory; a wake is one byte. A wake is a
hint and nothing more: what there is to do stands in the store, which everybody looks at once a second anyway. So a
wake that is lost costs a second, and wakes that come faster than they are read are as good as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from cordboard.store.notices import DESK as DESK

_READ_BYTES = 64


def worker_name(index: int) -> str:
    """The name of a worker among the processes, also as the owner of its waiting callers."""
    return f"worker-{index}"


class Waker(Protocol):
    """What a floor needs of wakes, on one machine or on several."""

    def listen(self) -> None: ...

    def wake(self, names: Iterable[str]) -> None: ...

    def close(self) -> None: ...


class Wakes:
    """The wakes of one process. name: its own; on_wake: called once however many have come."""

    def __init__(self, folder: Path, name: str, on_wake: Callable[[], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # A socket's address has 108 bytes at most, a folder's path may have more: so it is named by its descriptor.
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self._name = name
        self._on_wake = on_wake
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def listen(self) -> None:
        """Take the name over, and begin to call `on_wake`. Not before: a process that then finds its ports taken
        would have made the one that has them deaf.
        """
        Path(self._address(self._name)).unlink(missing_ok=True)  # of a process that was killed
        self._socket.bind(self._address(self._name))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def wake(self, names: Iterable[str]) -> None:
        """Wake processes. In any thread. One that is not there, or has wakes enough, is left alone."""
        for name in names:
            with contextlib.suppress(OSError):
                self._socket.sendto(b"w", self._address(name))

    def close(self) -> None:
        """Stop listening. The socket's file stays for the successor, which may be there already."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        os.close(self._folder)

    def _address(self, name: str) -> str:
        return f"/proc/self/fd/{self._folder}/{name}.sock"

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(_READ_BYTES):
                pass
        self._on_wake()
