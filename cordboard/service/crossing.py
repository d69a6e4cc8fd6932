"""What a flow dials, as it is rung from the switch that the caller is on: a phone of the other switch over the
trunk between the two. Used by the conversations of a worker; for agents of queues the matching knows it.
"""

from __future__ import annotations

from dataclasses import replace

from cordboard.telephony.reach import Reach
from cordboard.telephony.verbs import Destination, Dial, Transfer


class Crossing:
    """The trunks of the settings."""

    def __init__(self, reach: Reach | None = None) -> None:
        self._reach = reach or Reach(switches=())

    def use(self, reach: Reach) -> None:
        """Go by these from now on."""
        self._reach = reach

    def rung_from(self, switch: str, verb: Dial | Transfer) -> Dial | Transfer | None:
        """The verb with the devices that ring there. Of a group those who cannot be reached are left out; None if
        nobody is left.
        """
        if isinstance(verb, Dial):
            found = (self._reach.rung_from(switch, target) for target in verb.targets)
            targets = tuple(target for target in found if target is not None)
            return replace(verb, targets=targets) if targets else None
        if isinstance(verb.destination, Destination):
            return verb
        destination = self._reach.rung_from(switch, verb.destination)
        return Transfer(destination) if destination is not None else None
