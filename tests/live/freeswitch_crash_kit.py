"""What FreeSWITCH's crash tests need beside the kits of Asterisk's, whose callers and books they have.

The configuration is that of both of them in one, so that a caller can be in any place of a flow or of a queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from itertools import count
from pathlib import Path
from typing import TypeVar

from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.ports import find_free_ports
from cordboard.lab.stage import Stage
from tests.live.crash_kit import Guest, guest
from tests.live.queue_crash_kit import Line, line

HERE = Path(__file__).parent
STORY, QUICK, MESSAGE, DIGITS, SECRET = "6000", "6001", "6002", "6003", "6004"
CLOCKS_S = 0.025  # FreeSWITCH stamps its events with a clock that goes in steps of 20 ms
LINK_PORT = "CORDBOARD_FREESWITCH__EVENT_SOCKET__PORT"
ASKED = """\
# Digits and a secret, without a way to them.
flow: asked
languages: [en]
start: which
on_failure: oops
prompts:
  number: {en: "Please enter your account number."}
  code: {en: "Now enter your secret code, four digits."}
  done: {en: "Thank you, that is all."}
  oops: {en: "This should never be heard."}
nodes:
  which: {branch: [{if: "call.dnis == '6004'", then: code}], else: number}
  number: {gather: number, save: account, min_digits: 4, max_digits: 4, inter_digit_s: 6, next: same}
  same: {branch: [{if: "account == '1234'", then: done}], else: oops}
  code: {gather: code, save: pin, min_digits: 4, max_digits: 4, secret: true, inter_digit_s: 6, next: done}
  done: {play: done, next: bye}
  oops: {play: oops, next: bye}
  bye: {hangup: normal}
"""

_anis = count(1)
_Caller = TypeVar("_Caller", Guest, Line)


def write_site(folder: Path) -> Path:
    """The configuration of both crash tests, in a folder of its own."""
    site = folder / "crash_site"
    shutil.copytree(HERE / "queue_crash_site", site)
    shutil.copytree(HERE / "site" / "flows", site / "flows", dirs_exist_ok=True)
    shutil.copy(HERE / "site" / "cordboard.yaml", site)
    (site / "flows" / "asked.yaml").write_text(ASKED)
    own = f'"{STORY}": places, "{QUICK}": quick, "{MESSAGE}": message, "{DIGITS}": asked, "{SECRET}": asked'
    (site / "numbers.yaml").write_text(f"default: lines\nnumbers: {{{own}}}\n")
    return site


@contextlib.asynccontextmanager
async def crash_stage(folder: Path, workers: int = 2) -> AsyncIterator[tuple[FreeswitchStage, CuttableLink]]:
    """A whole service on FreeSWITCH, and the line that its workers' links take."""
    link = CuttableLink(find_free_ports())
    settings = {LINK_PORT: str(link.port)}
    stage = FreeswitchStage(write_site(folder), workers=workers, settings=settings)
    link.target = lambda: stage.pbx.esl_port
    await link.mend()
    try:
        async with stage:
            yield stage, link
    finally:
        await link.cut()


class CuttableLink:
    """A line to FreeSWITCH's Event Socket that can be cut, and comes back."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.target: Callable[[], int] = lambda: 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._carry_both, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """End all connections, and take no more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for end in list(self._ends):
            end.transport.abort()

    async def _carry_both(self, here_in: asyncio.StreamReader, here_out: asyncio.StreamWriter) -> None:
        try:
            there_in, there_out = await asyncio.open_connection("127.0.0.1", self.target())
        except OSError:
            here_out.close()
            return
        await asyncio.gather(self._carry(here_in, there_out), self._carry(there_in, here_out))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self._ends.add(sink)
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        self._ends.discard(sink)
        sink.close()


class Callers:
    """Callers who are with a certain worker."""

    def __init__(self, stage: Stage, worker: int, stack: AsyncExitStack) -> None:
        self._stage = stage
        self._worker = worker
        self._stack = stack

    async def guest(self, number: str) -> Guest:
        """Somebody who has dialled a number of a flow."""
        return await self._dials(lambda ani: guest(self._stage, number, ani=ani))

    async def line(self, queue: str) -> Line:
        """Somebody who waits in a queue."""
        return await self._dials(lambda _: line(self._stage, queue))

    async def _dials(self, dial: Callable[[str], AbstractAsyncContextManager[_Caller]]) -> _Caller:
        """Dialled again until it is the right worker: the dialplan spreads calls by chance."""
        for _ in range(20):
            async with AsyncExitStack() as own:
                ani = f"+4420795{next(_anis):05}"
                caller = await own.enter_async_context(dial(ani))
                arrived = await self._stage.journal.wait("call_arrived", 10, ani=getattr(caller, "ani", ani))
                if arrived["worker"] == self._worker:
                    await self._stack.enter_async_context(own.pop_all())
                    return caller
        raise AssertionError(f"no call came to worker {self._worker}")
