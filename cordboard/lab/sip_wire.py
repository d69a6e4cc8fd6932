"""One SIP party's UDP socket: it parses and encodes, and answers repeated requests as it did the first time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from cordboard.lab.sip import NotSip, Request, Response, encode, parse

REMEMBERED = 256  # requests; a repetition comes within seconds

_Transaction = tuple[str, str]


class SipWire(asyncio.DatagramProtocol):
    """Hands responses and new requests to its two callbacks. What is no SIP is dropped, as RFC 3261 18.3 wants."""

    def __init__(
        self,
        on_response: Callable[[Response], None],
        on_request: Callable[[Request, tuple[str, int]], None],
    ) -> None:
        self.is_dead = False  # sends nothing and hears nothing, as a phone without power
        self._on_response = on_response
        self._on_request = on_request
        self._answers: OrderedDict[_Transaction, bytes] = OrderedDict()
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it is bound to."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    def send(self, message: Request | Response, peer: tuple[str, int]) -> None:
        """Send a message; a response is remembered for repetitions of its request."""
        datagram = encode(message)
        if isinstance(message, Response):
            self._remember((message.branch, message.sequence[1]), datagram)
        if self._transport is not None and not self._transport.is_closing() and not self.is_dead:
            self._transport.sendto(datagram, peer)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """asyncio: one datagram came."""
        if self.is_dead:
            return
        try:
            message = parse(data)
        except NotSip:
            return
        if isinstance(message, Response):
            self._on_response(message)
        else:
            self._receive_request(message, addr)

    def error_received(self, exc: Exception) -> None:
        """asyncio: ICMP said that something did not arrive. Retransmission and deadlines deal with it."""

    def _receive_request(self, request: Request, peer: tuple[str, int]) -> None:
        transaction = (request.branch, request.method)
        answered = self._answers.get(transaction)
        if answered is None:
            self._remember(transaction, b"")
            self._on_request(request, peer)
        elif answered and self._transport is not None:
            self._transport.sendto(answered, peer)

    def _remember(self, transaction: _Transaction, datagram: bytes) -> None:
        self._answers[transaction] = datagram
        self._answers.move_to_end(transaction)
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
