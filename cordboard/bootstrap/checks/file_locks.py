"""Who holds a write lock on a file, by the kernel's list. Used to name the program that keeps a database locked."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LIST = Path("/proc/locks")
_SIDE_FILES = ("", "-shm", "-wal", "-journal")  # SQLite keeps the lock of a writer in -shm when it writes ahead


@dataclass(frozen=True, slots=True)
class Process:
    """A running program. name: as the kernel has it, "" if it may not be seen."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name or 'a program'} (pid {self.pid})"


def lock_holders(database: Path) -> list[Process]:
    """Other processes with a write lock on an SQLite database; empty where the kernel does not tell."""
    inodes = {inode for suffix in _SIDE_FILES if (inode := _inode(f"{database}{suffix}"))}
    try:
        lines = LIST.read_text().splitlines()
    except OSError:
        return []
    return [process_of(pid) for pid in sorted(holders_in(lines, inodes) - {os.getpid()})]


def holders_in(lines: list[str], inodes: set[str]) -> set[int]:
    """The pids in lines of /proc/locks that hold one of the files for writing.

    A line reads `1: POSIX ADVISORY WRITE 412 08:01:1311 120 120`; one that waits has `->` after its number.
    """
    holders: set[int] = set()
    for fields in map(str.split, lines):
        if len(fields) >= 6 and fields[3] == "WRITE" and fields[5].rpartition(":")[2] in inodes:
            holders.add(int(fields[4]))
    return {pid for pid in holders if pid > 0}  # 0 and less: of another container


def process_of(pid: int) -> Process:
    """A process with its name."""
    name = ""
    with suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    return Process(pid, name)


def _inode(path: str) -> str:
    try:
        return str(Path(path).stat().st_ino)
    except OSError:
        return ""
