"""The programs under measurement, each started, waited for and ended: panoramisk's handler and our service.

A program is measured by its pids: `pids` are those whose work counts, `overseers` those which only watch.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cordboard.errors import LabError
from cordboard.lab import cleanup
from tests.bench.processes import children

READY_S = 30.0
END_S = 20.0
LOOK_EVERY_S = 0.05  # an HTTP health check has no event to wait for
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Program:
    """Its processes. pids: those that serve calls; overseers: their parents, which only watch."""

    pids: tuple[int, ...] = ()
    overseers: tuple[int, ...] = ()


def panoramisk(port: int, *flags: str) -> contextlib.AbstractAsyncContextManager[Program]:
    """The bare handler, ready to be called."""
    return speaking_program("tests.bench.panoramisk_ivr", str(port), *flags)


@contextlib.asynccontextmanager
async def speaking_program(module: str, *arguments: str) -> AsyncIterator[Program]:
    """A program of ours which says "ready" when it can be called. Raises LabError."""
    async with _running(["-m", module, *arguments], stdout=asyncio.subprocess.PIPE) as process:
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), READY_S)
        if said != b"ready\n":
            raise LabError(f"{module} did not start")
        yield Program((process.pid,))


@contextlib.asynccontextmanager
async def cordboard(config: Path, log: Path, http_port: int, settings: Mapping[str, str]) -> AsyncIterator[Program]:
    """The service as it runs in earnest: supervisor, one worker, JSON log. settings: more environment."""
    arguments = ["-m", "cordboard", "run", "--config", str(config)]
    with log.open("ab") as output:
        async with _running(arguments, settings, stdout=output, stderr=output) as process:
            await _ready(process, http_port, log)
            yield Program(tuple(children(process.pid)), (process.pid,))


@contextlib.asynccontextmanager
async def _running(
    arguments: Sequence[str],
    settings: Mapping[str, str] | None = None,
    *,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes] | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = cleanup.environment() | dict(settings or {}) | {"PYTHONPATH": str(REPOSITORY)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, cwd=REPOSITORY, stdout=stdout, stderr=stderr
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end; kill it if it does not. Its workers end with it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        for pid in (*children(process.pid), process.pid):
            os.kill(pid, signal.SIGKILL)
        await process.wait()


async def _ready(process: asyncio.subprocess.Process, http_port: int, log: Path) -> None:
    """Wait until the worker says on /readyz that it takes calls. Raises LabError."""
    try:
        async with asyncio.timeout(READY_S):
            while not await _is_ready(http_port):
                if process.returncode is not None:
                    break
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return
    except TimeoutError:
        pass
    raise LabError(f"the service did not get ready; its log ends with:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()
