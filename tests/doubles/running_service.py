"""`cordboard run` as real processes without a PBX, for tests of how the service starts, reloads and ends.

Calls come over the FastAGI port, from `FakeAsterisk`; nobody listens where the manager link goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from typer import Typer
from typer.testing import CliRunner

from cordboard.bootstrap.agi_token import agi_token
from cordboard.cli_flows import flow_app
from cordboard.cli_traces import replay, trace
from cordboard.errors import ConfigurationError
from cordboard.lab.journal import Journal
from cordboard.lab.ports import find_free_ports
from tests.doubles.fake_asterisk import RAN, FakeAsterisk, header_block, new_call

FLOW = """\
flow: hello
languages: [en]
prompts: {hello: {en: "hello"}}
nodes:
  hello: {play: hello, next: again}
  again: {play: hello, next: bye}
  bye: {hangup: normal}
"""
PLAYED = "200 result=0 endpos=800"


@cache
def _tools() -> Typer:
    """The commands that need no process of their own."""
    tools = Typer()
    tools.add_typer(flow_app, name="flow")
    tools.command()(trace)
    tools.command()(replay)
    return tools


class Service:
    """`cordboard run` on a directory of its own, its log as a journal."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config"
        self.state = folder / "state"
        self.journal = Journal()
        self.agi_port, self.http_port, self.desk_port = find_free_ports(2), find_free_ports(2), find_free_ports()
        self.process: asyncio.subprocess.Process | None = None
        self.complaints: list[str] = []
        self._readers: list[asyncio.Task[None]] = []
        self._write_site()

    def _write_site(self) -> None:
        (self.config / "flows").mkdir(parents=True)
        (self.config / "flows" / "hello.yaml").write_text(FLOW)
        (self.config / "numbers.yaml").write_text("default: hello\n")
        (self.config / "cordboard.yaml").write_text("log: {format: json}\ndrain_s: 6\n")
        (self.config / "secret").write_text("s3cret")
        (self.config / "prompts" / "en").mkdir(parents=True)
        _write_tone(self.config / "prompts" / "en" / "hello.wav")

    def add_agent(self) -> None:
        """An agent, and with that a desk."""
        (self.config / "agents.yaml").write_text("agents: {alice: {device: PJSIP/1001, queues: [sales]}}\n")
        (self.config / "queues.yaml").write_text("queues: {sales: {accept: none}}\n")

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """A command that looks at the service or tells it something, here: exit code, output, complaints."""
        return await asyncio.to_thread(self._command, arguments)

    def _command(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        done = CliRunner().invoke(_tools(), [*arguments, "--config", str(self.config)], env=self._environment(1))
        if isinstance(done.exception, ConfigurationError):
            return 1, done.stdout, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    async def run(self, command: str) -> str:
        """Run another command to its end, by hand; what it complained of."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", command, "--config", str(self.config)),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=self._environment(1),
        )  # fmt: skip
        _, complaints = await asyncio.wait_for(process.communicate(), 15)
        return complaints.decode()

    def _environment(self, workers: int) -> dict[str, str]:
        return os.environ | {
            "CORDBOARD_STATE": str(self.state),
            "CORDBOARD_WORKERS": str(workers),
            "CORDBOARD_LISTEN__AGI__PORT": str(self.agi_port),
            "CORDBOARD_LISTEN__HTTP__PORT": str(self.http_port),
            "CORDBOARD_LISTEN__DESK__PORT": str(self.desk_port),
            "CORDBOARD_ASTERISK__AMI__PORT": "1",  # nobody listens there
            "CORDBOARD_ASTERISK__AMI__SECRET__FILE": str(self.config / "secret"),
        }

    async def spawn(self, workers: int = 1, **environment: str) -> None:
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", "run", "--config", str(self.config)),
            stdout=pipe, stderr=pipe, env=self._environment(workers) | environment, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None and self.process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self.process.stdout, self._take)),
            asyncio.create_task(self._read(self.process.stderr, self.complaints.append)),
        ]

    async def start(self, workers: int = 1, **environment: str) -> None:
        """Until each process has said that it is ready: their lines may come after the supervisor's own."""
        await self.spawn(workers, **environment)
        await self.journal.wait("service_ready", 45)
        await self.events("worker_ready", workers)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, within_s: float = 30.0) -> int:
        assert self.process is not None
        code = await asyncio.wait_for(self.process.wait(), within_s)
        await asyncio.gather(*self._readers)
        return code

    async def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
            await asyncio.gather(*self._readers)

    def worker_pid(self, worker: int = 0) -> int:
        return int(self.journal.find("worker_ready", worker=worker)[-1]["pid"])

    async def events(self, event: str, count: int, **fields: Any) -> list[dict[str, Any]]:
        return list(
            await self.journal.wait_until(
                lambda: found if len(found := self.journal.find(event, **fields)) >= count else [], 15
            )
        )

    async def _read(self, stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        while line := await stream.readline():
            take(line.decode().rstrip())

    def _take(self, line: str) -> None:
        self.journal.add(json.loads(line))


def _write_tone(path: Path) -> None:
    """A tenth of a second of a WAV file."""
    sound = b"\x00\x10" * 800
    head = b"RIFF" + (36 + len(sound)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    path.write_bytes(head + form + b"data" + len(sound).to_bytes(4, "little") + sound)


async def caller(service: Service) -> FakeAsterisk:
    """A call that has just reached the first worker."""
    block = header_block("call", new_call(token=agi_token("s3cret")))
    return await FakeAsterisk.connect(service.agi_port, block)


async def plays(asterisk: FakeAsterisk) -> bool:
    """Whether a prompt is asked for next; everything else is answered, to the end."""
    while words := await asterisk.next_verb():
        if "STREAM" in words:
            return True
        asterisk.reply(RAN)
    return False
