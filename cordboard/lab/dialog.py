"""A SIP dialog as a value: what both parties agreed on, and the requests that belong to it (RFC 3261, 12). Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from cordboard.lab.sip import MAGIC_COOKIE, Headers, Request, Response, address_uri, parameter

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY"
USER_AGENT = "cordboard-lab"
_MAX_FORWARDS = ("Max-Forwards", "70")


@dataclass(frozen=True, slots=True)
class Dialog:
    """local, remote: From and To as our own requests carry them. via: our "host:port". sequence: last CSeq used."""

    call_id: str
    local: str
    remote: str
    contact: str
    target: str
    routes: tuple[str, ...]
    via: str
    sequence: int

    def next(self) -> Dialog:
        """The dialog with the next CSeq, for a new request."""
        return replace(self, sequence=self.sequence + 1)

    def request(
        self, method: str, *, branch: str = "", extra: Headers = (), body: bytes = b"", sequence: int | None = None
    ) -> Request:
        """A request within the dialog. branch: of the request it belongs to (CANCEL, ACK of a refusal)."""
        headers = [("Via", f"SIP/2.0/UDP {self.via};rport;branch={branch or new_branch()}"), _MAX_FORWARDS]
        headers += [("From", self.local), ("To", self.remote), ("Call-ID", self.call_id)]
        headers += [("CSeq", f"{sequence or self.sequence} {method}"), ("Contact", self.contact)]
        headers += [("Route", route) for route in self.routes]
        return Request((*headers, ("User-Agent", USER_AGENT), *extra), body, method, self.target)


def new_branch() -> str:
    """A name for a new transaction."""
    return MAGIC_COOKIE + secrets.token_hex(8)


def calling(*, number: str, pbx: tuple[str, int], via: str, user: str, name: str) -> Dialog:
    """The dialog to be, as its first INVITE needs it. user, name: as they stand in a URI and before it."""
    host = via.partition(":")[0]
    uri = f"sip:{number}@{pbx[0]}:{pbx[1]}"
    return Dialog(
        call_id=f"{secrets.token_hex(12)}@{host}",
        local=f"{name} <sip:{user}@{host}>;tag={secrets.token_hex(6)}".lstrip(),
        remote=f"<{uri}>",
        contact=f"<sip:{user}@{via}>",
        target=uri,
        routes=(),
        via=via,
        sequence=1,
    )


def confirmed(dialog: Dialog, response: Response) -> Dialog:
    """The caller's dialog after a 2xx, or after a 183 which has a tag."""
    return replace(
        dialog,
        remote=response.header("to"),
        target=address_uri(response.header("contact")) or dialog.target,
        routes=tuple(reversed(response.headers_named("record-route"))),
    )


def called(invite: Request, *, via: str, user: str) -> Dialog:
    """The called party's dialog, from the INVITE it received."""
    return Dialog(
        call_id=invite.header("call-id"),
        local=f"{invite.header('to')};tag={secrets.token_hex(6)}",
        remote=invite.header("from"),
        contact=f"<sip:{user}@{via}>",
        target=address_uri(invite.header("contact")),
        routes=tuple(invite.headers_named("record-route")),
        via=via,
        sequence=1,
    )


def local_tag(dialog: Dialog) -> str:
    """Our own tag."""
    return parameter(dialog.local, "tag")
