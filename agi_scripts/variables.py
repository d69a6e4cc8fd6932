"""The channel variables in which a call's position lives between two workers; the dialplan knows the same names.

Values are written by workers (`SET VARIABLE`, `MSet`) and come back as AGI arguments.
"""

from __future__ import annotations

CALL = "CORDBOARD_CALL"  # our call id
CHECKPOINT = "CORDBOARD_CP"
DONE = "CORDBOARD_DONE"  # a Q.850 number: hang up with it; "safe": go to the safe destination
NEXT = (
    "CORDBOARD_NEXT"  # "dial", "voicemail": what the dialplan does by itself, before any worker sees the call again
)
DEVICE = "CORDBOARD_DEVICE"
RING_S = "CORDBOARD_RING_S"
MAILBOX = "CORDBOARD_MAILBOX"
RETURNED = "CORDBOARD_RETURNED"  # what came of NEXT: "dial.ANSWER.16.12345", "voicemail.SUCCESS"
TRIES = "CORDBOARD_TRIES"  # 0: a worker which works has the call; otherwise attempts since, counted by the dialplan

DEAD_MAN = "TIMEOUT(absolute)"  # seconds until Asterisk takes the call away from a worker that does nothing
LANGUAGE = "CHANNEL(language)"

TO_SAFE_DESTINATION = "safe"
