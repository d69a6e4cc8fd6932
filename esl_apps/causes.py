"""FreeSWITCH's words for the causes we end legs with."""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.telephony.hangup_causes import HangupCause

WORDS: Mapping[HangupCause, str] = {
    HangupCause.NORMAL: "NORMAL_CLEARING",
    HangupCause.BUSY: "USER_BUSY",
    HangupCause.NO_ANSWER: "NO_ANSWER",
    HangupCause.REJECTED: "CALL_REJECTED",
    HangupCause.UNALLOCATED: "UNALLOCATED_NUMBER",
    HangupCause.CONGESTION: "NORMAL_CIRCUIT_CONGESTION",
    HangupCause.UNKNOWN: "NORMAL_UNSPECIFIED",
}
