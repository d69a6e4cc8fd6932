"""The processes that scripts run in: a bounded number, started when needed, replaced when killed.

Used by `scripts`, and by the command line to look at what cannot be imported. A call waits for a free process
within its own deadline, and everything it needs counts: waiting, starting Python, importing, running. At the
deadline the process is killed with all that it runs; so it is when the caller has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordboard.service.script_process import ScriptProcess, ScriptProcessEnded

WAITING_MAX = 100  # calls without a process; more means that scripts are too slow for this switchboard
IMPORT_S = 10.0  # for a look at a script before any call


class ScriptBroken(Exception):
    """A script did not return. The words are for the log and hold no value."""


class ScriptPool:
    """See the module. folder: where scripts are looked for first; size: processes at once."""

    def __init__(self, folder: Path, size: int, memory_mb: int) -> None:
        self._folder = folder
        self._memory_mb = memory_mb
        self._free = asyncio.Semaphore(size)
        self._all: set[ScriptProcess] = set()
        self._idle: list[ScriptProcess] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._is_retired = False

    async def call(
        self, script: str, entry: str, arguments: Mapping[str, Any], timeout_s: float, *, is_silent: bool
    ) -> Any:
        """What the function returned, as JSON tells it. is_silent: what it prints goes nowhere.

        Raises ScriptBroken.
        """
        answer = await self._within(timeout_s, script, entry, arguments, is_silent)
        if "unusable" in answer:
            raise ScriptBroken(f"it cannot be imported ({_type_name(answer['unusable'])})")
        if "raised" in answer:
            raise ScriptBroken(f"it raised {_type_name(answer['raised'])}")
        if "ended" in answer:
            raise ScriptBroken("it ended without an answer")
        return answer.get("returned")

    async def fault_of(self, script: str, entry: str) -> str:
        """Why the function cannot be imported, in words; "" if it can. It is known to a process afterwards."""
        try:
            answer = await self._within(IMPORT_S, script, entry, None, False)
        except ScriptBroken as fault:
            return str(fault)
        return str(answer.get("unusable", ""))

    def retire(self) -> None:
        """End the processes: those that are idle now, the others when their call has ended."""
        self._is_retired = True
        while self._idle:
            self._end(self._idle.pop())

    @property
    def is_empty(self) -> bool:
        """Whether no process is left, not even one that is ending."""
        return not (self._all or self._ending)

    async def aclose(self) -> None:
        """End all of them now, whatever they do."""
        self.retire()
        for process in list(self._all):
            self._end(process)
        await asyncio.gather(*self._ending)

    async def _within(
        self, timeout_s: float, script: str, entry: str, arguments: Mapping[str, Any] | None, is_silent: bool
    ) -> Mapping[str, Any]:
        if self._waiting >= WAITING_MAX:
            raise ScriptBroken("too many scripts wait for a process")
        try:
            async with asyncio.timeout(timeout_s):
                await self._take_turn()
                try:
                    return await self._ask(script, entry, arguments, is_silent)
                finally:
                    self._free.release()
        except TimeoutError as late:
            raise ScriptBroken(f"it did not end within {timeout_s:g} s") from late
        except (ScriptProcessEnded, OSError) as fault:
            raise ScriptBroken(str(fault)) from fault

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    async def _ask(
        self, script: str, entry: str, arguments: Mapping[str, Any] | None, is_silent: bool
    ) -> Mapping[str, Any]:
        process = self._take() or await self._start()
        try:
            answer = await process.ask(entry, arguments, script=script, is_silent=is_silent)
        except BaseException:  # late, cancelled or broken: it is of no use any more
            self._end(process)
            raise
        if self._is_retired:
            self._end(process)
        else:
            self._idle.append(process)
        return answer

    async def _start(self) -> ScriptProcess:
        process = await ScriptProcess.start(self._folder, self._memory_mb)
        self._all.add(process)
        return process

    def _take(self) -> ScriptProcess | None:
        """The process that was used last, for it knows the most; one that has ended meanwhile is left out."""
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            self._end(process)
        return None

    def _end(self, process: ScriptProcess) -> None:
        if process not in self._all:
            return
        self._all.discard(process)
        process.kill()
        ending = asyncio.create_task(process.aclose())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _type_name(told: Any) -> str:
    """The name of an exception's type, of what the child told about it."""
    name = str(told).partition(":")[0]
    return name if name.isidentifier() else "an exception"
