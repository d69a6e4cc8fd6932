"""A caller of the lab: a small SIP user agent of its own, so that every packet it hears has its true time.

Scenarios and live tests use it:

    async with Caller(ani="+442079460123", name="Ada", host="127.0.0.2") as caller:
        call = await caller.dial("5000", pbx=("127.0.0.1", 5060), deadline_s=5)
        await call.press("2")

It speaks UDP, PCMU and RFC 4733 keys; no registration, no digest, no TLS. Trunks of the lab know callers by their
address. It can answer calls too, which is enough for tests of the lab itself; phones that register are baresip's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cordboard.errors import LabError
from cordboard.lab.call import Call, CallEnd
from cordboard.lab.dialog import ALLOW, Dialog, called, calling
from cordboard.lab.sip import Request, Response, display_name, response_to, uri_user
from cordboard.lab.sip_wire import SipWire

__all__ = ["AnswerPlan", "Call", "CallEnd", "Caller"]

MAX_CALLS = 256


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """What a party does with calls that come in: ring for `ring_s`, then answer, or refuse with `status`."""

    ring_s: float = 0.0
    status: int = 200
    on_call: Callable[[Call], None] | None = None


class Caller:
    """One party with a number, a name and an address. name: bytes go into the From header verbatim."""

    def __init__(self, ani: str, name: str | bytes = "", host: str = "127.0.0.2") -> None:
        self.ani = ani
        self.calls: list[Call] = []
        self._user = uri_user(ani) or "anonymous"
        self._name = display_name(name)
        self._host = host
        self._wire: SipWire | None = None
        self._plan: AnswerPlan | None = None
        self._rings: set[asyncio.TimerHandle] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            _, self._wire = await loop.create_datagram_endpoint(
                lambda: SipWire(self._receive_response, self._receive_request), (self._host, 0)
            )
        except OSError as fault:
            raise LabError(f"no SIP socket on {self._host}: {fault}") from fault
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for ring in self._rings:
            ring.cancel()
        try:
            await asyncio.gather(*(call.hang_up() for call in list(self.calls)))
        finally:
            for call in self.calls:
                call.media.close()
            self._opened().close()

    @property
    def address(self) -> tuple[str, int]:
        """Where its SIP comes from and goes to."""
        return self._opened().address

    async def dial(self, number: str, pbx: tuple[str, int], deadline_s: float = 5.0) -> Call:
        """Call a number; returns once the call is answered, has early media, or has been refused.

        Raises LabError if none of these happened within `deadline_s`; the call is cancelled then.
        """
        call = self.place(number, pbx)
        try:
            await asyncio.wait_for(call.progressed(), deadline_s)
        except TimeoutError:
            await call.hang_up()
            state = f"the last answer was {call.status}" if call.status else "there was no answer at all"
            raise LabError(
                f"{number} was not reached within {deadline_s:g} s at {pbx[0]}:{pbx[1]}: {state}"
            ) from None
        return call

    def place(self, number: str, pbx: tuple[str, int]) -> Call:
        """Send the INVITE and return at once."""
        if len(self.calls) >= MAX_CALLS:
            raise LabError(f"one caller makes at most {MAX_CALLS} calls at a time")
        host, port = self.address
        dialog = calling(number=uri_user(number), pbx=pbx, via=f"{host}:{port}", user=self._user, name=self._name)
        call = self._new_call(dialog, pbx)
        call.invite()
        return call

    def answer_calls(self, plan: AnswerPlan) -> None:
        """From now on take calls that come in, by this plan."""
        self._plan = plan

    def _new_call(self, dialog: Dialog, peer: tuple[str, int]) -> Call:
        wire = self._opened()
        call = Call(dialog, self._host, lambda message: wire.send(message, peer), self.calls.remove)
        self.calls.append(call)
        return call

    def _receive_response(self, response: Response) -> None:
        call = self._find(response)
        if call is not None:
            call.receive_response(response)

    def _receive_request(self, request: Request, peer: tuple[str, int]) -> None:
        call = self._find(request)
        if call is not None:
            call.receive_request(request)
        elif request.method == "INVITE" and self._plan is not None:
            self._receive_call(request, peer, self._plan)
        elif request.method == "OPTIONS":
            self._opened().send(response_to(request, 200, "OK", extra=(("Allow", ALLOW),)), peer)
        elif request.method != "ACK":
            self._opened().send(response_to(request, 481, "Call/Transaction Does Not Exist"), peer)

    def _receive_call(self, invite: Request, peer: tuple[str, int], plan: AnswerPlan) -> None:
        host, port = self.address
        call = self._new_call(called(invite, via=f"{host}:{port}", user=self._user), peer)
        call.ring(invite)
        act = call.answer if plan.status == 200 else lambda: call.refuse(plan.status)
        self._rings.add(asyncio.get_running_loop().call_later(plan.ring_s, act))
        if plan.on_call is not None:
            plan.on_call(call)

    def _find(self, message: Request | Response) -> Call | None:
        call_id = message.header("call-id")
        return next((call for call in self.calls if call.call_id == call_id), None)

    def _opened(self) -> SipWire:
        if self._wire is None:
            raise LabError("a caller is used as `async with Caller(...) as caller:`")
        return self._wire
