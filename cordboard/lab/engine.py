"""A Docker engine to talk to: the one that answers, or on Debian and Ubuntu as root one that we install and start.

`image`, `pbx` and `cleanup`'s callers take the client from here. No systemd is needed, and an engine we start stays
up: it belongs to the machine from then on. Everything blocks; call it through `asyncio.to_thread`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException

from cordboard.errors import LabError
from cordboard.lab.packages import ensure_packages, find_program

START_TIMEOUT_S = 60.0  # 0.4 s on a quiet machine; 15 s where containerd has to be waited for
PING_TIMEOUT_S = 5
CLIENT_TIMEOUT_S = 120
WITHOUT_NETWORK = ("--bridge=none", "--iptables=false")  # all the lab needs: its containers use the host's network


@dataclass(frozen=True, slots=True)
class EnginePlaces:
    """Where an engine keeps its things. The defaults are dockerd's own."""

    socket: Path = Path("/var/run/docker.sock")
    pid_file: Path = Path("/var/run/docker.pid")
    exec_root: Path = Path("/var/run/docker")
    data_root: Path = Path("/var/lib/docker")
    log_file: Path = Path("/var/log/cordboard-dockerd.log")

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def arguments(self) -> list[str]:
        return [
            f"--host={self.url}",
            f"--pidfile={self.pid_file}",
            f"--exec-root={self.exec_root}",
            f"--data-root={self.data_root}",
        ]


SYSTEM = EnginePlaces()

_started: list[subprocess.Popen[bytes]] = []  # meant to outlive us


@atexit.register
def _leave_running() -> None:
    """Python warns of a child that runs on when its object goes, unless it takes the child for ended."""
    for daemon in _started:
        daemon.returncode = 0


def ensure_engine() -> docker.DockerClient:
    """A client of a Docker engine that answers. Raises LabError with one sentence on what to do."""
    if (client := find_engine()) is not None:
        return client
    if "DOCKER_HOST" in os.environ:
        raise LabError(f"no Docker engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}")
    if SYSTEM.socket.exists() and not os.access(SYSTEM.socket, os.W_OK):
        raise LabError("this user may not use Docker; type: sudo usermod -aG docker $USER, and log in again")
    if find_program("dockerd") is None:
        _install()
    elif os.geteuid() != 0:
        raise LabError("the Docker engine is not running; type: sudo systemctl start docker")
    return find_engine() or start_engine(SYSTEM)


def find_engine() -> docker.DockerClient | None:
    """A client of the engine of the environment (DOCKER_HOST or the default socket), if one answers."""
    url = os.environ.get("DOCKER_HOST", SYSTEM.url)
    if url.startswith("unix://") and not _accepts(Path(url.removeprefix("unix://"))):
        return None
    with contextlib.suppress(DockerException, OSError):
        client = docker.from_env(timeout=PING_TIMEOUT_S)
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        client.api.timeout = CLIENT_TIMEOUT_S
        return client
    return None


def start_engine(places: EnginePlaces, extra_arguments: Sequence[str] = ()) -> docker.DockerClient:
    """Start dockerd in the background and wait until it answers. It goes on when we end.

    What a killed dockerd left behind is cleared away first. Where iptables does not work, and no other dockerd runs
    whose bridge would be deleted by that, it is started without a network of its own.
    """
    if _running_daemon(places) is None:
        clear_leftovers(places)
        daemon = _launch(places, extra_arguments)
        if not _answers_in_time(places, daemon) and _iptables_is_broken(places) and not _other_daemons():
            clear_leftovers(places)
            daemon = _launch(places, [*extra_arguments, *WITHOUT_NETWORK])
    else:
        daemon = None  # somebody is just starting it
    if not _answers_in_time(places, daemon):
        raise LabError(f"dockerd did not start; its log {places.log_file} ends with:\n{_log_tail(places)}")
    return _client(places)


def clear_leftovers(places: EnginePlaces) -> None:
    """Remove what a dockerd killed by -9 leaves, and what keeps the next one from starting.

    A stale pid file makes it refuse; left containerd processes and their mounts make it wait 15 s and give up.
    Only to be called when no dockerd uses these places.
    """
    for pid in _left_containerds(places):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for mount_point in _mounts_below(places.exec_root):
        subprocess.run(["umount", "--lazy", mount_point], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(places.exec_root, ignore_errors=True)
    places.pid_file.unlink(missing_ok=True)
    places.socket.unlink(missing_ok=True)


def _install() -> None:
    if os.geteuid() != 0 or find_program("apt-get") is None:
        raise LabError(
            "the lab needs a Docker engine: install Docker (on Debian or Ubuntu: sudo apt-get install docker.io), "
            "start it, and see that `docker info` works for this user"
        )
    ensure_packages(["docker.io", "iptables"])


def _launch(places: EnginePlaces, extra_arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start dockerd in a session of its own, so that neither Ctrl-C nor our end reaches it."""
    program = find_program("dockerd")
    if program is None:
        raise LabError("dockerd is not on the PATH")
    with places.log_file.open("wb") as log:
        daemon = subprocess.Popen(
            [program, *places.arguments, *extra_arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    _started.append(daemon)
    return daemon


def _answers_in_time(places: EnginePlaces, daemon: subprocess.Popen[bytes] | None) -> bool:
    """Wait until the engine answers; False when it has ended or its time is over."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if _accepts(places.socket) and _ping(places):
            return True
        if daemon is not None and daemon.poll() is not None:
            return False
        time.sleep(0.05)  # no event tells of a socket that begins to answer
    return False


def _accepts(path: Path) -> bool:
    """Whether somebody listens. Asked first, because the docker SDK leaves its socket open when nobody does."""
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.connect(str(path))
        return True
    return False


def _ping(places: EnginePlaces) -> bool:
    try:
        with contextlib.closing(docker.DockerClient(base_url=places.url, timeout=PING_TIMEOUT_S)) as client:
            return bool(client.ping())
    except (DockerException, OSError):
        return False


def _client(places: EnginePlaces) -> docker.DockerClient:
    return docker.DockerClient(base_url=places.url, timeout=CLIENT_TIMEOUT_S)


def _running_daemon(places: EnginePlaces) -> int | None:
    """The pid of the dockerd that holds the pid file, None if the file is missing or stale."""
    try:
        pid = int(places.pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if pid in dict(_processes("dockerd")) else None


def _other_daemons() -> bool:
    return any(True for _ in _processes("dockerd"))


def _left_containerds(places: EnginePlaces) -> list[int]:
    """containerd and its shims which belong to this exec-root: both name it on their command line."""
    folder = f"{places.exec_root}/"
    return [pid for pid, command in _processes("containerd") if any(folder in word for word in command)]


def _processes(name: str) -> Iterator[tuple[int, list[str]]]:
    """Processes whose program's file name begins with `name`, as (pid, command line)."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_text(errors="replace").split("\0")
            if Path(command[0]).name.startswith(name):
                yield int(entry.name), command


def _mounts_below(directory: Path) -> list[str]:
    """Mount points below a directory, the deepest first."""
    resolved = f"{directory.resolve()}/"  # /var/run is a link to /run, and the kernel names the latter
    mount_points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in mount_points if point.startswith(resolved)), key=len, reverse=True)


def _iptables_is_broken(places: EnginePlaces) -> bool:
    return "iptables" in _log_tail(places)


def _log_tail(places: EnginePlaces) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(places.log_file.read_text(errors="replace").splitlines()[-3:])
    return ""
