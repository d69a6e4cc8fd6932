"""A real FreeSWITCH on the host's loopback, for as long as a test or a demo needs it: what `pbx` is for Asterisk.

`async with LabFreeswitch(...) as pbx:` starts it and waits until its SIP profile takes calls; leaving removes it.
Several may run at once: every port is picked free, and every directory is its own. Callers come from 127.0.0.2 to
127.0.0.15, phones register from 127.0.0.1; a caller from 127.0.0.16 is cut off when no sound comes (see
`docker/freeswitch/conf`). It knows nothing of Cordboard's service, whose dialplan is handed in as text.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from cordboard.errors import LabError
from cordboard.lab import cleanup, spoken_values
from cordboard.lab.container import LabContainer
from cordboard.lab.engine import ensure_engine
from cordboard.lab.esl import LabEsl
from cordboard.lab.freeswitch_config import FreeswitchSettings, render_freeswitch
from cordboard.lab.freeswitch_sources import (
    VARIABLE,
    FreeswitchProgram,
    NoFreeswitch,
    RunningFreeswitch,
    find_freeswitch,
    named_freeswitch,
)
from cordboard.lab.image import Log
from cordboard.lab.lab_switch import LabSwitch, LiveChannel, silent, to_the_end
from cordboard.lab.pbx_config import EXTENSIONS
from cordboard.lab.ports import find_free_ports
from cordboard.lab.sounds import MUSIC, write_lab_sounds, write_looped
from cordboard.lab.switch_process import SwitchProcess

MARK = "FreeSWITCH for the lab"
READY_TIMEOUT_S = 30.0  # 1.5 s on a quiet machine
MUSIC_TIMES = 15  # 5 min: mod_local_stream is silent for a second when it opens a file again
GONE_LATE_S = 0.05  # a channel is counted until a moment after the event of its end
RTP_STARTS = range(12_000, 19_200, 200)
RTP_COUNT = 800  # labs may share some: FreeSWITCH passes over a port that is taken
_SESSIONS = re.compile(r"(\d+) session\(s\) - peak")
_TAKE_OVER = ("reloadxml", "fsctl api_expansion off", "reload mod_local_stream", "reload mod_sofia")
OWN_DIRECTORIES = ("log", "db", "run", "temp", "storage", "recordings", "cache")


class LabFreeswitch(LabSwitch):
    """One FreeSWITCH. Its ports, secret and paths can be read before it is started.

    mounts:         directories that one in a container sees at the same absolute path.
    extra_files:    more files of its configuration directory, name to text: `dialplan/cordboard.xml` (given it,
                    callers go to its context `cordboard`, else to the safe destination), `autoload_configs/...`.
    extra_dialplan: <extension> elements that callers and phones can dial, and contexts beside them.
    gateways:       <gateway> elements: trunks.
    log_level:      at `debug` each dialplan step is in `logs()`.
    Everything is of `FreeswitchSettings`.
    """

    def __init__(
        self,
        *,
        mounts: Sequence[Path] = (),
        extra_files: Mapping[str, str] | None = None,
        extra_dialplan: str = "",
        extra_contexts: str = "",
        gateways: str = "",
        sip_port: int | None = None,
        esl_port: int | None = None,
        esl_secret: str | None = None,
        phones: Sequence[str] = EXTENSIONS,
        languages: Sequence[str] = ("en", "es"),
        log_level: str = "info",
        owner: str | None = None,
        log: Log = silent,
    ) -> None:
        owner = owner or cleanup.owner_mark()
        self._named = named_freeswitch()
        run_dir = cleanup.make_run_dir("freeswitch", owner)
        super().__init__("FreeSWITCH", run_dir, owner, SwitchProcess(owner, run_dir / "output"), READY_TIMEOUT_S)
        first_rtp = random.choice(RTP_STARTS)
        self.settings = FreeswitchSettings(
            sip_port=sip_port or find_free_ports(),
            esl_port=self._named.port if self._named else esl_port or find_free_ports(),
            esl_secret=self._named.secret if self._named else esl_secret or secrets.token_hex(12),
            rtp_ports=(first_rtp, first_rtp + RTP_COUNT),
            run_dir=self.run_dir,
            sound_dir=self.sound_dir,
            phones=phones,
            languages=languages,
            extra_files=extra_files or {},
            extra_dialplan=extra_dialplan,
            extra_contexts=extra_contexts,
            gateways=gateways,
            log_level=log_level,
        )
        self._mounts = [path.resolve() for path in mounts]
        self._esl: LabEsl | None = None

    @property
    def host(self) -> str:
        return self.settings.host

    @property
    def sip_port(self) -> int:
        return self.settings.sip_port

    @property
    def esl_port(self) -> int:
        return self.settings.esl_port

    @property
    def link_port(self) -> int:
        """Where the service's link connects to."""
        return self.settings.esl_port

    @property
    def esl_secret(self) -> str:
        """The password of its Event Socket, which the product's link uses too."""
        return self.settings.esl_secret

    @property
    def music_sound(self) -> Path:
        """The music on hold, as 8 kHz WAV; `local_stream://music` plays it round and round."""
        return self.run_dir / f"{MUSIC}.wav"

    async def start(self) -> None:
        """Sweep what dead owners left, start, and wait until calls can come. Raises NoFreeswitch, LabError."""
        try:
            source = await asyncio.to_thread(find_freeswitch)
            await asyncio.to_thread(cleanup.sweep, None)
            await spoken_values.lay_out(self.sound_dir, self.settings.languages)
            if isinstance(source, RunningFreeswitch):
                await self._take_over()
                return
            await to_the_end(self._write_files)
            await self._boot(lambda: self._run(source))
        except BaseException:
            await self.stop()
            raise

    async def kill(self) -> None:
        """SIGKILL FreeSWITCH, as a crash would. Calls, registrations and links are gone; the files stay.

        Raises NoFreeswitch for one that the environment names: it is not ours to kill.
        """
        if self._named is not None:
            raise NoFreeswitch(f"the FreeSWITCH of {VARIABLE} is not the lab's to kill")
        await super().kill()

    async def channels(self) -> list[LiveChannel]:
        """The channels in FreeSWITCH's list, which is written a moment after they come and go. Raises LabError."""
        listed = json.loads(await self.command("show channels as json"))
        return [live_channel(row) for row in listed.get("rows", ())]

    async def wait_for_no_channels(self, timeout_s: float = 5.0) -> None:
        """Wait until every channel has ended. Raises LabError which names those that live on."""
        async with self.esl.listen("CHANNEL_DESTROY") as ends:
            try:
                async with asyncio.timeout(timeout_s):
                    while await self.live_channels():
                        await _soon(ends)
            except TimeoutError as error:
                left = ", ".join(channel.name for channel in await self.channels())
                raise LabError(f"channels still live after {timeout_s} s: {left}") from error

    async def live_channels(self) -> int:
        """How many channels exist right now; the list lags behind that. Raises LabError."""
        counted = _SESSIONS.search(await self.command("status"))
        if counted is None:
            raise LabError("FreeSWITCH does not tell how many channels there are")
        return int(counted[1])

    async def command(self, text: str) -> str:
        """The output of an API command, "sofia status"."""
        return await self.esl.api(text)

    async def reload_xml(self, files: Mapping[str, str]) -> None:
        """Put other files into its configuration directory, and have it read them."""
        await asyncio.to_thread(self._write_all, files)
        await self.command("reloadxml")

    def logs(self) -> str:
        """Everything FreeSWITCH logged, over all starts. Blocks for some milliseconds."""
        file = self.run_dir / "log" / "freeswitch.log"
        return super().logs() + (file.read_text(errors="replace") if file.exists() else "")

    @property
    def esl(self) -> LabEsl:
        """The lab's own Event Socket connection. Raises LabError while FreeSWITCH is down."""
        if self._esl is None:
            raise LabError("FreeSWITCH is not running")
        return self._esl

    async def _take_over(self) -> None:
        """Have the FreeSWITCH of the environment read our files. Raises NoFreeswitch unless it is the lab's."""
        try:
            self._esl = await LabEsl.connect(self.host, self.esl_port, self.esl_secret)
        except OSError as fault:
            raise NoFreeswitch(f"{VARIABLE}: nobody listens at {self.host}:{self.esl_port}") from fault
        self.conf_dir = Path(await self.command("global_getvar conf_dir"))
        if not await asyncio.to_thread(is_labs, self.conf_dir):
            raise NoFreeswitch(f"{VARIABLE}: start that FreeSWITCH on the files of `cordboard lab files`")
        await to_the_end(self._write_files)
        await self._ready("RUNNING")  # one that is just starting would not hear of the restart
        for command in _TAKE_OVER:
            await self.command(command)
        await self._ready(f"{self.host}:{self.sip_port}\tRUNNING")

    async def _come_up(self) -> None:
        at = self.settings
        self._esl = await self._connect(lambda: LabEsl.connect(at.host, at.esl_port, at.esl_secret))
        await self._ready("RUNNING")

    async def _ready(self, state: str) -> None:
        """Wait until the SIP profile is so."""
        async with asyncio.timeout(READY_TIMEOUT_S):
            while state not in await self.command("sofia status"):
                await self._still_starting()

    def _has_ended(self) -> bool:
        return self._named is None and super()._has_ended()

    def _run(self, source: FreeswitchProgram) -> None:
        arguments = freeswitch_arguments(self.run_dir)
        if source.kind == "program":
            assert isinstance(self._runs, SwitchProcess)
            self._runs.run([source.place, *arguments])
            return
        container = LabContainer(f"cordboard-lab-{self.run_dir.name}", self._owner)
        self._runs = container
        mounts = {path: str(path) for path in (self.run_dir, *self._mounts)}
        user = f"{os.getuid()}:{os.getgid()}"
        container.run(ensure_engine(), source.place, ["freeswitch", *arguments], user=user, mounts=mounts)

    def _write_files(self) -> None:
        for directory in (self.conf_dir, self.sound_dir, *(self.run_dir / name for name in OWN_DIRECTORIES)):
            directory.mkdir(parents=True, exist_ok=True)
        write_lab_sounds(self.sound_dir)
        stream = self.sound_dir / MUSIC / f"{MUSIC}.wav"
        stream.replace(self.music_sound)
        write_looped(self.music_sound, stream, MUSIC_TIMES)
        self._write_all(render_freeswitch(self.settings))

    async def _close_link(self) -> None:
        esl, self._esl = self._esl, None
        if esl is not None:
            await esl.close()


