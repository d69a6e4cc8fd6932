"""The callers: they come over the lab's trunk, say nothing, and wait until somebody hangs up on them.

Hundreds who come or leave at once send more than a socket holds, so what is not answered is said again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Self

from cordboard.lab.dialog import Dialog, calling, confirmed
from cordboard.lab.retransmission import Retransmission
from cordboard.lab.sip import Request, Response, response_to
from cordboard.lab.sip_wire import SipWire
from tests.bench.queueing.silent_audio import SilentAudio

TRUNK = "127.0.0.2"

Address = tuple[str, int]


@dataclass(eq=False)
class WaitingCall:
    """One call. saying: the request that nobody has answered yet."""

    dialog: Dialog
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    is_leaving: bool = False
    saying: Retransmission | None = None

    def is_heard(self) -> None:
        """The other side has answered."""
        if self.saying is not None:
            self.saying.stop()


class Callers:
    """All callers, on one UDP port, all with the same number. ended: each call that was ended, or refused."""

    def __init__(self, pbx: Address, ani: str, audio: SilentAudio) -> None:
        self.ended: asyncio.Queue[WaitingCall] = asyncio.Queue()
        self._pbx = pbx
        self._ani = ani
        self._audio = audio
        self._calls: dict[str, WaitingCall] = {}
        self._wire: SipWire

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        _, self._wire = await loop.create_datagram_endpoint(
            lambda: SipWire(self._receive_response, self._receive_request), (TRUNK, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up_all()
        for call in self._calls.values():
            call.is_heard()  # nobody listens any more
        self._wire.close()

    def dial(self, number: str) -> WaitingCall:
        """Call; the call may be answered later, or refused."""
        via = "{}:{}".format(*self._wire.address)
        dialog = calling(number=number, pbx=self._pbx, via=via, user=self._ani, name="")
        call = WaitingCall(dialog)
        self._calls[dialog.call_id] = call
        described = (("Content-Type", "application/sdp"),)
        self._say(call, dialog.request("INVITE", extra=described, body=self._audio.description))
        return call

    def hang_up_all(self) -> None:
        """End all calls; those that were not answered yet, when they are."""
        for call in self._calls.values():
            if not call.is_leaving:
                call.is_leaving = True
                self._leave(call)

    def _leave(self, call: WaitingCall) -> None:
        if call.answered.is_set():
            call.dialog = call.dialog.next()
            self._say(call, call.dialog.request("BYE"))

    def _say(self, call: WaitingCall, request: Request) -> None:
        """Again and again, until it is answered."""
        call.is_heard()
        call.saying = Retransmission(lambda: self._wire.send(request, self._pbx))

    def _receive_response(self, response: Response) -> None:
        call = self._calls.get(response.header("call-id"))
        if call is None:
            return
        if response.sequence[1] == "BYE":
            self._end(call)
            return
        if not call.answered.is_set():
            call.is_heard()
        if response.status == 200:
            self._confirm(call, response)
        elif response.status >= 300:
            self._end(call)

    def _confirm(self, call: WaitingCall, response: Response) -> None:
        is_new = not call.answered.is_set()
        dialog = confirmed(call.dialog, response)
        self._wire.send(dialog.request("ACK", sequence=response.sequence[0]), self._pbx)
        call.dialog = dialog if is_new else call.dialog
        call.answered.set()
        if is_new:
            self._audio.be_heard(response.body)
        if is_new and call.is_leaving:
            self._leave(call)

    def _receive_request(self, request: Request, peer: Address) -> None:
        if request.method == "ACK":
            return
        self._wire.send(response_to(request, 200, "OK"), peer)
        if request.method == "BYE" and (call := self._calls.get(request.header("call-id"))) is not None:
            self._end(call)

    def _end(self, call: WaitingCall) -> None:
        call.is_heard()
        if self._calls.pop(call.dialog.call_id, None) is not None:
            self.ended.put_nowait(call)
