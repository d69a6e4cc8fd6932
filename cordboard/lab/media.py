"""The audio of one call: an RTP socket which sends a packet each 20 ms and lays down what it receives.

`call` owns one for each call. It runs on the event loop without a task: a timer sends, readiness receives. Packets
are dated by the kernel, so a busy test machine does not smear what the caller hears.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from cordboard.errors import LabError
from cordboard.lab.received_audio import ReceivedAudio
from cordboard.lab.rtp import (
    EVENT_CODES,
    PACKET_S,
    PACKET_SAMPLES,
    ULAW_SILENCE,
    RtpPacket,
    Samples,
    TelephoneEvent,
    encode_event,
    encode_packet,
    key_ticks,
    parse_event,
    parse_packet,
    ulaw_encode,
)
from cordboard.lab.sdp import PCMU, TELEPHONE_EVENT, AudioDescription

MAX_KEYS = 64  # in one go
_TOO_LATE_S = 0.2  # after a longer stall the clock skips: a burst of old packets helps nobody
_SILENCE = bytes([ULAW_SILENCE]) * PACKET_SAMPLES
_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; the socket module does not name it
_TIMESPEC = struct.Struct("@qq")
_MAX_DATAGRAM = 2_048
_READ_AT_ONCE = 64  # packets, before other work gets its turn


class MediaStream:
    """One party's audio, both ways. `heard` is what it received; `keys` the keys it received."""

    def __init__(self, host: str, heard: ReceivedAudio) -> None:
        self.heard = heard
        self.keys: list[str] = []
        self.on_audio: Callable[[], None] | None = None
        self.on_key: Callable[[str], None] | None = None
        self._socket = _open_socket(host)
        self._remote: AudioDescription | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(31)
        self._ssrc = random.getrandbits(32)
        self._key_started = 0
        self._ticks: deque[list[TelephoneEvent] | asyncio.Future[None]] = deque()
        self._voice: deque[bytes] = deque()
        self._voice_repeats = False
        self._last_event: tuple[int, int] | None = None

    @property
    def description(self) -> AudioDescription:
        """Where we want the audio, for the SDP."""
        host, port = self._socket.getsockname()
        event = TELEPHONE_EVENT if self._remote is None else self._remote.telephone_event
        return AudioDescription(host, port, event)

    def send_to(self, remote: AudioDescription) -> None:
        """Send to this address from now on; the first time starts the stream."""
        self._remote = remote
        if self._timer is None:
            self._next_at = time.monotonic()
            self._tick()

    async def press(self, keys: str, tone_ms: int = 100, gap_ms: int = 100) -> None:
        """Send keys as RFC 4733 events; returns when the last one is up and its gap over.

        Raises LabError if the PBX takes no telephone events or `keys` holds something else than keys.
        """
        if self._remote is None or self._remote.telephone_event is None:
            raise LabError("keys cannot be pressed: the PBX has not agreed to telephone events (RFC 4733)")
        done = self._loop.create_future()
        self._ticks.extend((*_plan_keys(keys, tone_ms, gap_ms), done))
        await done

    def speak(self, samples: Samples, *, repeat: bool = False) -> None:
        """Send these samples in place of silence, once or for ever; replaces what was being spoken."""
        whole = np.concatenate([samples, np.zeros(-len(samples) % PACKET_SAMPLES, dtype=np.int16)])
        payload = ulaw_encode(whole.astype(np.int16))
        self._voice = deque(payload[at : at + PACKET_SAMPLES] for at in range(0, len(payload), PACKET_SAMPLES))
        self._voice_repeats = repeat

    def fall_silent(self) -> None:
        """Send no packets any more, as a phone that is out of reach; what comes is still heard."""
        if self._timer is not None:
            self._timer.cancel()

    def close(self) -> None:
        """Stop sending and receiving; who waits for a key to be sent is told. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket.fileno() >= 0:
            self._read()  # SIP may have overtaken the last audio
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        for tick in self._ticks:
            if isinstance(tick, asyncio.Future) and not tick.done():
                tick.set_exception(LabError("the call ended before all keys were pressed"))
        self._ticks.clear()

    # Sending

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._next_at > _TOO_LATE_S:
            missed = int((now - self._next_at) / PACKET_S)
            self._next_at += missed * PACKET_S
            self._timestamp += missed * PACKET_SAMPLES
        while self._next_at <= now:
            self._send_packet()
            self._next_at += PACKET_S
            self._timestamp += PACKET_SAMPLES
        self._timer = self._loop.call_later(self._next_at - now, self._tick)

    def _send_packet(self) -> None:
        while self._ticks and isinstance(future := self._ticks[0], asyncio.Future):
            self._ticks.popleft()
            if not future.done():
                future.set_result(None)
        events = self._ticks.popleft() if self._ticks else []
        assert not isinstance(events, asyncio.Future)
        if events:
            self._send_events(events)
        else:
            self._send(PCMU, self._timestamp, self._next_voice())

    def _send_events(self, events: list[TelephoneEvent]) -> None:
        assert self._remote is not None
        starts = events[0].duration == PACKET_SAMPLES
        if starts:
            self._key_started = self._timestamp
        for event in events:
            payload_type = self._remote.telephone_event or TELEPHONE_EVENT
            self._send(payload_type, self._key_started, encode_event(event), marker=starts)

    def _send(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        assert self._remote is not None
        self._sequence += 1
        packet = RtpPacket(payload_type, marker, self._sequence, timestamp, self._ssrc, payload)
        try:
            self._socket.sendto(encode_packet(packet), (self._remote.host, self._remote.port))
        except OSError:
            return  # a full buffer, or the far end is gone: RTP may be lost, SIP tells what happened

    def _next_voice(self) -> bytes:
        if not self._voice:
            return _SILENCE
        payload = self._voice.popleft()
        if self._voice_repeats:
            self._voice.append(payload)
        return payload

    # Receiving

    def _read(self) -> None:
        got_audio = False
        for _ in range(_READ_AT_ONCE):
            try:
                datagram, ancillary, _, _ = self._socket.recvmsg(_MAX_DATAGRAM, 64)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                continue  # an ICMP error about something we sent
            got_audio |= self._receive(datagram, _age_s(ancillary))
        if got_audio and self.on_audio is not None:
            self.on_audio()

    def _receive(self, datagram: bytes, age_s: float) -> bool:
        packet = parse_packet(datagram)
        if packet is None:
            return False
        if packet.payload_type == PCMU:
            self.heard.place(packet, time.monotonic() - age_s)
            return True
        if self._remote is not None and packet.payload_type == self._remote.telephone_event:
            self._receive_event(packet)
        return False

    def _receive_event(self, packet: RtpPacket) -> None:
        event = parse_event(packet.payload)
        if event is not None and self._last_event != (packet.ssrc, packet.timestamp):
            self._last_event = (packet.ssrc, packet.timestamp)
            self.keys.append(event.key)
            if self.on_key is not None:
                self.on_key(event.key)


def _plan_keys(keys: str, tone_ms: int, gap_ms: int) -> list[list[TelephoneEvent]]:
    if len(keys) > MAX_KEYS:
        raise LabError(f"at most {MAX_KEYS} keys can be pressed in one go, not {len(keys)}")
    plan: list[list[TelephoneEvent]] = []
    for key in keys:
        if key not in EVENT_CODES:
            raise LabError(f"{key!r} is no key; keys are 0-9 * # A-D")
        plan += key_ticks(key, tone_ms)
        plan += [[]] * (gap_ms // 20)
    return plan


def _open_socket(host: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    try:
        opened.bind((host, 0))
    except OSError as fault:
        opened.close()
        raise LabError(f"no RTP socket on {host}: {fault}") from fault
    return opened


def _age_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """How long ago the kernel received the packet; 0.0 if it does not tell."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return max(0.0, time.time() - float(seconds) - float(nanoseconds) / 1e9)
    return 0.0
