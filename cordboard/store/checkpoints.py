"""Carries what is written in a SQLite file's log over into the file, beside those who write. Used by every process.

Left to itself SQLite does that at the end of the transaction with which the log has come to a certain length, and
whoever has asked for that one waits for the disk meanwhile, and with them all who stand in line behind. So here a
thread of its own does it, and holds up nobody. It also bounds what a power cut can take: what is in the file stays.
A server looks after its own log.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import structlog

from cordboard.store.address import Address

EVERY_S = 5.0
CLOSE_S = 2.0
LOG_PAGES_MAX = 10_000  # 40 MB: more in a log only if nobody comes to carry it over; then a transaction does it

log = structlog.get_logger()


class Checkpoints:
    """Of one process. Where several do it the second finds nothing left to do."""

    def __init__(self, database: Address, every_s: float = EVERY_S) -> None:
        self._path = database if isinstance(database, Path) else None
        self._every_s = every_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Begin. Nothing, for a server."""
        if self._path is not None:
            self._thread.start()

    def close(self) -> None:
        """End the thread; a disk that does not answer is not waited for."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _run(self) -> None:
        assert self._path is not None
        while not self._is_over.wait(self._every_s):
            try:
                carry_over(self._path)
            except (sqlite3.Error, OSError) as fault:  # the writers say what ails the database
                log.debug("checkpoint_failed", reason=str(fault))


def carry_over(path: Path) -> bool:
    """Carry over what can be without waiting for anybody; whether nothing is left. Raises sqlite3.Error."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.0, isolation_level=None)
    try:
        is_busy, in_log, carried = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    finally:
        connection.close()
    return not is_busy and in_log == carried
