"""An agent's phone: Debian's baresip without a screen, registered, with real audio both ways.

`async with BaresipPhone("1001", pbx) as phone:` starts and registers it; leaving ends it. Tests and the scenario
player call this. It cannot refuse with another status than 486, nor transfer; `sip_phone` can.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.baresip_config import PhoneSettings, account_line, find_modules, render_phone
from cordboard.lab.ctrl_tcp import Control, Message
from cordboard.lab.packages import ensure_packages, find_program
from cordboard.lab.pbx_config import PHONE_SECRET, RTP_PORTS
from cordboard.lab.phone_calls import CALL_TIMEOUT_S, Pbx, PhoneCall, PhoneCalls
from cordboard.lab.ports import LOOPBACK, find_free_ports
from cordboard.lab.rtp import Samples
from cordboard.lab.sounds import RATE_HZ, write_melody

START_TIMEOUT_S = 15.0  # 0.05 s on a quiet machine; seconds were seen on a crowded one
REGISTER_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 1.0  # enough to unregister; a PBX that is down is not waited for
SPEECH_S = 30.0  # the file a phone says; silence after its end
EVENT_LIMIT = 1000
LOG_LINES = 200
WAV_HEADER_BYTES = 44
KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class PhoneEvent:
    """Something baresip told: kind ("CALL_INCOMING"), when (`time.monotonic()`), and its own words."""

    kind: str
    at: float
    details: Message = field(repr=False)


class BaresipPhone(PhoneCalls):
    """One phone with one account.

    speaks: WAV (8 kHz, mono, 16 bit) the phone says in each call; by default a melody of its own, `said`.
    """

    def __init__(
        self,
        extension: str,
        pbx: Pbx,
        *,
        secret: str = PHONE_SECRET,
        speaks: Path | None = None,
        rtp_ports: tuple[int, int] = RTP_PORTS,
        owner: str | None = None,
    ) -> None:
        super().__init__(extension)
        self.events: deque[PhoneEvent] = deque(maxlen=EVENT_LIMIT)
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._pbx = pbx
        self._secret = secret
        self._speaks = speaks
        self._rtp_ports = rtp_ports
        self._owner = owner
        self._run_dir: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._control: Control | None = None
        self._output: asyncio.Task[None] | None = None
        self._is_ready = False
        self._forget: cleanup.Closer | None = None
        self._registration = ""

    async def __aenter__(self) -> Self:
        await self.start()
        try:
            await self.registered()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def run_dir(self) -> Path:
        """The phone's own directory, while it runs. Raises LabError before."""
        if self._run_dir is None:
            raise LabError(f"phone {self.extension} is not running")
        return self._run_dir

    @property
    def said(self) -> Path:
        """What the phone says in each call, as WAV."""
        return self._speaks or self.run_dir / "said.wav"

    @property
    def recording(self) -> Path | None:
        """What was heard in the latest call, as WAV which grows with it; None before its first audio."""
        call = self.call
        if call is None or call.closed_at is not None:
            return call.recording if call is not None else None
        return self._open_recording()

    def heard(self) -> bytes:
        """What was heard in the latest call so far: 16 bit, mono, 8 kHz, little endian; no gap where none came.

        The length in the file's header is only written when the call is over, so it is not asked.
        """
        recording = self.recording
        return recording.read_bytes()[WAV_HEADER_BYTES:] if recording is not None else b""

    def heard_last(self, seconds: float) -> Samples:
        """The end of what was heard in the latest call so far; empty before its first audio."""
        recording = self.recording
        if recording is None:
            return np.zeros(0, dtype=np.int16)
        wanted = 2 * round(seconds * RATE_HZ)
        with recording.open("rb") as file:
            length = file.seek(0, os.SEEK_END) & ~1  # samples have two bytes; the last may be half written
            file.seek(max(WAV_HEADER_BYTES, length - wanted))
            data = file.read(max(0, length - file.tell()))
        return np.frombuffer(data, dtype="<i2").astype(np.int16)

    async def start(self) -> None:
        """Start the program, and wait until it is ready; it registers by itself. Raises LabError."""
        try:
            await asyncio.to_thread(ensure_packages, ["baresip-core"])
            settings = await asyncio.to_thread(self._prepare)
            await self._launch()
            self._control = await Control.connect(LOOPBACK, settings.control_port, self._on_event)
            await self._control.command("uanew", account_line(settings))
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """End the phone as a person switches it off: it hangs up and unregisters. Its directory goes."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End the phone as a power cut does: nobody is told. Its directory goes."""
        if self._control is not None:
            await self._control.close()
        if self._process is not None:
            _kill_process(self._process)
            await self._process.wait()
        if self._output is not None:
            await self._output
        if self._forget is not None:
            self._forget()
        if self._run_dir is not None:
            await asyncio.to_thread(cleanup.remove_run_dir, self._run_dir)

    async def registered(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Wait until the PBX has taken the registration. Raises LabError if it refuses or says nothing."""
        await self._wait(lambda: self._registration != "", timeout_s, "registration")
        if self._registration != "REGISTER_OK":
            raise LabError(f"phone {self.extension} was not let in: {self._last('REGISTER_FAIL')}")

    async def dial(self, number: str) -> None:
        """Call a number through the PBX. Returns when the phone has begun; then `established` or `closed`."""
        uri = number if number.startswith("sip:") else f"sip:{number}@{self._pbx.host}:{self._pbx.sip_port}"
        known = len(self.calls)
        await self.control.command("dial", uri)
        await self._wait(lambda: len(self.calls) > known, CALL_TIMEOUT_S, f"its call to {number}")

    async def answer(self) -> None:
        """Pick up; the phone must be ringing. Returns when the call is established."""
        await self.control.command("accept")
        await self.established()

    async def answer_after(self, delay_s: float, timeout_s: float = CALL_TIMEOUT_S) -> PhoneCall:
        """Wait for a call, let it ring for `delay_s`, and pick up."""
        call = await self.incoming(timeout_s)
        await asyncio.sleep(delay_s)
        await self.answer()
        return call

    async def reject(self) -> None:
        """Refuse the ringing call with 486 Busy Here, the only status baresip 1.0 can refuse with."""
        await self.hang_up()

    async def hang_up(self) -> None:
        """End the latest call. Returns when it is over."""
        await self.control.command("hangup")
        await self.closed()

    async def press(self, key: str) -> None:
        """Press a key in an established call (RFC 4733). Returns when the phone has taken it."""
        if len(key) != 1 or key not in KEYS:
            raise LabError(f"a phone has no key {key!r}")
        await self.control.command("sndcode", key)

    @property
    def control(self) -> Control:
        """The phone's remote control. Raises LabError while it is not running."""
        if self._control is None:
            raise LabError(f"phone {self.extension} is not running")
        return self._control

    def _prepare(self) -> PhoneSettings:
        """Write the configuration directory."""
        self._run_dir = cleanup.make_run_dir(f"phone-{self.extension}", self._owner)
        (self._run_dir / "recordings").mkdir()
        if self._speaks is None:
            write_melody(self.said, f"phone {self.extension}", duration_s=SPEECH_S)
        sip_port = find_free_ports(3)  # it takes the next one too, for TLS; the third is for its remote control
        settings = PhoneSettings(
            extension=self.extension,
            secret=self._secret,
            pbx_host=self._pbx.host,
            pbx_port=self._pbx.sip_port,
            sip_port=sip_port,
            control_port=sip_port + 2,
            rtp_ports=self._rtp_ports,
            speaks=self.said,
            recordings=self._run_dir / "recordings",
            modules=find_modules(),
        )
        for name, text in render_phone(settings).items():
            (self._run_dir / name).write_text(text)
        return settings

    async def _launch(self) -> None:
        """Start the program and wait until it says that it is ready."""
        program = find_program("baresip") or "baresip"
        process = await asyncio.create_subprocess_exec(
            *(program, "-4", "-f", str(self.run_dir)),
            env=cleanup.environment(self._owner),
            cwd=self.run_dir,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to act on
        )
        self._process = process
        self._forget = cleanup.on_exit(lambda: _kill_process(process))
        self._output = asyncio.create_task(self._read_output(process))
        await self._wait(lambda: self._is_ready, START_TIMEOUT_S, "its start")
        if taken := [line for line in self.log if "failed to listen" in line or "already in use" in line]:
            raise LabError(f"phone {self.extension} could not take its ports: {taken[0]}")

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        """Keep the latest lines, for whoever has to find out what went wrong."""
        if process.stdout is None:
            return
        while line := await process.stdout.readline():
            self.log.append(line.decode(errors="replace").rstrip())
            if "baresip is ready" in self.log[-1]:
                self._is_ready = True
                self._tell()
        await process.wait()
        self._tell()

    def _on_event(self, details: Message) -> None:
        event = PhoneEvent(str(details.get("type", "")), time.monotonic(), details)
        self.events.append(event)
        if event.kind.startswith("REGISTER_"):
            self._registration = event.kind
        elif event.kind.startswith("CALL_") and details.get("id"):
            call = note_event(self.calls, event)
            if event.kind == "CALL_CLOSED":
                self._keep_recording(call)
        self._tell()

    def _check_alive(self) -> None:
        if self._process is None or self._process.returncode is not None:
            raise LabError(f"phone {self.extension} has ended; its output:\n" + "\n".join(self.log))

    def _open_recording(self) -> Path | None:
        return next((self.run_dir / "recordings").glob("dump-*-dec.wav"), None)

    def _keep_recording(self, call: PhoneCall) -> None:
        """Give the call's file a name of its own: baresip's is the second it began in, and may come again."""
        if (recording := self._open_recording()) is not None:
            call.recording = recording.rename(recording.with_name(f"call-{len(self.calls)}-heard.wav"))

    def _last(self, kind: str) -> str:
        found = [event for event in self.events if event.kind == kind]
        return str(found[-1].details.get("param", "")) if found else "no reason given"


def note_event(calls: list[PhoneCall], event: PhoneEvent) -> PhoneCall:
    """Bring a phone's list of calls up to date with one event. Returns the call it is about."""
    details = event.details
    call = next((call for call in reversed(calls) if call.call_id == details["id"]), None)
    if call is None:
        is_incoming = details.get("direction") == "incoming"
        call = PhoneCall(str(details["id"]), is_incoming, str(details.get("peeruri", "")), event.at)
        calls.append(call)
    if event.kind == "CALL_ESTABLISHED":
        call.established_at = event.at
    elif event.kind == "CALL_CLOSED":
        call.closed_at = event.at
        call.reason = str(details.get("param", ""))
    elif event.kind == "CALL_DTMF_START":
        call.keys += str(details.get("param", ""))
    return call


def _kill_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
