"""What may be noted on a channel. Used by the phones and by who reads an arrival. Pure."""

from __future__ import annotations

import re

from cordboard.telephony.ports import CHECKPOINT_MAX_BYTES

_CHECKPOINT = re.compile(r"[A-Za-z0-9._~:-]{0,%d}" % CHECKPOINT_MAX_BYTES)  # noqa: UP031 (braces)


def is_checkpoint(text: str) -> bool:
    """Whether a text may be noted on a channel as a checkpoint."""
    return _CHECKPOINT.fullmatch(text) is not None
