"""Nothing outlives the program that started it.

Three nets, one below the other. Every part of the lab is an async context manager, which covers the ordinary end,
exceptions and Ctrl-C. What it started is also registered here and removed when the interpreter exits; SIGTERM is
made to end the interpreter in that way. And everything carries its owner's mark (containers a label, processes an
environment variable, files the name of their directory), so that what a `kill -9` left behind is swept by the next
start, or by `cordboard lab down`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import docker
from docker.errors import APIError

from cordboard.errors import LabError

LAB_LABEL = "cordboard.lab"
OWNER_LABEL = "cordboard.lab.owner"
OWNER_VARIABLE = "CORDBOARD_LAB_OWNER"
STANDING = "standing"  # the owner of the lab that is meant to outlive its starter

Closer = Callable[[], None]

_closers: dict[int, Closer] = {}
_hooks = threading.Lock()
_hooked_pid = 0


def owner_mark(pid: int | None = None) -> str:
    """Who a process is, as `pid.start`. The start time is there because the kernel uses pids again."""
    pid = os.getpid() if pid is None else pid
    return f"{pid}.{_started_at(pid)}"


def owner_lives(mark: str) -> bool:
    """Whether what carries this mark is still wanted. The standing lab always is."""
    if mark == STANDING:
        return True
    pid, _, started_at = mark.partition(".")
    return pid.isdigit() and started_at != "" and _started_at(int(pid)) == started_at


def environment(owner: str | None = None) -> dict[str, str]:
    """The environment for a process we start: ours, and our mark."""
    return os.environ | {OWNER_VARIABLE: owner or owner_mark()}


def state_root() -> Path:
    """The directory all labs of this user write under. Raises LabError if somebody else made it."""
    root = Path(tempfile.gettempdir()) / f"cordboard-lab-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise LabError(f"{root} belongs to somebody else; remove it or set TMPDIR")
    return root


def make_run_dir(name: str, owner: str | None = None) -> Path:
    """A new empty directory which is swept once its owner is gone."""
    parent = state_root() / (owner or owner_mark())
    parent.mkdir(mode=0o700, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))


def remove_run_dir(path: Path) -> None:
    """Remove a run directory, and its owner's when it was the last."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def on_exit(closer: Closer) -> Closer:
    """Have `closer` run when this interpreter ends, SIGTERM included. Returns what takes it back.

    The latest is closed first. A closer must not raise for a thing that is gone already.
    """
    _install_hooks()
    key = id(closer)
    _closers[key] = closer
    return lambda: _take_back(key)


def close_everything() -> None:
    """Run all registered closers; one that fails does not keep the others from running."""
    while _closers:
        _, closer = _closers.popitem()
        with contextlib.suppress(Exception):
            closer()


@dataclass(frozen=True, slots=True)
class Swept:
    """How many leftovers of each kind were removed."""

    containers: int
    processes: int
    directories: int


def sweep(engine: docker.DockerClient | None, *, standing: bool = False) -> Swept:
    """Remove everything whose owner is gone; with `standing`, the standing lab too. Blocks.

    engine: None where no engine answers; there are no containers then.
    """
    return Swept(
        containers=sweep_containers(engine, standing=standing) if engine is not None else 0,
        processes=sweep_processes(standing=standing),
        directories=sweep_directories(standing=standing),
    )


def sweep_containers(engine: docker.DockerClient, *, standing: bool = False) -> int:
    """Remove the containers whose owner is gone. Returns how many."""
    removed = 0
    for container in engine.containers.list(all=True, filters={"label": LAB_LABEL}, ignore_removed=True):
        if is_leftover(container.labels.get(OWNER_LABEL, ""), standing=standing):
            with contextlib.suppress(APIError):  # another lab may be sweeping too
                container.remove(force=True)
                removed += 1
    return removed


def sweep_processes(*, standing: bool = False) -> int:
    """Kill the processes whose owner is gone. Returns how many."""
    killed = 0
    for pid, mark in _marked_processes():
        if is_leftover(mark, standing=standing):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
    return killed


def sweep_directories(*, standing: bool = False) -> int:
    """Remove the run directories whose owner is gone. Returns how many owners' there were."""
    leftovers = [path for path in state_root().iterdir() if path.is_dir()]
    leftovers = [path for path in leftovers if is_leftover(path.name, standing=standing)]
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)


def is_leftover(mark: str, *, standing: bool) -> bool:
    """Whether what carries this mark is to be swept."""
    return standing if mark == STANDING else not owner_lives(mark)


def _marked_processes() -> Iterator[tuple[int, str]]:
    """Processes that carry an owner's mark, as (pid, mark). Other users' cannot be read and are left out."""
    prefix = f"{OWNER_VARIABLE}=".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for variable in variables:
            if variable.startswith(prefix):
                yield int(entry.name), variable.removeprefix(prefix).decode()


def _started_at(pid: int) -> str:
    """The start time of a process in clock ticks since boot, "" if there is no such process or it is a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started_at = after_name[0], after_name[19]
    return "" if state in "ZX" else started_at


def _install_hooks() -> None:
    """Once in each process (a fork inherits neither the children nor the duty to end them)."""
    global _hooked_pid
    with _hooks:
        if _hooked_pid == os.getpid():
            return
        _hooked_pid = os.getpid()
        _closers.clear()
        atexit.register(_close_in, os.getpid())
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        ):
            signal.signal(signal.SIGTERM, _exit_on_signal)


def _close_in(pid: int) -> None:
    if os.getpid() == pid:
        close_everything()


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    """SIGTERM by default ends Python without a goodbye; this way the context managers run."""
    raise SystemExit(128 + number)


def _take_back(key: int) -> None:
    _closers.pop(key, None)
