"""A phone's registration with the PBX: REGISTER with digest, refreshed while it lasts, taken back at the end.

`sip_phone` owns one. It sends through the phone's socket and is given every response that belongs to it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from cordboard.errors import LabError
from cordboard.lab.dialog import USER_AGENT, new_branch
from cordboard.lab.digest import Credentials, authorize, find_challenge
from cordboard.lab.open_requests import OpenRequests
from cordboard.lab.sip import Headers, Request, Response, parameter

EXPIRES_S = 300
REGISTER_TIMEOUT_S = 15.0
_RETRY_S = 1.0  # after a failed refresh


class Registration:
    """One address of record at one contact. address: "host:port" of the phone; pbx: of the registrar."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        address: str,
        pbx: tuple[str, int],
        send: Callable[[Request], None],
        expires_s: int = EXPIRES_S,
    ) -> None:
        self.is_registered = False
        self._credentials = credentials
        self._address = address
        self._uri = f"sip:{pbx[0]}:{pbx[1]}"
        self._record = f"<sip:{credentials.user}@{pbx[0]}:{pbx[1]}>"
        self._expires_s = expires_s
        self._open = OpenRequests(send)
        self._call_id = f"{secrets.token_hex(12)}@{address.partition(':')[0]}"
        self._tag = secrets.token_hex(6)
        self._sequence = 0
        self._keeping: asyncio.Task[None] | None = None

    async def register(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Register, and stay so until `withdraw` or `close`. Raises LabError if the PBX refuses or is silent."""
        granted_s = await self._register(self._expires_s, timeout_s)
        await self._stop_keeping()
        self.is_registered = True
        self._keeping = asyncio.create_task(self._keep(granted_s))

    async def withdraw(self, timeout_s: float = REGISTER_TIMEOUT_S) -> None:
        """Unregister. Raises LabError if the PBX refuses or is silent."""
        await self._stop_keeping()
        self.is_registered = False
        await self._register(0, timeout_s)

    async def close(self) -> None:
        """Refresh no more; the PBX is not told."""
        self._open.close("the phone is switched off")
        await self._stop_keeping()

    def receive_response(self, response: Response) -> None:
        """Take in a response; one that belongs to something else is dropped."""
        if response.header("call-id") == self._call_id:
            self._open.take(response)

    async def _keep(self, granted_s: float) -> None:
        """Refresh at half time, for ever."""
        while True:
            await asyncio.sleep(granted_s / 2)
            try:
                granted_s = await self._register(self._expires_s, REGISTER_TIMEOUT_S)
            except LabError:
                granted_s = 2 * _RETRY_S

    async def _stop_keeping(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _register(self, expires_s: int, timeout_s: float) -> float:
        """One REGISTER, answering a challenge if there is one. Returns for how long the PBX took it."""
        response = await self._open.ask(self._request(expires_s), timeout_s)
        if response.status in (401, 407):
            answer = authorize(find_challenge(response), self._credentials, "REGISTER", self._uri)
            response = await self._open.ask(self._request(expires_s, (answer,)), timeout_s)
        if response.status != 200:
            raise LabError(
                f"phone {self._credentials.user} was not let in: {response.status} {response.reason}".rstrip()
            )
        granted = parameter(response.header("contact"), "expires") or response.header("expires")
        return float(granted) if granted.isdecimal() else float(expires_s)

    def _request(self, expires_s: int, extra: Headers = ()) -> Request:
        self._sequence += 1
        headers = (
            ("Via", f"SIP/2.0/UDP {self._address};rport;branch={new_branch()}"),
            ("Max-Forwards", "70"),
            ("From", f"{self._record};tag={self._tag}"),
            ("To", self._record),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", f"<sip:{self._credentials.user}@{self._address}>"),
            ("Expires", str(expires_s)),
            ("User-Agent", USER_AGENT),
            *extra,
        )
        return Request(headers, b"", "REGISTER", self._uri)