def is_labs(conf_dir: Path) -> bool:
    """Whether a configuration directory was written by the lab."""
    file = conf_dir / "freeswitch.xml"
    return file.is_file() and MARK in file.read_text(errors="replace")


def freeswitch_arguments(run_dir: Path) -> list[str]:
    """In the foreground, without a console, and with every directory below one of the lab's own.

    With the priority of any program: its start in real time would tear the calls of the machine's other switches.
    """
    places = {"-conf": "conf", "-certs": "conf", "-grammar": "conf", "-scripts": "conf", "-htdocs": "conf"}
    places |= {"-sounds": "sounds"} | {f"-{name}": name for name in OWN_DIRECTORIES}
    return [
        "-nf",
        "-nc",
        "-nonat",
        "-np",
        *(word for option, name in places.items() for word in (option, f"{run_dir}/{name}")),
    ]


def live_channel(row: Mapping[str, str]) -> LiveChannel:
    """A channel from a row of `show channels as json`."""
    return LiveChannel(
        name=row["name"],
        unique_id=row["uuid"],
        state=row["callstate"],
        caller=row["cid_num"],
        context=row["context"],
        extension=row["dest"],
        application=row["application"],
        age=row["created"],
    )


async def _soon(ends: asyncio.Queue[dict[str, str]]) -> None:
    """Wait for the end of a channel, or for its thread to end."""
    try:
        async with asyncio.timeout(GONE_LATE_S):
            await ends.get()
    except TimeoutError:
        return
