"""Writes log lines from a thread of its own: a full pipe, a full disk or a dead reader never holds up a call.

Lines are collected for some milliseconds and written together, never more at once than a pipe takes whole, so that
the lines of several workers on one pipe do not mix. When nobody reads, lines are dropped, and the next line that
gets through is followed by one that says how many.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Iterator

import orjson

WAITING_MAX = 10_000  # lines; some 3 MB
COLLECT_S = 0.05  # a killed worker loses the lines of this time
CLOSE_DEADLINE_S = 1.0
PIPE_ATOMIC_BYTES = 4096


class LogWriter:
    """A structlog logger: every level is `write`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._something = threading.Event()
        self._dropped = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: bytes) -> None:
        """Have a line written soon. Never waits, never raises."""
        if len(self._lines) >= WAITING_MAX:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._something.is_set():  # it is cleared before lines are taken: this one is taken too
            self._something.set()

    debug = info = warning = warn = error = critical = exception = fatal = msg = log = write

    def close(self) -> None:
        """Write what is waiting, for a second at most."""
        self._is_closing = True
        self._something.set()
        self._thread.join(CLOSE_DEADLINE_S)

    def _serve(self) -> None:
        while not (self._is_closing and not self._lines):
            self._something.wait()
            if not self._is_closing:
                time.sleep(COLLECT_S)
            self._something.clear()
            for chunk in self._chunks():
                self._put(chunk)

    def _chunks(self) -> Iterator[bytes]:
        """What is waiting, in whole lines, each chunk small enough for a pipe to take it at once."""
        chunk = b""
        while self._lines:
            line = self._lines.popleft() + b"\n"
            if chunk and len(chunk) + len(line) > PIPE_ATOMIC_BYTES:
                yield chunk
                chunk = b""
            chunk += line
        if self._dropped:
            chunk += (
                orjson.dumps({"event": "log_lines_dropped", "level": "warning", "lines": self._dropped}) + b"\n"
            )
            self._dropped = 0
        if chunk:
            yield chunk

    def _put(self, chunk: bytes) -> None:
        try:
            while chunk:
                chunk = chunk[os.write(self._descriptor, chunk) :]
        except OSError:
            self._dropped += chunk.count(b"\n")
            time.sleep(COLLECT_S)


class LogWriterFactory:
    """Gives every structlog logger of the process the same writer."""

    def __init__(self, descriptor: int) -> None:
        self._writer = LogWriter(descriptor)

    def __call__(self, *_: object) -> LogWriter:
        return self._writer

    def close(self) -> None:
        """Write what is waiting, for a second at most."""
        self._writer.close()
