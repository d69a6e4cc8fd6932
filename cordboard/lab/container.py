"""One container of the lab: created, killed, started again, removed. Blocking; `pbx` calls it in threads.

A start whose waiter was cancelled goes on in its thread, so all that changes the container takes one lock, and
nothing starts any more once it was removed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Ulimit

from cordboard.errors import LabError
from cordboard.lab import cleanup

OPEN_FILES = 20_000  # more is refused by engines that were started with the usual limits
PROCESSES = 10_000  # Asterisk has a thread for each channel
LOG_LIMIT = "20m"


class LabContainer:
    """A container on the host's network, marked with its owner.

    mounts: host directory to directory inside; all are writable. user: "uid:gid" of its process.
    """

    def __init__(self, name: str, owner: str) -> None:
        self.name = name
        self._owner = owner
        self._lock = threading.Lock()
        self._container: Container | None = None
        self._removed = False

    def run(
        self,
        engine: docker.DockerClient,
        image: str,
        command: Sequence[str],
        *,
        user: str,
        mounts: Mapping[Path, str],
    ) -> None:
        """Create and start it. Raises LabError with the engine's words."""
        with self._lock, _translated(f"{image} did not start"):
            if self._removed:
                return
            self._container = engine.containers.create(
                image,
                list(command),
                name=self.name,
                labels={cleanup.LAB_LABEL: "1", cleanup.OWNER_LABEL: self._owner},
                network_mode="host",
                user=user,
                volumes=[f"{path}:{inside}" for path, inside in mounts.items()],
                ulimits=[Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES)],
                pids_limit=PROCESSES,
                log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": LOG_LIMIT}),
            )
            self._container.start()

    def kill(self) -> None:
        """SIGKILL its process; nothing happens if it does not run."""
        with self._lock, contextlib.suppress(APIError):
            if self._container is not None:
                self._container.kill()
                self._container.wait(timeout=10)

    def start_again(self) -> None:
        """Start it after it was killed or has ended. Raises LabError."""
        with self._lock, _translated(f"{self.name} did not start again"):
            if self._container is not None and not self._removed:
                self._container.start()

    def pid(self) -> int:
        """The host's pid of its first process; 0 when it does not run."""
        if self._container is None:
            return 0
        self._container.reload()
        return int(self._container.attrs["State"]["Pid"])

    def logs(self) -> str:
        """What its process wrote, all starts together; "" once it was removed."""
        if self._container is None:
            return ""
        with contextlib.suppress(DockerException):
            return str(self._container.logs().decode(errors="replace"))
        return ""

    def remove(self) -> None:
        """Kill and remove it; done once, harmless after that."""
        with self._lock:
            if self._container is not None and not self._removed:
                with contextlib.suppress(NotFound):
                    self._container.remove(force=True)
            self._removed = True


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except DockerException as error:
        raise LabError(f"{what}: {error}") from error
