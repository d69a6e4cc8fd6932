"""An agent's phone of the lab's own, for what baresip cannot do: refuse with any status, be dead, transfer.

    async with SipPhone("1003", pbx) as phone:      # registered on entry
        call = await phone.answer_after(1.0)
        await phone.press("1")
        await phone.transfer_blind("5000")

It registers with digest, like any desk phone, has one line that rings and one more to consult somebody, and hears
and speaks through the same audio stream as the lab's callers. Tests and the scenario player use it, in place of
`BaresipPhone` wherever both can do the thing. It knows nothing of queues or agents.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Self

import numpy as np

from cordboard.errors import LabError
from cordboard.lab.call import Call
from cordboard.lab.dialog import calling
from cordboard.lab.digest import Credentials
from cordboard.lab.party import Address, Party
from cordboard.lab.pbx_config import PHONE_SECRET
from cordboard.lab.phone_calls import CALL_TIMEOUT_S, Pbx, PhoneCall, PhoneCalls
from cordboard.lab.ports import LOOPBACK
from cordboard.lab.registration import EXPIRES_S, REGISTER_TIMEOUT_S, Registration
from cordboard.lab.rtp import Samples
from cordboard.lab.sip import Request, address_uri
from cordboard.lab.transfer import attended_target, blind_target, refer

STOP_TIMEOUT_S = 1.0  # enough to unregister; a PBX that is down is not waited for


class SipPhone(PhoneCalls):
    """One phone with one account. `turned_away`: calls that came while it was in one; they got 486.

    host: an address which the PBX does not take for a trunk's; expires_s: of the registration.
    """

    def __init__(
        self,
        extension: str,
        pbx: Pbx,
        *,
        secret: str = PHONE_SECRET,
        host: str = LOOPBACK,
        expires_s: int = EXPIRES_S,
    ) -> None:
        super().__init__(extension)
        self.turned_away: list[PhoneCall] = []
        self._pbx = pbx
        self._credentials = Credentials(extension, secret)
        self._expires_s = expires_s
        self._party = Party(host, extension)
        self._party.on_invite = self._receive_call
        self._registration: Registration | None = None
        self._legs: dict[str, Call] = {}
        self._voice: tuple[Samples, bool] | None = None
        self._is_off = True

    async def __aenter__(self) -> Self:
        await self.start()
        try:
            await self.registered()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # Switched on and off

    async def start(self) -> None:
        """Open its socket. It registers with `registered`."""
        await self._party.open()
        self._is_off = False

    async def registered(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Register if it is not registered. Raises LabError if the PBX refuses or says nothing."""
        if self._registration is None:
            self._registration = Registration(
                self._credentials,
                address=self._party.via,
                pbx=self._peer,
                send=lambda request: self._party.wire.send(request, self._peer),
                expires_s=self._expires_s,
            )
            self._party.on_stray = self._registration.receive_response
        if not self._registration.is_registered:
            await self._registration.register(timeout_s)

    async def unregister(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Take the registration back; calls go on. `registered` gets it again."""
        if self._registration is not None and self._registration.is_registered:
            await self._registration.withdraw(timeout_s)

    async def stop(self) -> None:
        """End the phone as a person switches it off: it hangs up and unregisters."""
        if not self._is_off and not self._party.wire.is_dead:
            await self._party.hang_up_all()
            with contextlib.suppress(LabError):
                await self.unregister(STOP_TIMEOUT_S)
        await self.kill()

    async def kill(self) -> None:
        """End the phone as a power cut does: nobody is told."""
        if self._is_off:
            return
        self._is_off = True
        if self._registration is not None:
            await self._registration.close()
        self._party.close()
        self._tell()

    def go_dead(self) -> None:
        """Stay registered and answer nothing at all, like a phone whose cable is pulled."""
        self._party.go_dead()

    # Calls

    async def dial(self, number: str) -> None:
        """Call a number through the PBX. Returns when the phone has begun; then `established` or `closed`."""
        via = self._party.via
        dialog = calling(number=number, pbx=self._peer, via=via, user=self.extension, name="")
        leg = self._party.place(dialog, self._peer, self._credentials)
        self._note(leg, PhoneCall(leg.call_id, False, dialog.target, leg.started_at))

    async def answer(self) -> None:
        """Pick up; the phone must be ringing. Returns when the call is established."""
        call = await self.incoming()
        self._leg(call).answer()
        await self.established()

    async def answer_after(self, delay_s: float, timeout_s: float = CALL_TIMEOUT_S) -> PhoneCall:
        """Wait for a call, let it ring for `delay_s`, and pick up."""
        call = await self.incoming(timeout_s)
        await asyncio.sleep(delay_s)
        await self.answer()
        return call

    async def reject(self, status: int = 486) -> None:
        """Refuse the ringing call: 486 busy, 603 declined, 480 not available, or any other final status."""
        call = await self.incoming()
        self._leg(call).refuse(status)

    async def hang_up(self) -> None:
        """End the latest call. Returns when it is over."""
        await self._leg(self._latest()).hang_up()

    async def press(self, key: str) -> None:
        """Press a key in an established call (RFC 4733). Returns when it is up again."""
        await self._leg(self._latest()).press(key)

    def speak(self, samples: Samples, *, repeat: bool = True) -> None:
        """Say this in every call from now on, also in one that is going on."""
        self._voice = samples, repeat
        for leg in self._party.calls:
            leg.speak(samples, repeat=repeat)

    def heard(self) -> bytes:
        """What was heard in the latest call so far: 16 bit, mono, 8 kHz, little endian."""
        return self.leg.heard.samples().astype("<i2").tobytes()

    def heard_last(self, seconds: float) -> Samples:
        """The end of what was heard in the latest call so far; empty before a call."""
        if not self.calls:
            return np.zeros(0, dtype=np.int16)
        heard = self.leg.heard
        return heard.samples(max(0.0, heard.end_s - seconds), heard.end_s)

    @property
    def leg(self) -> Call:
        """The latest call with its audio, for who listens to it (`Listener`, `Performer`)."""
        return self._leg(self._latest())

    # Transfers

    async def hold(self, *, is_on: bool = True) -> None:
        """Put the other side of the latest call on hold, or take it back."""
        await self.leg.hold(is_on=is_on)

    async def transfer_blind(self, number: str) -> int:
        """Send the other side of the latest call to a number, without asking there. Returns the final status."""
        leg = self.leg
        status = await refer(leg, blind_target(number, self._peer))
        await leg.hang_up()
        return status

    async def consult(self, number: str, timeout_s: float = CALL_TIMEOUT_S) -> PhoneCall:
        """Put the latest call on hold and call somebody else, until they answer: then `transfer_attended`."""
        await self.hold()
        await self.dial(number)
        return await self.established(timeout_s)

    async def transfer_attended(self) -> int:
        """Connect the call before the consultation with the one consulted. Returns the final status."""
        if len(self.calls) < 2:
            raise LabError(f"phone {self.extension} has consulted nobody")
        first, consultation = (self._leg(call) for call in self.calls[-2:])
        status = await refer(first, attended_target(consultation.dialog))
        await asyncio.gather(first.hang_up(), consultation.hang_up())
        return status

    # Inside

    @property
    def _peer(self) -> Address:
        return self._pbx.host, self._pbx.sip_port

    def _leg(self, call: PhoneCall) -> Call:
        return self._legs[call.call_id]

    def _check_alive(self) -> None:
        if self._is_off:
            raise LabError(f"phone {self.extension} has ended")

    def _receive_call(self, invite: Request, peer: Address) -> None:
        """Ring; or turn the call away if the line is in use."""
        is_busy = bool(self._party.calls)
        leg = self._party.take(invite, peer)
        call = PhoneCall(leg.call_id, True, address_uri(invite.header("from")), leg.started_at)
        leg.ring(invite)
        if is_busy:
            self.turned_away.append(call)
            leg.refuse(486)
        else:
            self._note(leg, call)

    def _note(self, leg: Call, call: PhoneCall) -> None:
        """Keep a call's record up to date from now on."""
        self._legs[leg.call_id] = leg
        self.calls.append(call)
        leg.on_change = self._follow(leg, call)
        leg.media.on_key = lambda key: self._take_key(call, key)
        if self._voice is not None:
            leg.speak(self._voice[0], repeat=self._voice[1])
        self._tell()

    def _take_key(self, call: PhoneCall, key: str) -> None:
        call.keys += key
        self._tell()

    def _follow(self, leg: Call, call: PhoneCall) -> Callable[[], None]:
        def changed() -> None:
            if leg.is_answered and call.established_at is None:
                call.established_at = time.monotonic()
            if leg.end is not None and call.closed_at is None:
                call.closed_at = time.monotonic()
                call.reason = how_ended(leg, is_incoming=call.is_incoming)
            self._tell()

        return changed


def how_ended(leg: Call, *, is_incoming: bool) -> str:
    """Why a call of a phone ended: "BYE", "CANCEL", "hung up" (by itself), or the status, "486"."""
    end = leg.end
    if end is None:
        return ""
    if end.by == "nobody":
        return "no answer from the PBX"
    if end.by == "caller":
        return "hung up" if end.status in (0, 200) or not is_incoming else str(end.status)
    if leg.is_answered:
        return "BYE"
    return "CANCEL" if is_incoming else str(end.status)
