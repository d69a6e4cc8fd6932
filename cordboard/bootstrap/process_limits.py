"""What the supervisor and its workers agree on: how long an end may take, and who may read what they write."""

from __future__ import annotations

UMASK = 0o027  # the state folder holds numbers and messages of callers

HAND_OVER_S = 5.0  # of `drain_s`: for the calls that did not end, to reach the end of a verb
LONGEST_MESSAGE_S = 120.0  # a restart waits so long for a caller who speaks; then the message is found again
CLOSE_S = 10.0  # on top of it all: closing the database, the links, the calls that are left
