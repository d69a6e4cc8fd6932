"""Why a leg ended, in words; the numbers are those of ITU-T Q.850, which both switches use."""

from __future__ import annotations

from enum import StrEnum


class HangupCause(StrEnum):
    """The causes a flow may give, and those an edge may report."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    CONGESTION = "congestion"
    UNKNOWN = "unknown"


Q850: dict[HangupCause, int] = {
    HangupCause.NORMAL: 16,
    HangupCause.BUSY: 17,
    HangupCause.NO_ANSWER: 19,
    HangupCause.REJECTED: 21,
    HangupCause.UNALLOCATED: 1,
    HangupCause.CONGESTION: 34,
    HangupCause.UNKNOWN: 0,
}

_BY_NUMBER = {number: cause for cause, number in Q850.items()} | {
    3: HangupCause.UNALLOCATED,  # no route to destination: Asterisk's word for an unregistered phone
    18: HangupCause.NO_ANSWER,  # no user responding
    20: HangupCause.NO_ANSWER,  # subscriber absent
    38: HangupCause.CONGESTION,
    42: HangupCause.CONGESTION,
}


def from_q850(number: int) -> HangupCause:
    """The word for a Q.850 number; `UNKNOWN` where we have none."""
    return _BY_NUMBER.get(number, HangupCause.UNKNOWN)
