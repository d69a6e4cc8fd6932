"""What a flow may ask of a phone. Each verb says which outcomes can follow; any of them may also end in
`HungUp` (the caller left) or `Failed` (the switch could not do it, e.g. the sound file is missing).

A verb is data: it holds no file name, no device string and no text of a switch's protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cordboard.telephony.hangup_causes import HangupCause

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


@dataclass(frozen=True, slots=True)
class Play:
    """Play prompts one after the other, to the end. Outcome: `Done`."""

    prompts: tuple[Prompt, ...]


SayKind = Literal["number", "digits", "date", "time"]


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a value by the switch's own rules for the language. Outcome: `Done`.

    value: number: a whole number, -999,999,999 to 999,999,999, as decimal text; digits: 0-9 * #, at most 64;
           date and time: seconds since 1970 (UTC) as decimal text, spoken in `zone` (an IANA name).
    """

    kind: SayKind
    value: str = field(repr=False)  # an account number, as likely as not
    language: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Gather:
    """Play prompts, then collect keys. Outcomes: `Gathered`, `NoInput`.

    first_digit_s: how long to wait for the first key after the last prompt ended.
    inter_digit_s: how long to wait between keys.
    end_key:       ends the input and is not part of it; "" for none.
    barge_in:      a key stops the prompts and counts as input; otherwise keys count only after the prompts.
    secret:        the digits are never stored, logged or traced.
    """

    prompts: tuple[Prompt, ...]
    max_digits: int
    first_digit_s: float
    inter_digit_s: float
    end_key: str = ""
    barge_in: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """A dial target which the dial policy allows: made by the policy, never from a caller's text alone.

    extension: what was asked for, "1001"; device: what rings, in the switch's words, "PJSIP/1001".
    """

    extension: str
    device: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring a target and connect the caller to it. Outcomes: `Connected` (they talked and the target left),
    `NotConnected`. Ringing and conversation do not depend on the worker that asked for them: the call comes
    back to any worker when they have ended (see `HandedOver` in outcomes).
    """

    target: Extension
    ring_s: float


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

    music: a music class of the switch, "default".
    """

    music: str


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring an agent's device while the caller hears music; join them when the agent accepts. Outcome: `AgentRung`.

    Like a `Dial` it does not depend on the worker that asked for it.
    device:   in the switch's words, "PJSIP/1001". whisper: what the agent alone hears first, None for nothing.
    accept_key: "" joins them as soon as the agent picks up; accept_s: for the key, after the whisper.
    """

    offer_id: str
    device: str
    ring_s: float
    music: str
    whisper: Prompt | None = None
    accept_key: str = "1"
    accept_s: float = 8.0


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Wait in a queue for an agent. Carried out by the service, which asks the phone for music, announcements and
    `RingAgent`. Outcomes: `Served`, `NotServed`.

    priority: higher goes first; max_wait_s: None for the queue's own.
    """

    queue: str
    language: str
    priority: int = 0
    max_wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Wait for what the CRM says about the caller, or about `number`. Carried out by the service, without the
    phone. Outcomes: `LookedUp`, `NotLookedUp`.

    number: "" for the caller's own number, whose look-up began when the call arrived.
    """

    timeout_s: float
    number: str = field(default="", repr=False)


Verb = Answer | Play | Say | Gather | Dial | Record | VoicemailBox | Hangup | Hold | RingAgent | Enqueue | LookUp
