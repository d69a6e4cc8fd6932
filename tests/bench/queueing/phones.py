"""The agents' phones: all of them on one UDP port, each registered for itself, each answering at once.

    INVITE -> 180, 200        BYE, CANCEL -> 200

What an INVITE's arrival is worth is its time: `rung_at` is read before anything is answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cordboard.lab.dialog import Dialog, called, local_tag
from cordboard.lab.digest import Credentials
from cordboard.lab.pbx_config import PHONE_SECRET
from cordboard.lab.ports import LOOPBACK
from cordboard.lab.registration import Registration
from cordboard.lab.sip import Request, Response, address_uri, response_to
from cordboard.lab.sip_wire import SipWire
from tests.bench.queueing.silent_audio import SilentAudio

EXPIRES_S = 3_600  # longer than any measurement: nothing is refreshed in the middle of one
AT_ONCE = 10  # registrations under way

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Ring:
    """One call to a phone. rung_at: when its INVITE came, `time.monotonic()`."""

    extension: str
    rung_at: float
    dialog: Dialog
    peer: Address


class AgentPhones:
    """All phones. `rings` gets each call that comes."""

    def __init__(self, pbx: Address, audio: SilentAudio) -> None:
        self.rings: asyncio.Queue[Ring] = asyncio.Queue()
        self._pbx = pbx
        self._audio = audio
        self._registrations: list[Registration] = []
        self._wire: SipWire

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        _, self._wire = await loop.create_datagram_endpoint(
            lambda: SipWire(self._receive_response, self._receive_request), (LOOPBACK, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for registration in self._registrations:
            await registration.close()
        self._wire.close()

    async def register(self, extensions: Sequence[str]) -> None:
        """Register them all. Raises LabError."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def register(extension: str) -> None:
            registration = Registration(
                Credentials(extension, PHONE_SECRET),
                address="{}:{}".format(*self._wire.address),
                pbx=self._pbx,
                send=lambda request: self._wire.send(request, self._pbx),
                expires_s=EXPIRES_S,
            )
            self._registrations.append(registration)
            async with limit:
                await registration.register()

        await asyncio.gather(*map(register, extensions))

    def hang_up(self, ring: Ring) -> None:
        """The agent ends the call."""
        self._wire.send(ring.dialog.request("BYE"), ring.peer)

    def _receive_response(self, response: Response) -> None:
        for registration in self._registrations:
            registration.receive_response(response)

    def _receive_request(self, request: Request, peer: Address) -> None:
        rung_at = time.monotonic()
        if request.method == "INVITE":
            self._answer(request, peer, rung_at)
        elif request.method != "ACK":
            self._wire.send(response_to(request, 200, "OK"), peer)

    def _answer(self, invite: Request, peer: Address, rung_at: float) -> None:
        extension = address_uri(invite.header("to")).removeprefix("sip:").partition("@")[0]
        dialog = called(invite, via="{}:{}".format(*self._wire.address), user=extension)
        contact = (("Contact", dialog.contact),)
        tag = local_tag(dialog)
        self._wire.send(response_to(invite, 180, "Ringing", extra=contact, to_tag=tag), peer)
        described = (*contact, ("Content-Type", "application/sdp"))
        body = self._audio.description
        self._wire.send(response_to(invite, 200, "OK", extra=described, to_tag=tag, body=body), peer)
        self.rings.put_nowait(Ring(extension, rung_at, dialog, peer))
