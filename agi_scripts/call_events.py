"""What our dialplan tells of whole calls over the manager link: cut off, or called back in vain.

Pure; called by the switch. Checked like the events of agents' legs (see `agent_legs`): the last header of a name
counts, and the token.
"""

from __future__ import annotations

import hmac
import re
from typing import Literal, cast

from agi_scripts.agent_legs import Headers, NotOurs, last
from cordboard.telephony.call_id import is_call_id
from cordboard.telephony.ports import CallEvent

USER_EVENT = "CordboardCall"

_KINDS = ("left", "machine", "gone", "not_reached")
_MS = re.compile(r"[0-9]{1,15}")
_CAUSE = re.compile(r"[0-9]{0,3}")


def is_call_event(headers: Headers) -> bool:
    """Whether a UserEvent claims to be one of ours."""
    return last(headers, "UserEvent") == USER_EVENT


def call_event(headers: Headers, token: str) -> CallEvent:
    """The event in a UserEvent's headers. Raises NotOurs without our token, or with what we do not write."""
    if not hmac.compare_digest(last(headers, "Token").encode("utf-8", "replace"), token.encode()):
        raise NotOurs("a call's event without our token")
    kind, at_ms, cause = last(headers, "Kind"), last(headers, "At"), last(headers, "Cause")
    if kind not in _KINDS or not _MS.fullmatch(at_ms) or not _CAUSE.fullmatch(cause):
        raise NotOurs("a call's event without its kind, time or cause")
    if not is_call_id(call_id := last(headers, "Call")):
        raise NotOurs("a call's event with an id that is none")
    known = cast(Literal["left", "machine", "gone", "not_reached"], kind)
    return CallEvent(known, call_id, int(cause or 0), int(at_ms) / 1000)
