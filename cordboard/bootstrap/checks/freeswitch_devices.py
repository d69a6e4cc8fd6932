"""Check `esl-devices`: FreeSWITCH has the users and gateways that are rung: agents' phones, extensions, trunks; and
the users whose voicemail takes messages.

One that it does not know never rings, or takes no message. A phone at a fixed address it cannot be asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cordboard.bootstrap.checks.event_socket_session import EventSocketSession, NoEventSocket
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, listed, ok
from cordboard.telephony.reach import switch_of

DIAL_STRING = "sofia/internal/${dialed_user}%${dialed_domain}"

_USER = re.compile(r"user/([A-Za-z0-9_.+*#-]{1,64})(?:@([A-Za-z0-9_.-]{1,200}))?")
_API_CALL = re.compile(r"\$\{[a-z_]+\(")
_GATEWAY = re.compile(r"sofia/gateway/([A-Za-z0-9_.-]{1,80})/.+")


async def look(premises: Premises) -> Sequence[Result]:
    """The users and gateways that are unknown to FreeSWITCH."""
    devices = sorted(set(_devices(premises)))
    boxes = sorted({box.mailbox for box in premises.settings.voicemail.values() if box.mailbox})
    try:
        session = await premises.event_socket()
        domain = await session.api("global_getvar domain")
        strange = [device for device in devices if not await _is_known(session, device, domain)]
        mute = [device for device in devices if await _is_mute(session, device, domain)]
        no_boxes = [box for box in boxes if not await _is_known(session, f"user/{box}", domain)]
    except NoEventSocket as failure:
        raise NotLookedAt("there is no log-in to the Event Socket") from failure
    results = [_calls_the_api(mute)] if mute else []
    if strange:
        fix = "correct `device:` in agents.yaml, or in cordboard.yaml; fs_cli -x 'list_users' lists what there is"
        results.append(fault(f"FreeSWITCH does not know {listed(strange)}", fix))
    if no_boxes:
        seen = f"FreeSWITCH has no user with the mailbox {listed(no_boxes)}: it would take no message"
        results.append(fault(seen, f"write `mailbox: NUMBER@{domain}` in cordboard.yaml, or `folder:`"))
    known = counted(len(devices) + len(boxes), "device or mailbox", "devices and mailboxes")
    return results or [ok(f"FreeSWITCH knows {known}")]


def _devices(premises: Premises) -> Iterator[str]:
    """What is rung, as it is written. Where an extension stands in for many, there is nothing to ask about."""
    settings = premises.settings
    written = [
        *(agent.device for agent in premises.plan.agents.values()),
        *settings.extensions.values(),
        *settings.freeswitch.reaches.values(),
        *([settings.outside.device] if settings.outside else []),
    ]
    return (device for device in written if switch_of(device) == "freeswitch" and _is_asked_about(device))


def _is_asked_about(device: str) -> bool:
    return bool(_USER.fullmatch(device) or _GATEWAY.fullmatch(device))


async def _is_known(session: EventSocketSession, device: str, domain: str) -> bool:
    if gateway := _GATEWAY.fullmatch(device):
        return "invalid gateway" not in (await session.api(f"sofia status gateway {gateway[1]}")).lower()
    user = _USER.fullmatch(device)
    assert user is not None
    return await session.api(f"user_exists id {user[1]} {user[2] or domain}") == "true"


async def _is_mute(session: EventSocketSession, device: str, domain: str) -> bool:
    """Whether what rings a user is asked of the API, by a dial-string as FreeSWITCH comes with: there it is off."""
    if not (user := _USER.fullmatch(device)):
        return False
    return bool(_API_CALL.search(await session.api(f"user_data {user[1]}@{user[2] or domain} param dial-string")))


def _calls_the_api(devices: Sequence[str]) -> Result:
    seen = f"the dial-string of {listed(devices)} holds an API call: without API expansion it does not ring"
    return fault(seen, f"write in the directory: dial-string {DIAL_STRING}; then: fs_cli -x 'reloadxml'")


CHECK = Check(
    "esl-devices",
    look,
    "FreeSWITCH does not answer: fs_cli -x status; systemctl restart freeswitch",
    switch="freeswitch",
)
