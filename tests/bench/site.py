"""Where everything is measured: one Asterisk, one generator, and the programs, started when they are asked for."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from agi_scripts.dialplan.render import render_dialplan, render_manager_user
from cordboard.bootstrap.agi_token import agi_token
from cordboard.lab import cleanup
from cordboard.lab.pbx import LabPbx
from cordboard.lab.ports import find_free_ports
from tests.bench import programs
from tests.bench.caller import Caller, caller
from tests.bench.dialplan import bench_dialplan
from tests.bench.programs import Program
from tests.bench.sounds import LANGUAGE, put_digits, write_prompts

OWN_CONFIG = Path(__file__).with_name("ivr")
AMI_USER = "cordboard"


@dataclass(frozen=True, slots=True)
class Ports:
    """Four neighbours."""

    panoramisk: int
    uvloop: int
    agi: int
    http: int


@dataclass(frozen=True, slots=True)
class Site:
    """What a measurement needs. folder: configuration, state and log of our service."""

    pbx: LabPbx
    caller: Caller
    folder: Path
    ports: Ports

    def program(self, variant: str) -> contextlib.AbstractAsyncContextManager[Program]:
        """Start a variant's program; for native dialplan there is nothing to start."""
        if variant == "panoramisk":
            return programs.panoramisk(self.ports.panoramisk)
        if variant == "uvloop":
            return programs.panoramisk(self.ports.uvloop, "--uvloop")
        if variant == "cordboard":
            return programs.cordboard(self.folder / "config", self.log, self.ports.http, self._settings())
        return contextlib.nullcontext(Program())

    @property
    def log(self) -> Path:
        """The log of our service."""
        return self.folder / "service.log"

    def _settings(self) -> dict[str, str]:
        return {
            "CORDBOARD_STATE": str(self.folder / "state"),
            "CORDBOARD_WORKERS": "1",
            "CORDBOARD_LISTEN__AGI__PORT": str(self.ports.agi),
            "CORDBOARD_LISTEN__HTTP__PORT": str(self.ports.http),
            "CORDBOARD_ASTERISK__AMI__PORT": str(self.pbx.ami_port),
            "CORDBOARD_ASTERISK__AMI__USER": AMI_USER,
            "CORDBOARD_ASTERISK__AMI__SECRET__FILE": str(self.folder / "ami-secret"),
        }


@contextlib.asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    """Start Asterisk and the generator; remove everything at the end."""
    folder = cleanup.make_run_dir("bench")
    try:
        first = find_free_ports(4)
        ports = Ports(*range(first, first + 4))
        secret = secrets.token_hex(12)
        sounds = write_ivr(folder, secret)
        async with LabPbx(
            mounts=[folder],
            extra_files={
                "cordboard.conf": render_dialplan(
                    [f"127.0.0.1:{ports.agi}"], "operators,s,1", token=agi_token(secret)
                ),
                "manager.d/cordboard.conf": render_manager_user(AMI_USER, secret),
            },
            extra_dialplan=bench_dialplan(str(sounds), ports.panoramisk, ports.uvloop),
            log=print,
        ) as pbx:
            await asyncio.to_thread(put_digits, pbx.run_dir.name)
            async with caller(pbx) as generator:
                yield Site(pbx, generator, folder, ports)
    finally:
        cleanup.remove_run_dir(folder)


def write_ivr(folder: Path, secret: str) -> Path:
    """A copy of our configuration with its prompts; returns their folder: all variants play the same files."""
    shutil.copytree(OWN_CONFIG, folder / "config")
    sounds = folder / "config" / "prompts" / LANGUAGE
    write_prompts(sounds)
    (folder / "ami-secret").write_text(secret)
    return sounds
