"""A real Asterisk in a container on the host's loopback, for as long as a test or a demo needs it.

`async with LabPbx(...) as pbx:` starts it and waits until it is fully booted; leaving removes it. Several may run
at once: every port is picked free. Callers come from 127.0.0.2 to 127.0.0.15, phones register from 127.0.0.1; a
caller from 127.0.0.16 is cut off when no sound comes (see `docker/asterisk/conf`). Called by the tests and the
scenario player; it knows nothing of Cordboard's service, whose dialplan and AMI user are handed in as text.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import docker

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.ami import LabAmi, Message, list_items
from cordboard.lab.container import LabContainer
from cordboard.lab.engine import ensure_engine
from cordboard.lab.image import Log, ensure_image
from cordboard.lab.pbx_config import EXTENSIONS, RTP_PORTS, PbxSettings, render
from cordboard.lab.ports import find_free_ports
from cordboard.lab.sounds import MUSIC, SAFE_DESTINATION, write_lab_sounds

READY_TIMEOUT_S = 15.0  # 0.5 s on a quiet machine
LOG_TAIL_LINES = 10
RECONNECT_EVERY_S = 0.02  # no event tells of a port that begins to listen
COMMAND = ("asterisk", "-f", "-n")  # in the foreground, so that the container ends with it; no colours


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """A channel that exists right now. age: as Asterisk writes it, HH:MM:SS."""

    name: str
    unique_id: str
    state: str
    caller: str
    context: str
    extension: str
    application: str
    age: str


def silent(line: str) -> None:
    """A log nobody reads."""


class LabPbx:
    """One Asterisk. Its ports, secret and paths can be read before it is started.

    mounts:         directories Asterisk sees at the same absolute path: prompts to read, messages to write.
    extra_files:    more files of /etc/asterisk, name to text: `cordboard.conf` (dialplan; given it, callers go to
                    its context [cordboard], else to the safe destination), `manager.d/cordboard.conf`, ...
    extra_dialplan: dialplan that begins inside the context [lab-extra], whose numbers callers and phones can dial.
    user:           who Asterisk runs as. By default who runs the lab: its messages then belong to them, and inside
                    the mounts it can do what they can do and no more.
    verbose:        from 3 on the log shows each dialplan step.
    owner:          `cleanup.STANDING` for a lab that is to outlive this program.
    """

    def __init__(
        self,
        *,
        mounts: Sequence[Path] = (),
        extra_files: Mapping[str, str] | None = None,
        extra_dialplan: str = "",
        sip_port: int | None = None,
        ami_port: int | None = None,
        ami_secret: str | None = None,
        rtp_ports: tuple[int, int] = RTP_PORTS,
        phones: Sequence[str] = EXTENSIONS,
        user: str | None = None,
        verbose: int = 0,
        owner: str | None = None,
        log: Log = silent,
    ) -> None:
        owner = owner or cleanup.owner_mark()
        self.boot_s = 0.0  # how long the last start took until fully booted, engine and image not counted
        self.run_dir = cleanup.make_run_dir("pbx", owner)
        self.conf_dir = self.run_dir / "conf"
        self.sound_dir = self.run_dir / "sounds"
        self.settings = PbxSettings(
            sip_port=sip_port or find_free_ports(),
            ami_port=ami_port or find_free_ports(),
            ami_secret=ami_secret or secrets.token_hex(12),
            run_dir=self.run_dir,
            sound_dir=self.sound_dir,
            rtp_ports=rtp_ports,
            phones=phones,
            extra_files=extra_files or {},
            extra_dialplan=extra_dialplan,
            verbose=verbose,
        )
        self._mounts = [path.resolve() for path in mounts]
        self._user = user or f"{os.getuid()}:{os.getgid()}"
        self._log = log
        self._container = LabContainer(f"cordboard-lab-{self.run_dir.name}", owner)
        self._engine: docker.DockerClient | None = None
        self._ami: LabAmi | None = None
        self._forget = cleanup.on_exit(self._remove) if owner != cleanup.STANDING else silent_end

    @property
    def host(self) -> str:
        return self.settings.host

    @property
    def sip_port(self) -> int:
        return self.settings.sip_port

    @property
    def ami_port(self) -> int:
        return self.settings.ami_port

    @property
    def link_port(self) -> int:
        """Where the service's link connects to."""
        return self.settings.ami_port

    @property
    def ami_user(self) -> str:
        """The lab's own AMI user, which sees and may do everything."""
        return self.settings.ami_user

    @property
    def ami_secret(self) -> str:
        return self.settings.ami_secret

    @property
    def safe_destination_sound(self) -> Path:
        """What a caller at the safe destination hears, as 8 kHz WAV."""
        return self.sound_dir / f"{SAFE_DESTINATION}.wav"

    @property
    def music_sound(self) -> Path:
        """The music on hold, as 8 kHz WAV, which is played round and round."""
        return self.sound_dir / MUSIC / f"{MUSIC}.wav"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Have an engine and an image, sweep what dead owners left, start, and wait until fully booted.

        Seconds with the image there, a minute without. Raises LabError.
        """
        try:
            self._engine = engine = await asyncio.to_thread(ensure_engine)
            image = await asyncio.to_thread(ensure_image, engine, self._log)
            await asyncio.to_thread(cleanup.sweep, engine)
            await to_the_end(self._write_files)
            await self._boot(lambda: self._run(engine, image))
        except BaseException:
            await self.stop()
            raise

    async def kill(self) -> None:
        """SIGKILL Asterisk, as a crash would. Calls, registrations and AMI links are gone; the files stay."""
        await self._close_ami()
        await asyncio.to_thread(self._container.kill)

    async def restart(self) -> None:
        """Kill Asterisk if it runs, start it on the same ports and files, and wait until fully booted."""
        await self.kill()
        await self._boot(self._container.start_again)

    async def stop(self) -> None:
        """Remove Asterisk and its files. Harmless when it was never started or is gone."""
        await self._close_ami()
        await asyncio.to_thread(self._remove)
        self._forget()

    async def leave_running(self) -> None:
        """Let go of a standing lab's PBX: it goes on when this program ends."""
        await self._close_ami()
        self._close_engine()

    async def channels(self) -> list[LiveChannel]:
        """The channels that exist right now. Raises LabError if Asterisk does not answer."""
        return [live_channel(item) for item in list_items(await self.ami.send("CoreShowChannels"))]

    async def wait_for_no_channels(self, timeout_s: float = 5.0) -> None:
        """Wait until every channel has ended. Raises LabError which names those that live on."""
        async with self.ami.listen("Hangup") as hangups:
            await self._send_events("call")
            try:
                async with asyncio.timeout(timeout_s):
                    while await self.channels():
                        await hangups.get()
            except TimeoutError as error:
                left = ", ".join(channel.name for channel in await self.channels())
                raise LabError(f"channels still live after {timeout_s} s: {left}") from error
            finally:
                await self._send_events("off")

    async def command(self, text: str) -> str:
        """The output of a command of Asterisk's console, "pjsip show contacts"."""
        return (await self.ami.send("Command", Command=text))[0].get("Output", "")

    def logs(self) -> str:
        """Everything Asterisk wrote to its console, over all starts. Blocks for some milliseconds."""
        return self._container.logs()

    def pid(self) -> int:
        """Asterisk's pid on the host; 0 when it does not run."""
        return self._container.pid()

    @property
    def ami(self) -> LabAmi:
        """The lab's own AMI connection. Raises LabError while Asterisk is down."""
        if self._ami is None:
            raise LabError("Asterisk is not running")
        return self._ami

    async def _boot(self, start: Callable[[], None]) -> None:
        began = time.monotonic()
        await to_the_end(start)
        self._ami = await self._connect()
        self.boot_s = time.monotonic() - began

    async def _connect(self) -> LabAmi:
        """Try until Asterisk lets us in. Raises LabError with the end of its log when it ends or takes too long."""
        settings = self.settings
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while True:
                    try:
                        return await LabAmi.connect(
                            settings.host, settings.ami_port, settings.ami_user, settings.ami_secret
                        )
                    except ConnectionError:
                        await self._still_starting()
        except TimeoutError as error:
            raise LabError(await self._with_log(f"Asterisk was not up after {READY_TIMEOUT_S} s")) from error

    async def _still_starting(self) -> None:
        """A short wait. Raises LabError if Asterisk has ended instead."""
        await asyncio.sleep(RECONNECT_EVERY_S)
        if await asyncio.to_thread(self.pid) == 0:
            raise LabError(await self._with_log("Asterisk ended at its start"))

    async def _with_log(self, message: str) -> str:
        log = await asyncio.to_thread(self.logs)
        return f"{message}; its log ends with:\n" + "\n".join(log.splitlines()[-LOG_TAIL_LINES:])

    def _run(self, engine: docker.DockerClient, image: str) -> None:
        mounts = {self.conf_dir: "/etc/asterisk", self.run_dir: str(self.run_dir)}
        mounts |= {path: str(path) for path in self._mounts}
        self._container.run(engine, image, COMMAND, user=self._user, mounts=mounts)

    def _write_files(self) -> None:
        for directory in (self.conf_dir, self.sound_dir, self.run_dir / "spool"):
            directory.mkdir(parents=True, exist_ok=True)
        write_lab_sounds(self.sound_dir)
        for name, text in render(self.settings).items():
            path = self.conf_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _remove(self) -> None:
        self._container.remove()
        self._close_engine()
        cleanup.remove_run_dir(self.run_dir)

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()

    async def _send_events(self, classes: str) -> None:
        await self.ami.send("Events", EventMask=classes)

    async def _close_ami(self) -> None:
        ami, self._ami = self._ami, None
        if ami is not None:
            await ami.close()


def live_channel(item: Message) -> LiveChannel:
    """A channel from an item of the AMI action CoreShowChannels."""
    return LiveChannel(
        name=item["Channel"],
        unique_id=item.get("Uniqueid", ""),  # a caller's number with line breaks in it may have cut the item short
        state=item["ChannelStateDesc"],
        caller=item.get("CallerIDNum", ""),
        context=item.get("Context", ""),
        extension=item.get("Exten", ""),
        application=item.get("Application", ""),
        age=item.get("Duration", ""),
    )


async def to_the_end(work: Callable[[], None]) -> None:
    """Do blocking work in a thread. Cancelled, it waits for the thread, so that what it made can be removed."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise


def silent_end() -> None:
    """What takes back a closer that was never registered."""
