"""Writers of a SQLite file take turns: whoever comes first, in whatever process, is first. Used by `database`.

SQLite itself has no line: who finds the file locked sleeps, looks again, and sleeps longer. A process that always
has something to write finds it free again and again, and others may come too late for seconds. So a writer passes
a turnstile first: two files beside the database, to be locked (`flock`). The kernel keeps those who wait in line,
and lets go of what a process held that is killed. Whoever stands at the gate is the next to have the turn: who has
just had it, and comes back at once, finds the gate taken.

Only the order rests on it. That one writes at a time is SQLite's own lock; who has stood in line for too long, as
somebody in it is stopped, goes on without.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from cordboard.store.lock_files import open_lock

_KEY = "turnstile"


def take_turns(engine: Engine, path: Path, longest_s: float) -> None:
    """Each transaction of this engine waits for its turn, and has it until its connection is given back.

    longest_s: what is waited; then it begins all the same. To be called before anything else hears of `begin`.
    """

    def opened(_connection: Any, record: Any) -> None:
        record.info[_KEY] = Turnstile(path, longest_s)

    event.listen(engine, "connect", opened)
    event.listen(engine, "begin", _begins)
    event.listen(engine, "checkin", _given_back)
    event.listen(engine, "close", _closed)


def _begins(connection: Connection) -> None:
    connection.info[_KEY].take()


def _given_back(_connection: Any, record: Any) -> None:
    record.info[_KEY].release()


def _closed(_connection: Any, record: Any) -> None:
    record.info[_KEY].close()


class Turnstile:
    """One writer's way to the lock. Each has files of its own open: locks are of those, not of the process."""

    def __init__(self, path: Path, longest_s: float) -> None:
        self._gate = open_lock(Path(f"{path}.gate"))
        self._turn = open_lock(Path(f"{path}.turn"))
        self._longest_s = longest_s
        self._news = threading.Condition(threading.Lock())  # for everything below
        self._is_ours = False
        self._is_wanted = False
        self._in_line_since: float | None = None  # a thread stands there for us
        self._is_closed = False

    def take(self) -> bool:
        """Wait for the turn; False if it has not come in time. Who stands in line longer than that already, as the
        last time was in vain, does not wait again.
        """
        with self._news:
            if self._is_ours or self._pass_at_once():
                return True
            if self._in_line_since is None:
                threading.Thread(target=self._stand_in_line, name="turnstile", daemon=True).start()
                self._in_line_since = time.monotonic()
            self._is_wanted = True
            self._news.wait_for(lambda: self._is_ours, self._in_line_since + self._longest_s - time.monotonic())
            self._is_wanted = False
            return self._is_ours

    def release(self) -> None:
        """Let the next one have it. Nothing if it is not ours."""
        with self._news:
            if self._is_ours:
                self._is_ours = False
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give it up for good."""
        with self._news:
            self._is_ours, self._is_closed = False, True
            if self._in_line_since is None:
                self._close_files()

    def _pass_at_once(self) -> bool:
        """With nobody in line there is nothing to wait for. Else the gate may be ours now: we are the next."""
        if self._in_line_since is None and _locked_at_once(self._gate) and _locked_at_once(self._turn):
            fcntl.flock(self._gate, fcntl.LOCK_UN)
            self._is_ours = True
        return self._is_ours

    def _stand_in_line(self) -> None:
        """In a thread, as `flock` has no deadline. A turn that comes when nobody wants it any more is passed on."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        with self._news:
            self._in_line_since = None
            self._is_ours = self._is_wanted
            if self._is_closed:
                self._close_files()
            elif self._is_ours:
                self._news.notify()
            else:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _close_files(self) -> None:
        """Closing unlocks."""
        os.close(self._gate)
        os.close(self._turn)


def _locked_at_once(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
