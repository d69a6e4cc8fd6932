"""One service to a state folder: whoever runs holds a lock there until the process ends, however it ends.

Taken by the supervisor before anything else is touched. Workers do not hold it: those of a supervisor that was
killed serve their calls to the end while the next service runs already.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cordboard.errors import CordboardError

FILE = "run.lock"  # with the pid of its holder, for people and for the refusal


class StateUnwritable(CordboardError):
    """The service cannot write where it keeps what it needs."""


class StateInUse(CordboardError):
    """Another service runs on this state folder."""


@contextlib.contextmanager
def held_state(state: Path) -> Iterator[None]:
    """Hold the folder for as long as the block runs. Raises StateInUse, StateUnwritable."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = os.open(state / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as fault:
        raise unwritable(state, fault) from fault
    try:
        _take(state, lock)
        yield
    finally:
        os.close(lock)


def holder_of(state: Path) -> int | None:
    """The pid of the service that runs on the folder; None if none does. Raises StateUnwritable."""
    try:
        lock = os.open(state / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise unwritable(state, fault) from fault
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return int(_holder(lock))
    finally:
        os.close(lock)


def unwritable(state: Path, fault: OSError) -> StateUnwritable:
    """The error for a folder that refuses what is written."""
    return StateUnwritable(f"{state} cannot be written: {fault.strerror}")


def _take(state: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as held:
        raise StateInUse(f"{state} is in use by another Cordboard (pid {_holder(lock)})") from held
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except OSError as fault:
        raise unwritable(state, fault) from fault


def _holder(lock: int) -> str:
    return os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "not known"
