"""Which program listens on a TCP port, by the kernel's own lists. Used to name who holds a port of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and the words it was started with."""

    pid: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{Path(self.words[0]).name} (pid {self.pid})"

    @property
    def service(self) -> Program:
        """The program that is to be ended if this one is to stay away: a worker's supervisor starts another."""
        parent = _parent(self.pid)
        return parent if parent is not None and parent.configuration and "run" in parent.words[:4] else self

    @property
    def configuration(self) -> Path | None:
        """The directory it serves, if it is a Cordboard process (`python -m cordboard worker --config DIR`)."""
        if "cordboard" not in (Path(word).name for word in self.words[:3]):
            return None
        for option, value in zip(self.words, self.words[1:], strict=False):
            if option in ("--config", "-c"):
                return Path(value)
        return None


def holder(port: int) -> Program | None:
    """Who listens there, on whatever address; None if nobody does or we may not see whom."""
    sockets = {f"socket:[{inode}]" for table in _TABLES for inode in _listeners(Path(table), port)}
    return next((program for program in _programs() if _has(program.pid, sockets)), None) if sockets else None


def _listeners(table: Path, port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a port."""
    with suppress(OSError):
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        yield from (row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port)


def _programs() -> Iterator[Program]:
    """Every program that may be seen, and has words: kernel threads have none."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (words := _words(folder)):
            yield Program(int(folder.name), words)


def _parent(pid: int) -> Program | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    folder = Path("/proc") / status.rpartition(")")[2].split()[1]  # behind its name, which may hold anything
    words = _words(folder)
    return Program(int(folder.name), words) if words else None


def _words(folder: Path) -> tuple[str, ...]:
    try:
        return tuple((folder / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1])
    except OSError:
        return ()


def _has(pid: int, sockets: set[str]) -> bool:
    """Whether a process has one of the sockets open; False if we may not see what it has."""
    try:
        return any(_target(descriptor) in sockets for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile
        return ""
