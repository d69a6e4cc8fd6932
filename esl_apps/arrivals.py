"""From the facts FreeSWITCH sends to an `Arrival`: the reply to `connect`, or a caller's last event, checked. Pure.

Numbers and names are as the network sent them; the caller chose them. They go into a `Call`, as text, and nowhere
else.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime

from cordboard.edge.checkpoints import is_checkpoint
from cordboard.edge.dialled import closest
from cordboard.errors import SwitchProtocolError
from cordboard.redaction import clean
from cordboard.telephony.call import Call
from cordboard.telephony.call_id import is_call_id, new_call_id
from cordboard.telephony.outcomes import Connected, Done, Failed, NotConnected, Outcome
from cordboard.telephony.ports import Arrival
from esl_apps import variables
from esl_apps.agent_results import no_talk_of, talk_of
from esl_apps.events import EslEvent

_NOT_IN_NUMBERS = re.compile(r"[^+*#0-9A-Za-z]")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f]")
_CAUSES = re.compile(r";([A-Z_]+)")  # "ARRAY::leg;USER_BUSY|:leg;NONE": of each leg that was rung, why it ended
_MICROS = re.compile(r"[0-9]{10,17}")
_NUMBER_MAX, _NAME_MAX = 64, 200

_NOT_CONNECTED: dict[str, NotConnected] = {
    "USER_BUSY": NotConnected("busy"),
    "NO_ANSWER": NotConnected("no_answer"),
    "ALLOTTED_TIMEOUT": NotConnected("no_answer"),
    "NO_USER_RESPONSE": NotConnected("no_answer"),
    "ORIGINATOR_CANCEL": NotConnected("no_answer"),
    "PROGRESS_TIMEOUT": NotConnected("no_answer"),
    "CALL_REJECTED": NotConnected("rejected"),
    "REDIRECTION_TO_NEW_DESTINATION": NotConnected("rejected"),
}
_ENDED_OTHERWISE = ("NONE", "PICKED_OFF", "LOSE_RACE", "NORMAL_CLEARING")  # says nothing of a phone that was rung


def arrival_of(facts: EslEvent, *, token: str, switch: str, ended: bool = False) -> Arrival:
    """The arrival, with a new call id if it has none. Raises SwitchProtocolError unless it is our dialplan's.

    token: what our dialplan writes into its variable, "" if it writes none. ended: the caller has gone.
    """
    if not hmac.compare_digest(facts.variable(variables.TOKEN).encode(), token.encode()):
        raise SwitchProtocolError("a call without our token: not from our dialplan")
    call_id = facts.variable(variables.CALL)
    checkpoint = facts.variable(variables.CHECKPOINT)
    if call_id and not is_call_id(call_id):
        raise SwitchProtocolError("a call id that is none of ours")
    if not is_checkpoint(checkpoint):
        raise SwitchProtocolError("a checkpoint that is none of ours")
    call = Call(
        call_id=call_id or new_call_id(),
        switch=switch,
        leg_id=facts.leg_id,
        dnis=_number(facts.variable(variables.DNIS) or facts.get("Caller-Destination-Number", "")),
        started_at=_began(facts),
        ani=_number(_of_caller(facts, "Number", ended=ended)),
        caller_name=clean(_NOT_SHOWN.sub(" ", _of_caller(facts, "Name", ended=ended)))[:_NAME_MAX],
    )
    return Arrival(call, checkpoint, _returned(facts, ended=ended), ended=ended)


def _of_caller(facts: EslEvent, what: str, *, ended: bool) -> str:
    """The caller's "Name" or "Number". In a talk FreeSWITCH shows that of the agent in its place; of a call that
    has ended in one, only what it was at first is the caller's.
    """
    shown = facts.get(f"Caller-Caller-ID-{what}", "")
    return facts.get(f"Caller-Orig-Caller-ID-{what}", shown) if ended else shown


def _number(text: str) -> str:
    return _NOT_IN_NUMBERS.sub("", text)[:_NUMBER_MAX]


def _began(facts: EslEvent) -> datetime:
    """When the channel was made; FreeSWITCH's clock."""
    micros = facts.get("Caller-Channel-Created-Time", "")
    if not _MICROS.fullmatch(micros):
        raise SwitchProtocolError("a time of arrival that is no time")
    return datetime.fromtimestamp(int(micros) / 1_000_000, UTC)


def _returned(facts: EslEvent, *, ended: bool) -> Outcome | None:
    """What came of a verb the dialplan carried out; of one who has hung up, of the agent they were rung for."""
    word = facts.variable(variables.RETURNED)
    if word == "dial":
        return _dialled(facts)
    if word == "voicemail":
        return Done()
    if word != "agent" and not ended:
        return None
    return talk_of(facts) or no_talk_of(facts, "caller_left" if ended else "left_whisper")


def _dialled(facts: EslEvent) -> Outcome:
    """What `bridge` left on the channel, as an outcome."""
    disposition = facts.variable("originate_disposition")
    if disposition == "SUCCESS":
        return Connected(_talked_s(facts))
    if facts.variable(variables.PICKED_UP):
        return NotConnected("rejected")  # picked up, and did not accept: the leg ends like one that nobody picks up
    causes = [one for one in _CAUSES.findall(facts.variable("originate_causes")) if one not in _ENDED_OTHERWISE]
    return closest([_not_connected(cause) for cause in causes or [disposition]])


def _not_connected(cause: str) -> NotConnected | Failed:
    if not cause:
        return Failed("dial failed")
    return _NOT_CONNECTED.get(cause) or NotConnected("unreachable")


def _talked_s(facts: EslEvent) -> float:
    """From the joining to when the dialplan went on."""
    joined, ended = facts.variable(variables.JOINED), facts.variable(variables.LEFT)
    if not (_MICROS.fullmatch(joined) and _MICROS.fullmatch(ended)):
        return 0.0
    return max(0.0, (int(ended) - int(joined)) / 1_000_000)
