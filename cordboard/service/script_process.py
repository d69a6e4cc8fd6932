"""One process that scripts run in, as the worker sees it: started, asked, killed. Its inside: `script_child`.

Used by `script_pool`. One call at a time; whoever asks puts a deadline around it, and kills the process if it was
missed. Nothing a script does is waited for without that deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

PRINTED_MAX_BYTES = 64 * 1024  # of one call: reading more would cost the calls of this worker
_LINE_MAX_CHARACTERS = 500
_FRAME_MAX_BYTES = 80 * 1024
_LENGTH_BYTES = 4
_LAST_WORDS_S = 1.0  # for what was printed to be read
_PROGRAM = Path(__file__).with_name("script_child.py")
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "HOME")  # and no secret that may be in ours


class ScriptProcessEnded(Exception):
    """The process has ended, or broke the protocol, and can be asked no more. The words are for the log."""


class ScriptProcess:
    """See the module; made by `start`."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._calls = 0
        self._running = 0  # the process group of the script under way
        self._printed = 0
        self._script = ""
        self._why = "its process ended"
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, folder: Path, memory_mb: int) -> ScriptProcess:
        """A process that waits for a call. folder: where scripts are looked for first. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM)),
                    *(str(theirs.fileno()), str(folder), str(os.getpid()), str(memory_mb << 20)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(theirs.fileno(),),
                    env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                    start_new_session=True,
                    limit=PRINTED_MAX_BYTES,
                )
            return cls(process, *await asyncio.open_unix_connection(sock=ours))
        except BaseException:
            ours.close()  # a process that waits for us ends then
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None and not self._reader.at_eof()

    async def ask(
        self, entry: str, arguments: Mapping[str, Any] | None, *, script: str, is_silent: bool
    ) -> Mapping[str, Any]:
        """The answer to one call, as the child gave it. arguments: None to import only; script: for the log.

        Raises ScriptProcessEnded. Cancelled, it must be followed by `kill`.
        """
        self._calls += 1
        self._printed, self._script = 0, script
        call: dict[str, Any] = {"id": self._calls, "entry": entry, "is_silent": is_silent}
        if arguments is not None:
            call["arguments"] = dict(arguments)
        frame = json.dumps(call).encode()
        try:
            self._writer.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
            self._running = int((await self._receive()).get("running", 0))
            answer = await self._receive()
        except (OSError, asyncio.IncompleteReadError, ValueError, RecursionError) as fault:
            raise ScriptProcessEnded(self._why) from fault
        self._running = 0
        if answer.get("id") != self._calls:
            raise ScriptProcessEnded("it broke the protocol")
        return answer

    def kill(self) -> None:
        """End it now, with the script that it runs and all that this has forked."""
        if self._process.returncode is None:  # its number is not somebody else's by now
            for group in filter(None, (self._running, self._process.pid)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
        self._writer.transport.abort()

    async def aclose(self) -> None:
        """Kill it and wait until it is gone."""
        self.kill()
        await self._process.wait()
        await asyncio.wait({self._listening}, timeout=_LAST_WORDS_S)
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._process._transport.close()  # type: ignore[attr-defined]  # a pipe that a program still holds, too

    async def _receive(self) -> dict[str, Any]:
        size = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
        if not 0 < size <= _FRAME_MAX_BYTES:
            raise ValueError("a frame of no sensible size")
        frame = json.loads(await self._reader.readexactly(size))
        if not isinstance(frame, dict):
            raise ValueError("a frame that is no mapping")
        return frame

    async def _listen(self) -> None:
        """Have what scripts print in the log, at level debug; a flood ends the process."""
        stdout = self._process.stdout
        assert stdout is not None
        while chunk := await stdout.read(8_192):
            self._printed += len(chunk)
            if self._printed > PRINTED_MAX_BYTES:
                self._why = f"it printed more than {PRINTED_MAX_BYTES} bytes"
                self.kill()
                continue  # to the end of what is under way
            for line in filter(None, chunk.decode(errors="replace").splitlines()):
                log.debug("script_printed", script=self._script, text=line[:_LINE_MAX_CHARACTERS])
