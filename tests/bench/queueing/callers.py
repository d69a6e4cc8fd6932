"""The callers: they come over the lab's trunk, say nothing, and wait until somebody hangs up on them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Self

from cordboard.lab.dialog import Dialog, calling, confirmed
from cordboard.lab.sip import Request, Response, response_to
from cordboard.lab.sip_wire import SipWire
from tests.bench.queueing.silent_audio import SilentAudio

TRUNK = "127.0.0.2"

Address = tuple[str, int]


@dataclass(eq=False)
class WaitingCall:
    """One call."""

    dialog: Dialog
    answered: asyncio.Event = field(default_factory=asyncio.Event)


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
        self._wire.close()

    def dial(self, number: str) -> WaitingCall:
        """Call; the call may be answered later, or refused."""
        via = "{}:{}".format(*self._wire.address)
        dialog = calling(number=number, pbx=self._pbx, via=via, user=self._ani, name="")
        call = WaitingCall(dialog)
        self._calls[dialog.call_id] = call
        described = (("Content-Type", "application/sdp"),)
        self._wire.send(dialog.request("INVITE", extra=described, body=self._audio.description), self._pbx)
        return call

    def hang_up_all(self) -> None:
        """End all calls that were answered."""
        for call in self._calls.values():
            if call.answered.is_set():
                call.dialog = call.dialog.next()
                self._wire.send(call.dialog.request("BYE"), self._pbx)

    def _receive_response(self, response: Response) -> None:
        call = self._calls.get(response.header("call-id"))
        if call is None:
            return
        if response.sequence[1] == "BYE":
            self._end(call)
        elif response.status == 200:
            self._confirm(call, response)
        elif response.status >= 300:
            self._end(call)

    def _confirm(self, call: WaitingCall, response: Response) -> None:
        is_new = not call.answered.is_set()
        call.dialog = confirmed(call.dialog, response)
        self._wire.send(call.dialog.request("ACK", sequence=response.sequence[0]), self._pbx)
        call.answered.set()
        if is_new:
            self._audio.be_heard(response.body)

    def _receive_request(self, request: Request, peer: Address) -> None:
        if request.method == "ACK":
            return
        self._wire.send(response_to(request, 200, "OK"), peer)
        if request.method == "BYE" and (call := self._calls.get(request.header("call-id"))) is not None:
            self._end(call)

    def _end(self, call: WaitingCall) -> None:
        if self._calls.pop(call.dialog.call_id, None) is not None:
            self.ended.put_nowait(call)
