"""One SIP party: a socket on loopback and the calls that are on it. `caller` and `sip_phone` are built on it.

It finds the call a message belongs to; what belongs to none goes to `on_invite` and `on_stray`. Requests outside a
call are answered as a polite user agent does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cordboard.errors import LabError
from cordboard.lab.call import Call
from cordboard.lab.dialog import ALLOW, Dialog, called
from cordboard.lab.digest import Credentials
from cordboard.lab.sip import Headers, Request, Response, response_to
from cordboard.lab.sip_wire import SipWire

MAX_CALLS = 256

Address = tuple[str, int]


class Party:
    """calls: those that have not ended. user: how it is called in its own Contact."""

    def __init__(self, host: str, user: str) -> None:
        self.calls: list[Call] = []
        self.on_invite: Callable[[Request, Address], None] | None = None
        self.on_stray: Callable[[Response], None] | None = None
        self._host = host
        self._user = user
        self._wire: SipWire | None = None

    async def open(self) -> None:
        """Bind the socket, to any free port. Raises LabError."""
        loop = asyncio.get_running_loop()
        try:
            _, self._wire = await loop.create_datagram_endpoint(
                lambda: SipWire(self._receive_response, self._receive_request), (self._host, 0)
            )
        except OSError as fault:
            raise LabError(f"no SIP socket on {self._host}: {fault}") from fault

    async def hang_up_all(self) -> None:
        """End all calls."""
        await asyncio.gather(*(call.hang_up() for call in list(self.calls)))

    def go_dead(self) -> None:
        """From now on say nothing and hear nothing, as after a power cut; no port tells that nobody is there."""
        self.wire.is_dead = True
        for call in self.calls:
            call.media.close()

    def close(self) -> None:
        """Close everything; nobody is told."""
        for call in self.calls:
            call.media.close()
        self.wire.close()

    @property
    def wire(self) -> SipWire:
        """The open socket. Raises LabError before `open`."""
        if self._wire is None:
            raise LabError("a caller or phone is used as `async with ... as caller:`")
        return self._wire

    @property
    def address(self) -> Address:
        """Where its SIP comes from and goes to."""
        return self.wire.address

    @property
    def via(self) -> str:
        """The address as headers want it: "host:port"."""
        return "{}:{}".format(*self.address)

    def place(
        self, dialog: Dialog, peer: Address, credentials: Credentials | None = None, headers: Headers = ()
    ) -> Call:
        """Send the INVITE of a new call and return at once. credentials: for a PBX that asks who is calling;
        headers: more of them, of the INVITE.
        """
        call = self._new_call(dialog, peer, credentials)
        call.invite(*headers)
        return call

    def take(self, invite: Request, peer: Address) -> Call:
        """The call that an INVITE begins; nothing is said to the other side yet."""
        return self._new_call(called(invite, via=self.via, user=self._user), peer)

    def say(self, response: Response, peer: Address) -> None:
        """Answer a request that belongs to no call."""
        self.wire.send(response, peer)

    def _new_call(self, dialog: Dialog, peer: Address, credentials: Credentials | None = None) -> Call:
        if len(self.calls) >= MAX_CALLS:
            raise LabError(f"one caller makes at most {MAX_CALLS} calls at a time")
        wire = self.wire
        call = Call(dialog, self._host, lambda message: wire.send(message, peer), self.calls.remove, credentials)
        self.calls.append(call)
        return call

    def _receive_response(self, response: Response) -> None:
        call = self._find(response)
        if call is not None:
            call.receive_response(response)
        elif self.on_stray is not None:
            self.on_stray(response)

    def _receive_request(self, request: Request, peer: Address) -> None:
        call = self._find(request)
        if call is not None:
            call.receive_request(request)
        elif request.method == "INVITE" and self.on_invite is not None:
            self.on_invite(request, peer)
        elif request.method == "OPTIONS":
            self.say(response_to(request, 200, "OK", extra=(("Allow", ALLOW),)), peer)
        elif request.method != "ACK":
            self.say(response_to(request, 481, "Call/Transaction Does Not Exist"), peer)

    def _find(self, message: Request | Response) -> Call | None:
        call_id = message.header("call-id")
        return next((call for call in self.calls if call.call_id == call_id), None)
