"""A caller of the lab: a small SIP user agent of its own, so that every packet it hears has its true time.

Scenarios and live tests use it:

    async with Caller(ani="+442079460123", name="Ada", host="127.0.0.2") as caller:
        call = await caller.dial("5000", pbx=("127.0.0.1", 5060), deadline_s=5)
        await call.press("2")

It speaks UDP, PCMU and RFC 4733 keys; no registration, no digest, no TLS. Trunks of the lab know callers by their
address. It can answer calls too, which is enough for tests of the lab itself; phones that register are `sip_phone`
and `baresip`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cordboard.errors import LabError
from cordboard.lab.call import Call, CallEnd
from cordboard.lab.dialog import calling
from cordboard.lab.party import Party
from cordboard.lab.sip import Headers, Request, display_name, uri_user

__all__ = ["AnswerPlan", "Call", "CallEnd", "Caller"]


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
        self._user = uri_user(ani) or "anonymous"
        self._name = display_name(name)
        self._party = Party(host, self._user)
        self._plan = AnswerPlan()
        self._rings: set[asyncio.TimerHandle] = set()

    async def __aenter__(self) -> Self:
        await self._party.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for ring in self._rings:
            ring.cancel()
        try:
            await self._party.hang_up_all()
        finally:
            self._party.close()

    @property
    def calls(self) -> list[Call]:
        """The calls that have not ended."""
        return self._party.calls

    @property
    def address(self) -> tuple[str, int]:
        """Where its SIP comes from and goes to."""
        return self._party.address

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

    def place(self, number: str, pbx: tuple[str, int], headers: Headers = ()) -> Call:
        """Send the INVITE and return at once. headers: more of them than every call has."""
        via = self._party.via
        dialog = calling(number=uri_user(number), pbx=pbx, via=via, user=self._user, name=self._name)
        return self._party.place(dialog, pbx, headers=headers)

    def answer_calls(self, plan: AnswerPlan) -> None:
        """From now on take calls that come in, by this plan."""
        self._plan = plan
        self._party.on_invite = self._receive_call

    def _receive_call(self, invite: Request, peer: tuple[str, int]) -> None:
        plan = self._plan
        call = self._party.take(invite, peer)
        call.ring(invite)
        act = call.answer if plan.status == 200 else lambda: call.refuse(plan.status)
        self._rings.add(asyncio.get_running_loop().call_later(plan.ring_s, act))
        if plan.on_call is not None:
            plan.on_call(call)
