"""Where a call stands, and what of that its channel has been told. Used by the phones and by who reads an arrival.

Nothing is written here: how a checkpoint gets onto a channel is each edge's own affair.
"""

from __future__ import annotations

import re

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.ports import CHECKPOINT_MAX_BYTES, Arrival

_CHECKPOINT = re.compile(r"[A-Za-z0-9._~:-]{0,%d}" % CHECKPOINT_MAX_BYTES)  # noqa: UP031 (braces)


def is_checkpoint(text: str) -> bool:
    """Whether a text may be noted on a channel as a checkpoint."""
    return _CHECKPOINT.fullmatch(text) is not None


class Position:
    """Where a call stands, as its flow says.

    checkpoint: the last one; is_noted: the channel has it; is_introduced: this worker has written to the channel.
    """

    __slots__ = ("_call_id", "checkpoint", "is_introduced", "is_noted")

    def __init__(self, arrival: Arrival) -> None:
        self._call_id = arrival.call.call_id
        self.checkpoint = arrival.checkpoint
        self.is_introduced = False
        self.is_noted = False

    def move(self, checkpoint: str) -> None:
        """The call stands here now; the channel hears of it with the next line that is written.

        Raises SwitchProtocolError for one that a channel cannot hold.
        """
        if checkpoint == self.checkpoint:
            return
        if not is_checkpoint(checkpoint):
            raise SwitchProtocolError("a checkpoint that cannot be noted", call_id=self._call_id)
        self.checkpoint = checkpoint
        self.is_noted = False

    def written(self) -> None:
        """The channel has been told."""
        self.is_introduced = self.is_noted = True
