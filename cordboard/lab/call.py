"""One call of a lab party, from INVITE to BYE: the SIP side of it, and the audio stream that goes with it.

`Caller.dial` makes the outgoing ones, `Caller.answer_calls` the incoming ones; scenarios and tests use them. Every
message of the call comes in through `receive_response` and `receive_request`; nothing here reads a socket.

States, told by two futures and a flag:

    trying ── early media or 2xx ──► `progressed` ── 2xx ──► `is_answered` ── BYE ──► `ended`
       └────────── refused, cancelled, no answer from the PBX ─────────────────────────┘
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from cordboard.errors import LabError
from cordboard.lab.dialog import ALLOW, Dialog, confirmed, local_tag, new_branch
from cordboard.lab.digest import Credentials, authorize, find_challenge
from cordboard.lab.media import MediaStream
from cordboard.lab.open_requests import OpenRequests
from cordboard.lab.received_audio import ReceivedAudio
from cordboard.lab.retransmission import GIVE_UP_S, Retransmission
from cordboard.lab.rtp import Samples
from cordboard.lab.sdp import NoAudio, parse_audio
from cordboard.lab.sip import Headers, Request, Response, parameter, q850_cause, response_to

Send = Callable[[Request | Response], None]

_SDP = ("Content-Type", "application/sdp")
_GOODBYE_S = 1.0  # how long a BYE or CANCEL may take on loopback before we stop caring


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended. by: who ended it, "nobody" when the PBX stopped answering.

    status: the final SIP status of the INVITE (200: it was answered); cause: Q.850, if the PBX told; at_s: seconds
    since dialling.
    """

    by: Literal["caller", "pbx", "nobody"]
    status: int
    cause: int | None
    at_s: float


