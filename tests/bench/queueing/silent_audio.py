"""The audio of everybody in the measurement: one port that hears nothing, and a few packets of silence.

Real audio would only take CPU from what is measured. But Asterisk's `Answer` waits for the caller's first packet,
so each caller sends some.
"""

from __future__ import annotations

import socket

from cordboard.lab.ports import LOOPBACK
from cordboard.lab.rtp import PACKET_SAMPLES, ULAW_SILENCE, RtpPacket, encode_packet
from cordboard.lab.sdp import PCMU, AudioDescription, parse_audio

_PACKETS = 3
_SILENCE = bytes([ULAW_SILENCE]) * PACKET_SAMPLES


class SilentAudio:
    """description: what to offer and to answer with."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # nobody reads: let the kernel drop it
        self._socket.bind((LOOPBACK, 0))
        self.description = AudioDescription(LOOPBACK, self._socket.getsockname()[1]).encode()

    def be_heard(self, remote: bytes) -> None:
        """Send some packets to where the other side's description wants them."""
        peer = parse_audio(remote)
        for number in range(_PACKETS):
            packet = RtpPacket(PCMU, number == 0, number, number * PACKET_SAMPLES, 1, _SILENCE)
            self._socket.sendto(encode_packet(packet), (peer.host, peer.port))

    def close(self) -> None:
        """Close the port."""
        self._socket.close()
