"""Events of FreeSWITCH as typed facts. Pure: made by the connection, read by sessions, the link and who uses them.

Names and values as seen on FreeSWITCH 1.11. A caller chooses some of the values (name, number, SIP headers): they
are data, never to be parsed again or put into a command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cordboard.errors import SwitchProtocolError
from cordboard.telephony.hangup_causes import HangupCause, from_q850
from esl_apps.messages import EVENT_PLAIN, Headers, Message

DTMF = "DTMF"
EXECUTED = "CHANNEL_EXECUTE_COMPLETE"
HANGUP = "CHANNEL_HANGUP"
HANGUP_COMPLETE = "CHANNEL_HANGUP_COMPLETE"
BRIDGED = "CHANNEL_BRIDGE"
JOB = "BACKGROUND_JOB"
CUSTOM = "CUSTOM"

_END = b"\n\n"


class EslEvent(Headers):
    """One event, or one picture of a channel: headers that are decoded when read, and `body` (b"" for most)."""

    __slots__ = ("body",)

    def __init__(self, block: bytes, body: bytes = b"") -> None:
        super().__init__(block)
        self.body = body

    @property
    def name(self) -> str:
        """ "CHANNEL_HANGUP"; "" if it has none."""
        return self.get("Event-Name", "")

    @property
    def subclass(self) -> str:
        """Of a CUSTOM event its own name, e.g. "sofia::register"."""
        return self.get("Event-Subclass", "")

    @property
    def leg_id(self) -> str:
        """The id of the channel it is about, "" if about none."""
        return self.get("Unique-ID", "")

    @property
    def other_leg_id(self) -> str:
        """The id of the channel this one was joined with or made by, "" if there is none."""
        return self.get("Other-Leg-Unique-ID", "")

    @property
    def at(self) -> float:
        """Seconds since 1970 by FreeSWITCH's clock, which moves in steps of 20 ms; 0.0 if it does not say."""
        return self._whole("Event-Date-Timestamp") / 1e6

    @property
    def number(self) -> int:
        """Counts all events in the order in which they happened, from 1; 0 if FreeSWITCH does not say."""
        return self._whole("Event-Sequence")

    def variable(self, name: str, default: str = "") -> str:
        """A variable of the channel as it was then; `default` if it is not set."""
        return self.get("variable_" + name, default)

    @property
    def text(self) -> str:
        """The body, without the line end that most have."""
        return self.body.decode(errors="replace").rstrip("\n")

    def _whole(self, name: str) -> int:
        """A header that is a whole number; 0 if there is none, or it holds something else."""
        text = self.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


class EventParts(NamedTuple):
    """An event's header block, and the body it may have of its own."""

    block: bytes
    body: bytes


def parts_of(message: Message) -> EventParts:
    """What a message of an event holds. Raises SwitchProtocolError on a format nobody has asked for."""
    if message.kind != EVENT_PLAIN:
        raise SwitchProtocolError(f"an event as {message.kind}, where plain text was asked for")
    block, found, body = message.body.partition(_END)
    if not found or b"Event-Name: " not in block[:200]:  # it is the first header, or the second of a CUSTOM event
        raise SwitchProtocolError("an event without a name or an end")
    return EventParts(block, body)


@dataclass(frozen=True, slots=True)
class Executed:
    """An application has ended. response: what FreeSWITCH says of it ("FILE PLAYED", "_none_"); event: with all
    variables of the channel as they were then.
    """

    application: str
    response: str
    event: EslEvent = field(repr=False)


def executed_of(event: EslEvent) -> Executed:
    """The fact of a CHANNEL_EXECUTE_COMPLETE."""
    return Executed(event.get("Application", ""), event.get("Application-Response", ""), event)


def digit_of(event: EslEvent) -> str:
    """The key of a DTMF event; "" if it is none of the twelve (a phone can send A to D, too)."""
    key = event.get("DTMF-Digit", "")
    return key if len(key) == 1 and key in "0123456789*#" else ""


def hangup_word(event: EslEvent) -> str:
    """FreeSWITCH's word for why a channel ended, e.g. "NORMAL_CLEARING"; "" while it lives."""
    return event.get("Hangup-Cause", "")


def hangup_cause_of(event: EslEvent) -> HangupCause:
    """Why a channel ended, in our words."""
    return cause_of_word(hangup_word(event))


def cause_of_word(word: str) -> HangupCause:
    """Our word for FreeSWITCH's, as it stands in events, in the answers of jobs, and in dial results."""
    return _CAUSES.get(word) or from_q850(Q850_BY_WORD.get(word, 0))


Q850_BY_WORD = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6,
    "CALL_AWARDED_DELIVERED": 7,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "FACILITY_REJECTED": 29,
    "RESPONSE_TO_STATUS_ENQUIRY": 30,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "ACCESS_INFO_DISCARDED": 43,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50,
    "OUTGOING_CALL_BARRED": 52,
    "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57,
    "BEARERCAPABILITY_NOTAVAIL": 58,
    "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65,
    "CHAN_NOT_IMPLEMENTED": 66,
    "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79,
    "INVALID_CALL_REFERENCE": 81,
    "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95,
    "MANDATORY_IE_MISSING": 96,
    "MESSAGE_TYPE_NONEXIST": 97,
    "WRONG_MESSAGE": 98,
    "IE_NONEXIST": 99,
    "INVALID_IE_CONTENTS": 100,
    "WRONG_CALL_STATE": 101,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "MANDATORY_IE_LENGTH_ERROR": 103,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
}

_CAUSES = {  # FreeSWITCH's own, beyond Q.850
    "ORIGINATOR_CANCEL": HangupCause.NORMAL,
    "PICKED_OFF": HangupCause.NORMAL,
    "LOSE_RACE": HangupCause.NORMAL,
    "ATTENDED_TRANSFER": HangupCause.NORMAL,
    "BLIND_TRANSFER": HangupCause.NORMAL,
    "MANAGER_REQUEST": HangupCause.NORMAL,
    "ALLOTTED_TIMEOUT": HangupCause.NO_ANSWER,
    "PROGRESS_TIMEOUT": HangupCause.NO_ANSWER,
    "USER_NOT_REGISTERED": HangupCause.UNALLOCATED,
    "GATEWAY_DOWN": HangupCause.CONGESTION,
    "NO_ROUTE_DESTINATION": HangupCause.UNALLOCATED,
    "BUSY_EVERYWHERE": HangupCause.BUSY,
    "DECLINE": HangupCause.REJECTED,
    "DOES_NOT_EXIST_ANYWHERE": HangupCause.UNALLOCATED,
    "UNWANTED": HangupCause.REJECTED,
    "NO_IDENTITY": HangupCause.REJECTED,
    "REJECT_ALL": HangupCause.REJECTED,
}