class Call:
    """One party's side of a call. `heard` is what it hears; offsets in it are seconds since dialling."""

    def __init__(
        self,
        dialog: Dialog,
        host: str,
        send: Send,
        on_end: Callable[[Call], None],
        credentials: Credentials | None = None,
    ) -> None:
        self.started_at = time.monotonic()
        self.heard = ReceivedAudio(self.started_at)
        self.media = MediaStream(host, self.heard)
        self.status = 0
        self.answered_s: float | None = None
        self.on_change: Callable[[], None] | None = None  # early media, answered, ended
        self.on_notify: Callable[[Request], None] | None = None  # how a transfer goes
        self._dialog = dialog
        self._send = send
        self._on_end = on_end
        self._credentials = credentials  # until they have been asked for
        self._asked = OpenRequests(send)
        self._description_version = 1
        self._direction = "sendrecv"
        loop = asyncio.get_running_loop()
        self._progressed = asyncio.Event()
        self._ended: asyncio.Future[CallEnd] = loop.create_future()
        self._sending: Retransmission | None = None
        self._invite: Request | None = None
        self._incoming: Request | None = None
        self._is_leaving = False

    # What a test or a scenario asks of it

    @property
    def call_id(self) -> str:
        """The SIP Call-ID."""
        return self._dialog.call_id

    @property
    def is_answered(self) -> bool:
        """Whether it has been answered (and perhaps ended since)."""
        return self.answered_s is not None

    @property
    def ended(self) -> Awaitable[CallEnd]:
        """`await call.ended` gives how it ended. Put a deadline around it."""
        return asyncio.shield(self._ended)

    @property
    def end(self) -> CallEnd | None:
        """How it ended, None while it lasts."""
        return self._ended.result() if self._ended.done() else None

    @property
    def now_s(self) -> float:
        """Seconds since dialling."""
        return time.monotonic() - self.started_at

    async def progressed(self) -> None:
        """Wait until it is answered, has early media, or has ended. Put a deadline around it."""
        await self._progressed.wait()

    async def press(self, keys: str, tone_ms: int = 100, gap_ms: int = 100) -> None:
        """Press keys (RFC 4733), e.g. "12#"; returns when the last is up. Raises LabError if the call has ended."""
        if self._ended.done():
            raise LabError("keys cannot be pressed: the call has ended")
        await self.media.press(keys, tone_ms, gap_ms)

    def speak(self, samples: Samples, *, repeat: bool = False) -> None:
        """Say these samples (8 kHz) instead of silence, once or for ever."""
        self.media.speak(samples, repeat=repeat)

    def fall_silent(self) -> None:
        """Send no sound any more, not even silence; the call goes on until the PBX minds."""
        self.media.fall_silent()

    async def hang_up(self) -> None:
        """End the call: BYE, or CANCEL before an answer. Returns when the PBX has confirmed, or after 1 s."""
        if self._ended.done():
            return
        self._is_leaving = True
        if self.is_answered:
            self._say_bye()
        elif self._incoming is not None:
            self._refuse(self._incoming, 480, "Temporarily Unavailable", by="caller")
        elif self.status:
            self._send(self._cancel())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), _GOODBYE_S)
        self._finish("caller")

    # Within the call

    @property
    def dialog(self) -> Dialog:
        """What both sides agreed on, as it is now."""
        return self._dialog

    async def hold(self, *, is_on: bool = True) -> None:
        """Put the other side on hold, or take it back (re-INVITE). Raises LabError if the PBX refuses."""
        self._description_version += 1
        self._direction = "sendonly" if is_on else "sendrecv"
        response = await self.ask("INVITE", extra=(_SDP,), body=self._description())
        if response.status >= 300:
            raise LabError(f"the PBX refused the hold with {response.status} {response.reason}")

    async def ask(self, method: str, *, extra: Headers = (), body: bytes = b"", timeout_s: float = 5.0) -> Response:
        """Send a request within the call and wait for its final response. Raises LabError if there is none."""
        if self._ended.done():
            raise LabError(f"{method} cannot be sent: the call has ended")
        self._dialog = self._dialog.next()
        return await self._asked.ask(self._dialog.request(method, extra=extra, body=body), timeout_s)

    # Outgoing

    def invite(self, *more: tuple[str, str]) -> None:
        """Send the INVITE and repeat it until the PBX says something. more: headers."""
        extra = (_SDP, ("Allow", ALLOW), *more)
        body = self._description()
        invite = self._dialog.request("INVITE", branch=new_branch(), extra=extra, body=body)
        self._invite = invite
        self._sending = Retransmission(lambda: self._send(invite), lambda: self._finish("nobody"), cap_s=GIVE_UP_S)

    def receive_response(self, response: Response) -> None:
        """Take in an answer to one of our requests."""
        number, method = response.sequence
        if method == "BYE" and response.status >= 200:
            self._finish("caller")
        elif method == "INVITE" and self._invite is not None and number == self._invite.sequence[0]:
            self._receive_invite_response(self._invite, response)
        else:
            self._receive_other_response(response)

    def _receive_other_response(self, response: Response) -> None:
        number, method = response.sequence
        if method == "INVITE" and response.status >= 200:  # a re-INVITE of ours; a refusal keeps its branch
            branch = response.branch if response.status >= 300 else ""
            self._send(self._dialog.request("ACK", branch=branch, sequence=number))
        self._asked.take(response)

    def _receive_invite_response(self, invite: Request, response: Response) -> None:
        if not self.is_answered:
            self._stop_sending()
        if response.status < 200:
            self._receive_provisional(response)
        elif response.status < 300:
            self._receive_answer(response)
        else:
            self._send(self._acknowledge_refusal(invite, response))
            self._receive_refusal(response)

    def _receive_refusal(self, response: Response) -> None:
        """A PBX that asks who is calling is told, once."""
        credentials, self._credentials = self._credentials, None
        if response.status in (401, 407) and credentials is not None and not self._is_leaving:
            self._dialog = self._dialog.next()
            self.invite(authorize(find_challenge(response), credentials, "INVITE", self._dialog.target))
            return
        self.status = response.status
        self._finish("caller" if self._is_leaving else "pbx", q850_cause(response.headers_named("reason")))

    def _receive_provisional(self, response: Response) -> None:
        first = not self.status
        self.status = response.status
        if self._is_leaving and first:
            self._send(self._cancel())
        elif response.body and parameter(response.header("to"), "tag"):
            self._take_audio(response.body)
            self._progress()

    def _receive_answer(self, response: Response) -> None:
        """A 2xx, perhaps for the second time: acknowledge each. One that crosses our CANCEL is hung up."""
        self._dialog = confirmed(self._dialog, response)
        self._send(self._dialog.request("ACK", sequence=response.sequence[0]))
        if self.is_answered:
            return
        self.status = response.status
        self.answered_s = self.now_s
        self._take_audio(response.body)
        self._progress()
        if self._is_leaving:
            self._say_bye()

    def _acknowledge_refusal(self, invite: Request, response: Response) -> Request:
        refused = confirmed(self._dialog, response)
        ack = refused.request("ACK", branch=invite.branch, sequence=invite.sequence[0])
        return Request(ack.headers, b"", "ACK", invite.uri)

    def _cancel(self) -> Request:
        assert self._invite is not None
        return self._dialog.request("CANCEL", branch=self._invite.branch)

    def _say_bye(self) -> None:
        self._dialog = self._dialog.next()
        bye = self._dialog.request("BYE")
        self._stop_sending()
        self._sending = Retransmission(lambda: self._send(bye))

    # Incoming

    def ring(self, invite: Request) -> None:
        """Tell the PBX that this party rings."""
        self._incoming = invite
        self._send(self._response(invite, 180, "Ringing"))

    def answer(self) -> None:
        """Pick up; the 200 is repeated until the PBX acknowledges it."""
        if self._incoming is None or self._ended.done():
            return
        invite, self._incoming = self._incoming, None
        self._take_audio(invite.body)
        self.status, self.answered_s = 200, self.now_s
        answer = self._response(invite, 200, "OK", body=self._description())
        self._sending = Retransmission(lambda: self._send(answer), lambda: self._finish("nobody"))
        self._progress()

    def refuse(self, status: int) -> None:
        """Turn an incoming call away, 486 for instance."""
        if self._incoming is not None:
            self._refuse(self._incoming, status, "Refused", by="caller")

    def receive_request(self, request: Request) -> None:
        """Take in a request which belongs to this call."""
        if request.method == "ACK":
            self._stop_sending()
        elif request.method == "BYE":
            self._send(self._response(request, 200, "OK"))
            self._finish("pbx", q850_cause(request.headers_named("reason")))
        elif request.method == "CANCEL":
            self._receive_cancel(request)
        elif request.method in ("INVITE", "UPDATE"):
            self._receive_new_audio(request)
        else:
            self._send(self._response(request, 200, "OK"))
            if request.method == "NOTIFY" and self.on_notify is not None:
                self.on_notify(request)

    def _receive_cancel(self, cancel: Request) -> None:
        self._send(self._response(cancel, 200, "OK"))
        if self._incoming is not None:
            self._refuse(
                self._incoming, 487, "Request Terminated", by="pbx", reasons=cancel.headers_named("reason")
            )

    def _receive_new_audio(self, request: Request) -> None:
        """A re-INVITE moves the audio elsewhere, when the PBX bridges two calls for instance."""
        if request.body:
            self._take_audio(request.body)
        answer = self._response(request, 200, "OK", body=self._description())
        if request.method == "INVITE":
            self._stop_sending()
            self._sending = Retransmission(lambda: self._send(answer))
        else:
            self._send(answer)

    def _refuse(
        self,
        invite: Request,
        status: int,
        words: str,
        *,
        by: Literal["caller", "pbx"],
        reasons: list[str] | None = None,
    ) -> None:
        self.status = status
        self._send(self._response(invite, status, words))
        self._finish(by, q850_cause(reasons or []))

    # Both

    def _description(self) -> bytes:
        return self.media.description.encode(self._description_version, self._direction)

    def _response(self, request: Request, status: int, words: str, body: bytes = b"") -> Response:
        extra = (("Contact", self._dialog.contact), ("Allow", ALLOW), *((_SDP,) if body else ()))
        return response_to(request, status, words, extra=extra, body=body, to_tag=local_tag(self._dialog))

    def _take_audio(self, body: bytes) -> None:
        with contextlib.suppress(NoAudio):  # then there is none to hear, which the scenario will say
            self.media.send_to(parse_audio(body))

    def _stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.stop()
            self._sending = None

    def _finish(self, by: Literal["caller", "pbx", "nobody"], cause: int | None = None) -> None:
        self._stop_sending()
        if self._ended.done():
            return
        self.media.close()
        self._asked.close("the call has ended")
        self._ended.set_result(CallEnd(by, self.status, cause, self.now_s))
        self._on_end(self)
        self._progress()

    def _progress(self) -> None:
        self._progressed.set()
        if self.on_change is not None:
            self.on_change()
