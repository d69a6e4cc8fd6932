"""The keys of callers on hold, from Asterisk's manager link. Used by `AsteriskSwitch`; offered by the phone.

While a caller is on hold no AGI verb runs, so a key is known only to the manager link (`DTMFEnd`). That would tell
the keys of every call, PINs among them. So a phone which offers keys puts its channel into the context
`cordboard-waiting` meanwhile, the manager user's event filter lets no other channel's keys through, and only those
of a leg that somebody listens to are passed on. None is logged or kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from agi_scripts.agent_legs import last
from cordboard.edge.hold_keys import KeyListeners
from cordboard.telephony.verbs import KEYS

CONTEXT = "cordboard-waiting"
"""Where a channel is while its keys are heard; it includes `HOME`, so the dialplan goes on as if it were there."""
HOME = "cordboard-call"


def pass_on_key(listeners: KeyListeners, event: Mapping[str, str | list[str]]) -> None:
    """A `DTMFEnd`. A caller's name may forge headers before Asterisk's own, so of each the last one counts."""
    key = last(event, "Digit")
    is_waiting = last(event, "Direction") == "Received" and last(event, "Context") == CONTEXT
    if is_waiting and len(key) == 1 and key in KEYS:
        listeners.tell(last(event, "Uniqueid"), key)
