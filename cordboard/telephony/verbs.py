"""What a flow may ask of a phone. Each verb says which outcomes can follow; any of them may also end in
`HungUp` (the caller left) or `Failed` (the switch could not do it, e.g. the sound file is missing).

A verb is data: it holds no file name, no device string and no text of a switch's protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.needs import Needs

KEYS = "0123456789*#"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A piece of speech a flow names.

    flow, name: "support", "welcome". A recording is looked for by these names.
    language:   "en", "es", "pt-br".
    text:       what it says; spoken by the text-to-speech voice where no recording exists.
    """

    flow: str
    name: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Pick up. Outcome: `Done`."""


SayKind = Literal["number", "digits", "spelled", "date", "time"]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a value by the switch's own rules for the language. Outcome: `Done`.

    value: number: a whole number, -999,999,999 to 999,999,999, as decimal text; digits: 0-9 * #, at most 64;
           spelled: A-Z a-z 0-9 * # ! @ $ = + / . -, at most 64;
           date and time: seconds since 1970 (UTC) as decimal text, spoken in `zone` (an IANA name).
    gender: of what a number counts, where the language tells numbers apart by it: "m", "f"; "" if it matters not.
    """

    kind: SayKind
    value: str = field(repr=False)  # an account number, as likely as not
    language: str
    zone: str = "UTC"
    gender: str = ""


Utterance = Prompt | Say
"""A piece of what a caller hears: a prompt, or a value among prompts."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts and values one after the other, to the end. Outcomes: `Done`; `Interrupted` if `keys`.

    keys: a key stops everything, and is kept for the question that comes next (type-ahead).
    """

    prompts: tuple[Utterance, ...]
    keys: bool = False


@dataclass(frozen=True, slots=True)
class Gather:
    """Play prompts, then collect keys. Outcomes: `Gathered`, `NoInput`.

    first_digit_s: how long to wait for the first key after the last prompt ended.
    inter_digit_s: how long to wait between keys.
    end_key:       ends the input and is not part of it; "" for none.
    barge_in:      a key stops the prompts and counts as input; otherwise keys count only after the prompts.
    secret:        the digits are never stored, logged or traced.
    typed:         keyed already, before the question: the input goes on behind them.
    ends:          inputs that are over at once, though shorter than `max_digits`: nothing longer is wanted.
    """

    prompts: tuple[Utterance, ...]
    max_digits: int
    first_digit_s: float
    inter_digit_s: float
    end_key: str = ""
    barge_in: bool = True
    secret: bool = False
    typed: str = field(default="", repr=False)
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """A dial target which the dial policy allows: made by the policy, never from a caller's text alone.

    extension: what was asked for, "1001"; device: what rings, in the switch's words, "PJSIP/1001".
    """

    extension: str
    device: str


@dataclass(frozen=True, slots=True)
class AgentDevice:
    """An agent's own phone, rung past all queues. agent: the name in agents.yaml."""

    agent: str
    device: str


@dataclass(frozen=True, slots=True)
class OutsideNumber:
    """A number of the telephone network which the dial policy allows: made by the policy, never from text alone.

    number:    "+442079460123", or the digits of an emergency number, "112".
    caller_id: the number that is shown where it rings; "" for the caller's own.
    """

    number: str = field(repr=False)
    device: str = field(repr=False)
    caller_id: str = ""
    is_emergency: bool = False


DialTarget = Extension | AgentDevice | OutsideNumber

MAX_TARGETS = 20  # rung by one `Dial`; what is more is a queue


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring somebody and connect the caller. Outcomes: `Connected` (they talked and the target left),
    `NotConnected`. Ringing and conversation do not depend on the worker that asked for them: the call comes back to
    any worker when they have ended (see `HandedOver` in outcomes).

    targets:  one, or a ring group: all at once, whoever takes the call first has it; or, `in_order`, one after the
              other. ring_s: how long each of them is rung.
    screen:   what whoever picks up hears, who has the call only after pressing 1; () connects at once.
    """

    targets: tuple[DialTarget, ...]
    ring_s: float
    in_order: bool = False
    screen: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Record the caller into a new file. Outcome: `Recorded`.

    folder:    under the voicemail root of the settings, "sales"; file: base name without extension.
    silence_s: stop after so much silence; end_key: stops the recording too.
    """

    folder: str
    file: str
    max_s: float
    silence_s: float
    end_key: str = "#"
    beep: bool = True


@dataclass(frozen=True, slots=True)
class VoicemailBox:
    """Give the call to the PBX's own voicemail. Outcome: `Done`. mailbox: "100@default"."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call. Outcome: `HungUp`. Before an answer the cause reaches the caller as a SIP status."""

    cause: HangupCause = HangupCause.NORMAL


@dataclass(frozen=True, slots=True)
class Hold:
    """Play music until something else is asked for; returns as soon as it plays. Outcome: `Done`.

    music: a music class of the switch, "default". keys: whether keys are heard meanwhile (`HoldKeys` in `ports`).
    """

    music: str
    keys: bool = False


