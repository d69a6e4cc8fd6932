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
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.ami import LabAmi, Message, list_items
from cordboard.lab.container import LabContainer
from cordboard.lab.engine import ensure_engine
from cordboard.lab.image import Log, ensure_image
from cordboard.lab.lab_switch import LabSwitch, LiveChannel, silent, to_the_end
from cordboard.lab.pbx_config import EXTENSIONS, RTP_PORTS, PbxSettings, render
from cordboard.lab.ports import find_free_ports
from cordboard.lab.sounds import MUSIC, write_lab_sounds

READY_TIMEOUT_S = 15.0  # 0.5 s on a quiet machine
COMMAND = ("asterisk", "-f", "-n")  # in the foreground, so that the container ends with it; no colours


class LabPbx(LabSwitch):
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
        run_dir = cleanup.make_run_dir("pbx", owner)
        self._container = LabContainer(f"cordboard-lab-{run_dir.name}", owner)
        self._engine: docker.DockerClient | None = None
        self._ami: LabAmi | None = None
        super().__init__("Asterisk", run_dir, owner, self._container, READY_TIMEOUT_S)
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
    def music_sound(self) -> Path:
        """The music on hold, as 8 kHz WAV, which is played round and round."""
        return self.sound_dir / MUSIC / f"{MUSIC}.wav"

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

    async def leave_running(self) -> None:
        """Let go of a standing lab's PBX: it goes on when this program ends."""
        await super().leave_running()
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

    @property
    def ami(self) -> LabAmi:
        """The lab's own AMI connection. Raises LabError while Asterisk is down."""
        if self._ami is None:
            raise LabError("Asterisk is not running")
        return self._ami

    async def _come_up(self) -> None:
        at = self.settings
        self._ami = await self._connect(lambda: LabAmi.connect(at.host, at.ami_port, at.ami_user, at.ami_secret))

    async def _close_link(self) -> None:
        ami, self._ami = self._ami, None
        if ami is not None:
            await ami.close()

    def _run(self, engine: docker.DockerClient, image: str) -> None:
        mounts = {self.conf_dir: "/etc/asterisk", self.run_dir: str(self.run_dir)}
        mounts |= {path: str(path) for path in self._mounts}
        self._container.run(engine, image, COMMAND, user=self._user, mounts=mounts)

    def _write_files(self) -> None:
        for directory in (self.conf_dir, self.sound_dir, self.run_dir / "spool"):
            directory.mkdir(parents=True, exist_ok=True)
        write_lab_sounds(self.sound_dir)
        self._write_all(render(self.settings))

    def _remove(self) -> None:
        super()._remove()
        self._close_engine()

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()

    async def _send_events(self, classes: str) -> None:
        await self.ami.send("Events", EventMask=classes)


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
