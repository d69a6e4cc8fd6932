"""Sending the other side of a call elsewhere, as a phone does it: REFER (RFC 3515), with Replaces (RFC 3891).

`sip_phone` calls `refer`; what is referred to is built by the pure functions beside it.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

from cordboard.errors import LabError
from cordboard.lab.call import Call
from cordboard.lab.dialog import Dialog, local_tag
from cordboard.lab.sip import Request, address_uri, parameter

TRANSFER_TIMEOUT_S = 10.0
_FRAGMENT = re.compile(rb"SIP/2\.0 (\d\d\d)")


async def refer(call: Call, refer_to: str, timeout_s: float = TRANSFER_TIMEOUT_S) -> int:
    """Ask the PBX to connect the other side of a call to another place. Returns the status it ended with: 200.

    A PBX may end the call before it has told; then it is taken for done. Raises LabError if the PBX refuses, or
    says nothing in time.
    """
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(notify: Request) -> None:
        status = transfer_status(notify.body)
        if status >= 200 and not told.done():
            told.set_result(status)

    call.on_notify = take
    response = await call.ask("REFER", extra=(("Refer-To", refer_to), ("Referred-By", call.dialog.contact)))
    if response.status >= 300:
        raise LabError(f"the PBX refused the transfer with {response.status} {response.reason}")
    waiting = (told, asyncio.ensure_future(call.ended))
    await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    waiting[1].cancel()
    if not told.done() and call.end is None:
        raise LabError(f"the PBX did not tell within {timeout_s:g} s what became of the transfer")
    return told.result() if told.done() else 200


def blind_target(number: str, pbx: tuple[str, int]) -> str:
    """The Refer-To of a blind transfer."""
    return f"<sip:{number}@{pbx[0]}:{pbx[1]}>"


def attended_target(consultation: Dialog) -> str:
    """The Refer-To of an attended transfer: the other side takes over our part of the consultation call.

    The tags are named as the PBX sees them: what is its own there is our remote one.
    """
    uri = address_uri(consultation.remote)
    replaces = (
        f"{consultation.call_id};to-tag={parameter(consultation.remote, 'tag')};from-tag={local_tag(consultation)}"
    )
    return f"<{uri}?Replaces={quote(replaces, safe='')}>"


def transfer_status(fragment: bytes) -> int:
    """The SIP status in the body of a NOTIFY about a transfer; 0 if there is none."""
    found = _FRAGMENT.match(fragment)
    return int(found[1]) if found else 0
