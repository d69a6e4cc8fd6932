"""The keys of callers on hold, from Asterisk's manager link. Used by `AsteriskSwitch`; offered by the phone.

While a caller is on hold no AGI verb runs, so a key is known only to the manager link (`DTMFEnd`). That would tell
the keys of every call, PINs among them. So a phone which offers keys puts its channel into the context
`cordboard-waiting` meanwhile, the manager user's event filter lets no other channel's keys through, and here only
those of a leg that somebody listens to are passed on. None is logged or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agi_scripts.agent_legs import last
from cordboard.telephony.verbs import KEYS

CONTEXT = "cordboard-waiting"
"""Where a channel is while its keys are heard; it includes `HOME`, so the dialplan goes on as if it were there."""
HOME = "cordboard-call"


class KeysHeard:
    """Who wants to hear the keys of which leg."""

    def __init__(self) -> None:
        self._listeners: dict[str, Callable[[str], None]] = {}

    def hear(self, leg_id: str, heard: Callable[[str], None]) -> None:
        """Call this with each key of a leg."""
        self._listeners[leg_id] = heard

    def forget(self, leg_id: str) -> None:
        """Pass on no more keys of a leg."""
        self._listeners.pop(leg_id, None)

    def note(self, event: Mapping[str, str | list[str]]) -> None:
        """A `DTMFEnd`. A caller's name may forge headers before Asterisk's own, so of each the last one counts."""
        listener = self._listeners.get(last(event, "Uniqueid"))
        if listener is None or last(event, "Direction") != "Received" or last(event, "Context") != CONTEXT:
            return
        key = last(event, "Digit")
        if len(key) == 1 and key in KEYS:
            listener(key)
