"""A whole test bed for one configuration directory: a PBX with our dialplan, the service, and the prompts' sounds.

    async with Stage(Path("ivr_flows")) as stage:
        result = await play(scenario, stage.scenario_stage())
        async with stage.desk("alice") as desk: ...

Where the configuration has agents, each gets an account at the desk; customers.csv fills the embedded directory.
Everything listens on free ports of loopback, and the service writes into a directory of the stage's own, so stages
can run beside each other and beside a real service of the same configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Self

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.errors import LabError
from cordboard.lab import cleanup, voice_cache
from cordboard.lab.agents import DeskAccess
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.image import Log
from cordboard.lab.journal import Entry, Journal
from cordboard.lab.lab_switch import silent
from cordboard.lab.music import Music
from cordboard.lab.packages import ensure_packages
from cordboard.lab.pbx import LabPbx
from cordboard.lab.pbx_config import ENTRY_FILE
from cordboard.lab.ports import find_free_ports
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.service_process import ServiceProcess
from cordboard.lab.stage_floor import import_customers, make_accounts
from cordboard.lab.stage_parts import ScenarioStage

VOICE_PACKAGES = ("espeak-ng", "sox")
AMI_USER = "cordboard"
SAFE_DESTINATION = "operators,s,1"
SAFE_PROMPT = "lab/operators"  # what the safe destination plays, as a prompt that scenarios can name


class Stage:
    """`pbx`, `service`, `journal`, `book`, `configuration` and the agents' `passwords` of a running test bed.

    settings: environment settings on top (`CORDBOARD_DRAIN_S`). dialplan: extensions of the test's own.
    """

    def __init__(
        self,
        config: Path,
        *,
        workers: int = 1,
        dialplan: str = "",
        settings: Mapping[str, str] | None = None,
        audio: Path | None = None,
        log: Log = silent,
    ) -> None:
        self.config = config.absolute()
        self.workers = workers
        self.journal = Journal()
        self._dialplan = dialplan
        self._settings = dict(settings or {})
        self._audio = audio
        self._log = log
        self._stack = contextlib.AsyncExitStack()

    pbx: LabPbx
    service: ServiceProcess
    configuration: Configuration
    book: PromptBook
    agi_port: int
    http_port: int
    desk_port: int
    passwords: Mapping[str, str]

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(ensure_packages, VOICE_PACKAGES)
        async with contextlib.AsyncExitStack() as stack:
            self.state = cleanup.make_run_dir("stage")
            stack.callback(cleanup.remove_run_dir, self.state)
            self.agi_port, self.http_port = find_free_ports(self.workers), find_free_ports(self.workers)
            self.desk_port = find_free_ports()
            checked = load_configuration(self.config, environment=self._environment(0), need_secrets=False)
            await asyncio.to_thread(import_customers, checked)
            self.pbx = await stack.enter_async_context(self._make_pbx())
            environment = self._environment(self.pbx.link_port)
            self.service = ServiceProcess(self.config, environment, self.journal)
            stack.push_async_callback(self.service.stop)
            await asyncio.to_thread(voice_cache.fill, self.state / "prompts")
            await self.service.start()
            await asyncio.to_thread(voice_cache.keep, self.state / "prompts")
            self.configuration = load_configuration(self.config, environment={**os.environ, **environment})
            self.book = read_book(self.configuration, self.pbx.safe_destination_sound)
            agents = self._who_logs_in()
            self.passwords = await asyncio.to_thread(make_accounts, self.configuration.database, agents)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _who_logs_in(self) -> Collection[str]:
        """The agents who have a password for the desk."""
        return self.configuration.plan.agents

    def scenario_stage(self) -> ScenarioStage:
        """What the player of scenarios needs."""
        plan = self.configuration.plan
        return ScenarioStage(
            self.pbx,
            self.book,
            self.journal,
            self._audio,
            plan=plan,
            desk=DeskAccess(self.desk_url, self.passwords) if plan.agents else None,
            database=self.configuration.database,
            music=Music.from_file(self.pbx.music_sound),
        )

    @property
    def desk_url(self) -> str:
        """Where agents' browsers go."""
        return f"http://127.0.0.1:{self.desk_port}"

    def desk(self, agent: str) -> DeskClient:
        """A seat at the desk: `async with` logs in and out. Raises LabError for who is no agent."""
        if agent not in self.passwords:
            raise LabError(f"{agent} is no agent of {self.config}")
        return DeskClient(self.desk_url, agent, self.passwords[agent])

    async def wait_event(self, event: str, deadline_s: float = 10.0, **fields: Any) -> Entry:
        """The first such line of the service's log, as soon as it is there. Raises TimeoutError."""
        return await self.journal.wait(event, deadline_s, **fields)

    def worker_pids(self) -> list[int]:
        """The process ids of the workers, in their order; the latest where one was started again."""
        latest = {entry["worker"]: int(entry["pid"]) for entry in self.journal.find("worker_ready")}
        return [latest[worker] for worker in sorted(latest)]

    def _make_pbx(self) -> LabPbx:
        addresses = [f"127.0.0.1:{self.agi_port + number}" for number in range(self.workers)]
        secret = self._write_secret()
        files = {
            ENTRY_FILE: render_dialplan(addresses, SAFE_DESTINATION, token=agi_token(secret)),
            "manager.d/cordboard.conf": render_manager_user(AMI_USER, secret),
        }
        return LabPbx(
            mounts=[self.config, self.state], extra_files=files, extra_dialplan=self._dialplan, log=self._log
        )

    def _write_secret(self, secret: str | None = None) -> str:
        """The secret of the link, a new one unless the switch has one already."""
        secret = secret or secrets.token_hex(16)
        file = self.state / "ami.secret"
        file.touch(mode=0o600)
        file.write_text(secret)
        return secret

    def _environment(self, link_port: int) -> dict[str, str]:
        return {
            "CORDBOARD_STATE": str(self.state),
            "CORDBOARD_WORKERS": str(self.workers),
            "CORDBOARD_LISTEN__AGI__PORT": str(self.agi_port),
            "CORDBOARD_LISTEN__HTTP__PORT": str(self.http_port),
            "CORDBOARD_LISTEN__DESK__PORT": str(self.desk_port),
            "CORDBOARD_ASTERISK__AMI__HOST": "127.0.0.1",
            "CORDBOARD_ASTERISK__AMI__PORT": str(link_port or 5038),
            "CORDBOARD_ASTERISK__AMI__USER": AMI_USER,
            "CORDBOARD_ASTERISK__AMI__SECRET__FILE": str(self.state / "ami.secret"),
            "CORDBOARD_LOG__FORMAT": "json",
            "CORDBOARD_LOG__NUMBERS": "full",
            **self._settings,
        }


def read_book(configuration: Configuration, safe_destination: Path | None = None) -> PromptBook:
    """Every prompt of a configuration that has a sound, and what the lab's safe destination plays."""
    files: dict[str, Path] = {}
    texts: dict[str, str] = {}
    for prompt in configuration.prompts():
        path = configuration.library.inspect(prompt).path
        if path is not None:
            key = f"{prompt.language}/{prompt.flow}/{prompt.name}"
            files[key], texts[key] = path, prompt.text
    if safe_destination is not None:
        files[SAFE_PROMPT] = safe_destination
    return PromptBook.from_files(files, texts)