@dataclass(frozen=True, slots=True)
class AgentPhone:
    """One of several phones that are rung at once, and the offer it is rung for."""

    offer_id: str
    device: str


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring an agent's device while the caller hears music; join them when the agent accepts. Outcome: `AgentRung`.

    Like a `Dial` it does not depend on the worker that asked for it.
    device:   in the switch's words, "PJSIP/1001". whisper: what the agent alone hears first, None for nothing.
    accept_key: "" joins them as soon as the agent picks up; accept_s: for the key, after the whisper.
    also: more phones to ring at the same time, in all `MAX_TARGETS` at most. Each has its own whisper and key; who
    accepts first has the caller, and the others stop ringing.
    """

    offer_id: str
    device: str
    ring_s: float
    music: str
    whisper: Prompt | None = None
    accept_key: str = "1"
    accept_s: float = 8.0
    also: tuple[AgentPhone, ...] = ()


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Wait in a queue for an agent. Carried out by the service, which asks the phone for music, announcements and
    `RingAgent`. Outcomes: `Served`, `NotServed`, `LeftByKey`.

    priority: higher goes first; max_wait_s: None for the queue's own; needs: what is asked of an agent.
    exit_keys: lead out of the queue; step_out_keys: too, and the place is kept for `held_for_s`.
    identity: who the flow has found this to be, "" for nobody: the place is kept for them and nobody else.
    """

    queue: str
    language: str
    priority: int = 0
    max_wait_s: float | None = None
    needs: Needs = field(default_factory=Needs)
    exit_keys: str = ""
    step_out_keys: str = ""
    held_for_s: float = 120.0
    identity: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LookUp:
    """Wait for what the CRM says about the caller, or about `number`. Carried out by the service, without the
    phone. Outcomes: `LookedUp`, `NotLookedUp`.

    number: "" for the caller's own number, whose look-up began when the call arrived.
    """

    timeout_s: float
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Destination:
    """A place in the switch's own call plan, of the settings. name: what the settings call it; place:
    "context,extension,priority".
    """

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Give the call away for good: the switch carries it on as if the caller had dialled there. Outcomes:
    `Transferred`; `NotConnected`, with the call still ours: the switch has no such place ("unreachable"), or too
    many such calls were made just before ("refused").
    """

    destination: Destination | DialTarget


@dataclass(frozen=True, slots=True)
class RecordCall:
    """Begin, pause, resume or stop the recording of both sides of the call. Outcome: `Done`.

    file: base name without extension, for "start" only; a file that exists is continued. A recording goes on
    without any worker until the call ends. It pauses by itself during a secret `Gather`. Pausing, resuming and
    stopping what is not recorded is `Done` too.
    """

    action: Literal["start", "pause", "resume", "stop"]
    file: str = ""


@dataclass(frozen=True, slots=True)
class AnswerField:
    """A value to take from an HTTP answer. path: `data.orders[0].state`; kind: string, int, double or bool."""

    name: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Ask a web service. Carried out by the service, without the phone. Outcomes: `HttpAnswered`, `HttpFailed`.

    service: its name in the settings, which hold its address, its headers and their secrets.
    path:    behind the service's address, "/orders/17", percent-encoded; query: names and values as they are.
    body:    JSON, None for none. timeout_s: for all attempts together; retries: attempts after the first one.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    service: str
    path: str = field(repr=False)  # an order number, as likely as not
    timeout_s: float
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: str | None = field(default=None, repr=False)
    retries: int = 0
    answer: tuple[AnswerField, ...] = ()


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run a Python function of the settings in a process of its own, killed at its deadline. Carried out by the
    service, without the phone. Outcomes: `ScriptEnded`, `ScriptFailed`.

    arguments: values by parameter; secrets: digits by parameter, which nothing may show.
    """

    script: str
    timeout_s: float
    arguments: tuple[tuple[str, str | int | float | bool], ...] = field(default=(), repr=False)
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Write a fact about the call into the ledger. Carried out by the service, without the phone. Outcome: `Done`.

    kind: "tag" (a reason code: name and value) or "survey" (a score: the question's name, the score as text).
    """

    kind: Literal["tag", "survey"]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """Book a call back to the caller. Carried out by the service, without the phone. Outcomes: `CallbackBooked`,
    `CallbackRefused`.

    number: as the caller gave it, or their own; country: whose national numbers are understood, "GB", "" for that
    of the settings.
    """

    queue: str
    number: str = field(repr=False)
    language: str
    priority: int = 0
    country: str = ""


AgentAction = Literal["log_in", "log_out", "ready", "pause", "dispose", "extend"]


@dataclass(frozen=True, slots=True)
class ActAsAgent:
    """Do for an agent who calls in what they would do at the desk. Carried out by the service, without the phone.
    Outcomes: `ActedAsAgent`, `AgentRefused`.

    agent:  who it is, as an earlier "log_in" has found out; "" for that action itself, which goes by `code`, or by
            the caller's own number if that is "". pin: digits nobody may see; None where no PIN is asked for.
    value:  the reason of a "pause", the disposition to "dispose" with.
    """

    action: AgentAction
    agent: str = ""
    code: str = field(default="", repr=False)
    pin: str | None = field(default=None, repr=False)
    value: str = ""


ServiceVerb = LookUp | HttpRequest | RunScript | Note | RequestCallback | ActAsAgent
"""What the service does without the phone; possible after the caller has left too."""

Verb = (
    Answer
    | Play
    | Say
    | Gather
    | Dial
    | Record
    | VoicemailBox
    | Hangup
    | Hold
    | RingAgent
    | Enqueue
    | Transfer
    | RecordCall
    | ServiceVerb
)
