"""What a process costs, from /proc: CPU time and resident memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """The pids of a process's children."""
    return [
        int(text) for task in (_PROC / str(pid) / "task").iterdir() for text in _read(task / "children").split()
    ]


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU, user and system, that processes have used since they began, all threads together."""
    return sum(map(_cpu_s, pids))


def resident_kb(pids: Iterable[int]) -> int:
    """Resident memory of processes in kB (1,024 bytes)."""
    return sum(_resident_kb(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    """utime and stime of /proc/PID/stat: in ticks of 10 ms, and threads that have ended count too."""
    after_name = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) * _TICK_S if after_name else 0.0


def _resident_kb(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text()
    return ""
