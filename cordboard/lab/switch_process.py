"""A switch of the lab that is a program of this machine: started, killed, started again, ended. Blocking.

`freeswitch` calls it in threads, where no container is to be had. The process carries its owner's mark, so that
what a `kill -9` left behind is swept, and it leads a group of its own, so that Ctrl-C does not end it first.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab import cleanup

END_S = 10.0


class SwitchProcess:
    """One program, whose output goes to a file. Nothing starts any more once it was removed."""

    def __init__(self, owner: str, log: Path) -> None:
        self._owner = owner
        self._log = log
        self._lock = threading.Lock()
        self._command: Sequence[str] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._removed = False

    def run(self, command: Sequence[str]) -> None:
        """Start it. Raises LabError if there is no such program."""
        with self._lock:
            self._command = command
            self._start()

    def start_again(self) -> None:
        """Start it after it was killed or has ended. Raises LabError."""
        with self._lock:
            self._start()

    def kill(self) -> None:
        """SIGKILL; nothing happens if it does not run."""
        with self._lock:
            self._end()

    def pid(self) -> int:
        """Its pid; 0 when it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else 0

    def logs(self) -> str:
        """What it wrote to its output, all starts together."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def remove(self) -> None:
        """Kill it for good; harmless when it has ended."""
        with self._lock:
            self._end()
            self._removed = True

    def _start(self) -> None:
        if self._removed or not self._command:
            return
        try:
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    list(self._command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=os.environ | cleanup.environment(self._owner),
                    start_new_session=True,
                )
        except OSError as fault:
            raise LabError(f"{self._command[0]} cannot be started: {fault.strerror}") from fault

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(END_S)
