"""From the facts Asterisk sends to an `Arrival`: the arguments of the dialplan's `AGI()` line, checked. Pure.

The order of the arguments is that of `dialplan/cordboard.conf`: call id, checkpoint, dnis, ani, returned, began,
token, name.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime

from agi_scripts.agent_results import agent_rung, agents_rung
from agi_scripts.environment import Environment, decoded
from cordboard.edge.checkpoints import is_checkpoint
from cordboard.edge.dialled import closest
from cordboard.errors import SwitchProtocolError
from cordboard.redaction import clean
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import is_call_id, new_call_id
from cordboard.telephony.hangup_causes import HangupCause, from_q850
from cordboard.telephony.outcomes import Connected, Done, Failed, NotConnected, Outcome
from cordboard.telephony.ports import Arrival

NEW_OR_RESUMED = "call"
ENDED = "ended"

_ARGUMENTS = 8
_NUMBER = re.compile(r"[+*#0-9A-Za-z]{0,64}")

_NOT_CONNECTED: dict[str, NotConnected] = {
    "BUSY": NotConnected("busy"),
    "NOANSWER": NotConnected("no_answer"),
    "CONGESTION": NotConnected("unreachable"),
    "CHANUNAVAIL": NotConnected("unreachable"),
    "DONTCALL": NotConnected("rejected"),
    "TORTURE": NotConnected("rejected"),
    "DECLINED": NotConnected("rejected"),  # the dialplan's own word: picked up, and did not press 1
}
_REASONS: dict[HangupCause, NotConnected] = {
    HangupCause.BUSY: NotConnected("busy"),
    HangupCause.NO_ANSWER: NotConnected("no_answer"),
    HangupCause.REJECTED: NotConnected("rejected"),
}


def arrival_of(environment: Environment, *, token: str, switch: str) -> Arrival:
    """The arrival, with a new call id if it has none. Raises SwitchProtocolError unless it is our dialplan's."""
    arguments = environment.arguments
    if len(arguments) != _ARGUMENTS or not hmac.compare_digest(arguments[-2].encode(), token.encode()):
        raise SwitchProtocolError("an AGI call without our token: not from our dialplan, or a cut header block")
    if environment.script not in (NEW_OR_RESUMED, ENDED):
        raise SwitchProtocolError("an AGI script name we do not serve")
    call_id, checkpoint, dnis, ani, returned, began, _, name = arguments
    _check(call_id, checkpoint, dnis, ani)
    call = Call(
        call_id=call_id or new_call_id(),
        switch=switch,
        leg_id=environment.unique_id,
        dnis=dnis,
        started_at=_moment(began),
        ani=ani,
        caller_name=clean(decoded(name)),
    )
    return Arrival(call, checkpoint, _returned(returned), ended=environment.script == ENDED)


def _check(call_id: str, checkpoint: str, dnis: str, ani: str) -> None:
    if call_id and not is_call_id(call_id):
        raise SwitchProtocolError("a call id that is none of ours")
    if not is_checkpoint(checkpoint):
        raise SwitchProtocolError("a checkpoint that is none of ours")
    if not (_NUMBER.fullmatch(dnis) and _NUMBER.fullmatch(ani)):
        raise SwitchProtocolError("a number which the dialplan has not filtered")


def _moment(epoch: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SwitchProtocolError("a time of arrival that is no time") from error


def _returned(text: str) -> Outcome | None:
    """What came of a verb the dialplan carried out: "dial.BUSY.17.ANSWER.16.12345" (status and cause of each
    attempt, then ms talked), "voicemail.SUCCESS", and "agent...", which `agent_results` reads.
    """
    kind, *words = text.split(".")
    if kind == "agent":
        return agent_rung(words)
    if kind == "agents":
        return agents_rung(words)
    if kind == "dial" and len(words) >= 3 and len(words) % 2 == 1:
        return _dialled(list(zip(words[:-1:2], words[1:-1:2], strict=True)), words[-1])
    if kind == "voicemail" and len(words) == 1:
        return Failed("voicemail failed") if words[0] == "FAILED" else Done()
    if text:
        raise SwitchProtocolError("a returned verb that is none of ours")
    return None


def _dialled(attempts: list[tuple[str, str]], talked_ms: str) -> Outcome:
    """The DIALSTATUS and HANGUPCAUSE of each phone that was rung in turn, or of all together, as an outcome."""
    if attempts[-1][0] == "ANSWER":
        return Connected(_whole(talked_ms) / 1000)
    return closest([_not_connected(status, cause) for status, cause in attempts])


def _not_connected(status: str, cause: str) -> NotConnected | Failed:
    """CHANUNAVAIL alone does not tell (Asterisk 22: a phone that sends 603 gives it, with cause 21), so there a
    cause that says why comes first. Elsewhere it may be that of an earlier Dial: one that rings out sets none.
    """
    if status == "CHANUNAVAIL" and (reason := _REASONS.get(from_q850(_whole(cause)))):
        return reason
    return _NOT_CONNECTED.get(status) or Failed("dial failed")


def _whole(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0
