"""Speaking values by FreeSWITCH's own rules and sounds for a language (mod_say). Called by the phone.

FreeSWITCH does not say whether it spoke: a language whose module or sounds are missing is silent. `doctor` looks
for them. Its modules know no negative numbers, so the sign is spelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cordboard.edge.sayable import longest_s
from cordboard.telephony.outcomes import Done, Failed, Outcome
from cordboard.telephony.verbs import Say, SayKind
from esl_apps.parts import Part, play_part

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

_KINDS: dict[SayKind, str] = {
    "number": "number pronounced",
    "digits": "name_spelled pronounced",
    "spelled": "name_spelled pronounced",
    "date": "current_date pronounced",
    "time": "current_time pronounced",
}
_GENDERS = {"m": "masculine", "f": "feminine"}


async def say(phone: FreeswitchPhone, verb: Say) -> Outcome:
    """Speak one value. A value that cannot be spoken is `Failed`: a caller or a CRM may have supplied it."""
    parts = saying_part(verb)
    if isinstance(parts, Failed):
        return parts
    for part in parts:
        if fault := await play_part(phone, part, keys=False):
            return fault
    phone.keys.forget()
    return Done()


def saying_part(verb: Say) -> list[Part] | Failed:
    """How to speak a value, or that it is none that can be spoken."""
    longest = longest_s(verb)
    if longest is None:
        return Failed(f"not a {verb.kind} that can be spoken")
    value = verb.value.removeprefix("-") if verb.kind == "number" else verb.value
    parts = [_part(verb, _KINDS[verb.kind], value, longest)]
    if value != verb.value:
        parts.insert(0, _part(verb, _KINDS["spelled"], "-", longest))
    return parts


def _part(verb: Say, how: str, value: str, longest: float) -> Part:
    module = verb.language.partition("-")[0]
    gender = f" {_GENDERS[verb.gender]}" if verb.gender in _GENDERS else ""
    zone = verb.zone if verb.kind in ("date", "time") else ""
    fault = f"FreeSWITCH could not say a {verb.kind}"
    return Part("say", f"{module} {how}{gender} {value}", longest, fault, is_file=False, zone=zone)
