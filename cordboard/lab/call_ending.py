"""How a call ended, in the suite's words and in a sentence. Pure; performers and the player tell it."""

from __future__ import annotations

from cordboard.lab.call import CallEnd
from cordboard.telephony.hangup_causes import HangupCause, from_q850

_BY_STATUS = {
    404: HangupCause.UNALLOCATED,
    480: HangupCause.NO_ANSWER,
    408: HangupCause.NO_ANSWER,
    486: HangupCause.BUSY,
    600: HangupCause.BUSY,
    403: HangupCause.REJECTED,
    603: HangupCause.REJECTED,
    503: HangupCause.CONGESTION,
}


def cause_of(end: CallEnd) -> HangupCause:
    """Why a call ended, in the suite's words: from the PBX's Q.850 cause, else from the SIP status."""
    if end.cause is not None:
        return from_q850(end.cause)
    return HangupCause.NORMAL if end.status == 200 else _BY_STATUS.get(end.status, HangupCause.UNKNOWN)


def ending_in_words(end: CallEnd) -> str:
    """How a call ended, in words."""
    if end.by == "nobody":
        return "the PBX did not answer any more"
    if end.by == "caller":
        return f"the caller had hung up at {end.at_s:.1f} s"
    if end.status == 200:
        return f"the PBX hung up at {end.at_s:.1f} s ({cause_of(end)})"
    return f"the PBX refused the call with {end.status} ({cause_of(end)}) at {end.at_s:.1f} s"
