"""The `queue_log` on the disk: appended to by one process at a time, each line once, whoever dies meanwhile.

A lock beside the file makes its holder the writer; the kernel takes it back when the process ends, however it ends.
A mark beside the file says up to which row of the ledger it is written, and how long it was then. What stands
behind that was written by somebody who died before moving the mark: it is the beginning of what comes next, and is
not written again. Lines are on the disk before the mark moves.

Anybody may rename the file (logrotate does): the next line begins a new one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the file is. seq: the last row of the ledger in it; inode, size: of the file at that time."""

    seq: int = 0
    inode: int = 0
    size: int = 0


class QueueLogFile:
    """rotate_bytes: a file of that size is put away, 0 for never; keep: how many of them are kept."""

    def __init__(self, path: Path, *, rotate_bytes: int = 0, keep: int = 10) -> None:
        self.path = path
        self._rotate_bytes = rotate_bytes
        self._keep = keep
        self._lock: int | None = None

    def take(self) -> bool:
        """Become the writer, or stay it. False: another process is. Raises OSError."""
        if self._lock is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as refused:
            os.close(lock)
            if isinstance(refused, BlockingIOError):
                return False
            raise
        self._lock = lock
        return True

    def close(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def mark(self) -> Mark:
        """Up to where it is written; from the beginning if nobody knows."""
        try:
            return Mark(**json.loads(self._beside("mark").read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return Mark()

    def add(self, lines: Sequence[str], seq: int) -> None:
        """Append the lines of the rows from the mark up to `seq`, for its writer. Raises OSError."""
        text = "".join(f"{line}\n" for line in lines).encode()
        with self.path.open("a+b") as file:
            file.write(_not_in(file, text, self.mark))
            file.flush()
            os.fsync(file.fileno())
            seen = os.fstat(file.fileno())
        self._set_mark(Mark(seq, seen.st_ino, seen.st_size))
        if 0 < self._rotate_bytes <= seen.st_size:
            self._put_away()

    def _set_mark(self, mark: Mark) -> None:
        part = self._beside("mark.part")
        with part.open("w", encoding="ascii") as file:
            json.dump(asdict(mark), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._beside("mark"))

    def _put_away(self) -> None:
        """queue_log becomes queue_log.1, that becomes queue_log.2; the last one goes."""
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{age}") for age in range(1, self._keep + 1))]
        for older, newer in zip(reversed(names), list(reversed(names))[1:], strict=False):
            if newer.exists():
                newer.replace(older)

    def _beside(self, what: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{what}")


def _not_in(file: BinaryIO, text: bytes, mark: Mark) -> bytes:
    """What of the text the file does not have behind the mark already."""
    seen = os.fstat(file.fileno())
    if seen.st_ino != mark.inode or seen.st_size <= mark.size:
        return text
    file.seek(mark.size)
    begun = file.read()
    if text.startswith(begun):
        return text[len(begun) :]
    # Somebody else has written there, or a number was erased since: keep lines whole, and none of them twice.
    end = b"" if begun.endswith(b"\n") else b"\n"
    there = set(begun.splitlines())
    return end + b"".join(line for line in text.splitlines(keepends=True) if line.rstrip(b"\n") not in there)
