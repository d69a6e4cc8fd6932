"""Places calls at a steady rate, whether or not the last ones have ended, and hears how each ended. A program.

    python -m tests.bench.generator HOST PORT USER SECRET

Reads one job a line on standard input and writes one result a line on standard output, both JSON (`Burst`,
`Result`). A process of its own, so that its work neither delays nor is counted with anybody else's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from tests.bench.dialplan import CALLER, COMPLETE, ENDED_EVENT, ENTRY, HOLD_S

LONGEST_CALL_S = 15.0
LOGIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Burst:
    """What to do: `count` calls to a variant, `rate` a second."""

    variant: str
    rate: float
    count: int
    wait_for_end: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. durations_ms: of the calls that came to their end; late_ms: the worst delay of one."""

    durations_ms: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    late_ms: float = 0.0


class Manager(asyncio.Protocol):
    """The manager connection: writes Originates without waiting for answers, counts what comes of them."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._pending = b""
        self.is_in = asyncio.get_running_loop().create_future()
        self.begin()

    def begin(self) -> None:
        """Forget what was counted."""
        self.durations_ms: list[float] = []
        self.failures: Counter[str] = Counter()
        self._expected = 0
        self._all = asyncio.get_running_loop().create_future()

    async def wait_for(self, count: int, longest_s: float) -> None:
        """Wait until so many calls have ended or failed; those still missing then count as failures."""
        self._expected = count
        self._look()
        await asyncio.wait([self._all], timeout=longest_s)
        if missing := count - self._ended:
            self.failures["did not end in time"] = missing

    def send(self, **headers: str) -> None:
        """Write one action."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        cast(asyncio.Transport, self._transport).write(f"{lines}\r\n".encode())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *messages, self._pending = (self._pending + data).split(b"\r\n\r\n")
        for message in messages:
            self._take(message)

    def _take(self, message: bytes) -> None:
        if f"UserEvent: {ENDED_EVENT}".encode() in message:
            self._note(_value(message, b"Us"), _value(message, b"Mark"))
        elif b"Response: Error" in message:
            self.failures[_value(message, b"Message")] += 1
        elif b"Authentication accepted" in message:
            self.is_in.set_result(None)
        self._look()

    def _note(self, duration_us: str, mark: str) -> None:
        if mark == COMPLETE:
            self.durations_ms.append(float(duration_us) / 1000)
        else:
            self.failures[f"ended early ({mark or 'no mark'})"] += 1

    @property
    def _ended(self) -> int:
        return len(self.durations_ms) + self.failures.total()

    def _look(self) -> None:
        if self._expected and self._ended >= self._expected and not self._all.done():
            self._all.set_result(None)


def _value(message: bytes, name: bytes) -> str:
    """A header of a message; "" if it has none."""
    _, found, rest = message.partition(b"\r\n" + name + b": ")
    return rest.partition(b"\r\n")[0].decode() if found else ""


async def place(manager: Manager, burst: Burst) -> Result:
    """Place the calls of a burst, each at its own moment, and wait for their end."""
    manager.begin()
    late_s = await _place_all(manager, burst)
    if not burst.wait_for_end:
        return Result(late_ms=late_s * 1000)
    await manager.wait_for(burst.count, LONGEST_CALL_S)
    return Result(manager.durations_ms, dict(manager.failures), late_s * 1000)


async def _place_all(manager: Manager, burst: Burst) -> float:
    """Returns by how many seconds the latest call was late."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    latest_s = 0.0
    for number in range(burst.count):
        due = began + number / burst.rate
        if (ahead_s := due - loop.time()) > 0:
            await asyncio.sleep(ahead_s)
        manager.send(
            Action="Originate", Channel=f"Local/{burst.variant}@{ENTRY}/n", Context=CALLER, Exten="s", Priority="1",
            Timeout=str(HOLD_S * 1000), Async="true",
        )  # fmt: skip
        latest_s = max(latest_s, loop.time() - due)
    return latest_s


async def serve(host: str, port: int, user: str, secret: str) -> None:
    """Do the jobs of standard input until it ends."""
    loop = asyncio.get_running_loop()
    _, manager = await loop.create_connection(Manager, host, port)
    manager.send(Action="Login", Username=user, Secret=secret, Events="user")
    await asyncio.wait_for(manager.is_in, LOGIN_S)
    jobs = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(jobs), sys.stdin)
    while job := await jobs.readline():
        result = await place(manager, Burst(**json.loads(job)))
        print(json.dumps(asdict(result)), flush=True)


def main(arguments: list[str]) -> None:
    """The program."""
    host, port, user, secret = arguments
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(host, int(port), user, secret))


if __name__ == "__main__":
    main(sys.argv[1:])
