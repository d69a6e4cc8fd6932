"""The little of SDP (RFC 4566) which two parties need for PCMU and telephone events. Pure; `caller` uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PCMU = 0
TELEPHONE_EVENT = 101  # what we offer; an answer may name another number for it


class NoAudio(ValueError):
    """The description offers no PCMU audio; the message says what it has instead."""


@dataclass(frozen=True, slots=True)
class AudioDescription:
    """Where one party wants its audio. telephone_event: its payload type for keys, None if it takes none."""

    host: str
    port: int
    telephone_event: int | None = TELEPHONE_EVENT

    def encode(self, version: int = 1, direction: str = "sendrecv") -> bytes:
        """The description as a body. version: counts up when it changes within a call.

        direction: "sendonly" puts the other side on hold.
        """
        event = self.telephone_event
        formats = f"{PCMU}" if event is None else f"{PCMU} {event}"
        lines = [
            "v=0",
            f"o=cordboard-lab 1 {version} IN IP4 {self.host}",
            "s=cordboard-lab",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {formats}",
            f"a=rtpmap:{PCMU} PCMU/8000",
        ]
        if event is not None:
            lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-16"]
        return "\r\n".join((*lines, "a=ptime:20", f"a={direction}", "")).encode()


def parse_audio(body: bytes) -> AudioDescription:
    """What a received description says about audio. Raises NoAudio."""
    text = body.decode("utf-8", "replace")
    media = re.search(r"^m=audio (\d+)(?:/\d+)? RTP/AVP ([\d ]+)", text, re.MULTILINE)
    if not media:
        raise NoAudio("there is no RTP audio line in it")
    formats = media[2].split()
    if str(PCMU) not in formats:
        raise NoAudio(f"it has no PCMU, only payload types {media[2].strip()}")
    hosts = re.findall(r"^c=IN IP4 ([\d.]+)", text, re.MULTILINE)
    if not hosts:
        raise NoAudio("it names no IPv4 address")
    events = re.findall(r"^a=rtpmap:(\d+) telephone-event/8000", text, re.MULTILINE | re.IGNORECASE)
    event = next((int(number) for number in events if number in formats), None)
    return AudioDescription(hosts[-1], int(media[1]), event)
