"""Which numbers of the telephone network a flow may call: nothing by default, then countries and kinds of number.

Made from the settings' `outside` section, held by the dial policy, asked by the flow loader for numbers written in
a flow and by nodes for numbers a caller typed. What is not certainly a valid number of an allowed country and kind
is refused. How often such calls may be made is the matter of the service (`outside_caps`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from cordboard.telephony.dial_policy import USUAL_TYPES, BadOutside, NumberType
from cordboard.telephony.verbs import OutsideNumber

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)

_TYPES: dict[int, frozenset[NumberType]] = {
    PhoneNumberType.FIXED_LINE: frozenset({"fixed"}),
    PhoneNumberType.MOBILE: frozenset({"mobile"}),
    PhoneNumberType.FIXED_LINE_OR_MOBILE: frozenset({"fixed", "mobile"}),  # not told apart there, nor in price
    PhoneNumberType.TOLL_FREE: frozenset({"toll_free"}),
    PhoneNumberType.UAN: frozenset({"company"}),
    PhoneNumberType.VOIP: frozenset({"voip"}),
    PhoneNumberType.PERSONAL_NUMBER: frozenset({"personal"}),
    PhoneNumberType.PAGER: frozenset({"pager"}),
    PhoneNumberType.SHARED_COST: frozenset({"shared_cost"}),
    PhoneNumberType.PREMIUM_RATE: frozenset({"premium"}),
}
_LAYOUT = re.compile(r"\+?[0-9() ./-]{2,40}")  # what people write; letters and `;ext=` would mean more
_PREFIX = re.compile(r"\+[1-9][0-9 ]{0,14}")
_DEVICE = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+@/:-]{1,180}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EMERGENCY = re.compile(r"[0-9]{2,6}")
_NUMBER, _DIGITS = "{number}", "{digits}"
_EVERYWHERE = "112"  # of every mobile network


@dataclass(frozen=True, slots=True)
class OutsidePolicy:
    """device: what rings, with `{number}` ("+442079460123") or `{digits}` ("442079460123") in it.

    country:   whose national numbers are understood, and whose emergency numbers are always allowed; "" for none.
    countries: allowed, two letters each; types: allowed kinds of number there.
    allow:     beginnings ("+4484") that are allowed whatever their country and kind.
    deny:      beginnings that are refused whatever else says.
    emergency: further emergency numbers; caller_id: as in `OutsideNumber`.
    """

    device: str
    country: str = ""
    countries: frozenset[str] = frozenset()
    types: frozenset[NumberType] = frozenset(USUAL_TYPES)
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    emergency: frozenset[str] = frozenset()
    caller_id: str = ""

    def resolve(self, text: str) -> OutsideNumber | None:
        """The number in a text, ready to be rung; None if it is none, or not allowed."""
        if self.is_emergency(text):
            return self._target(text, is_emergency=True)
        number = self._read(text)
        if number is None or not self._allows(number):
            return None
        return self._target(phonenumbers.format_number(number, PhoneNumberFormat.E164))

    def is_emergency(self, text: str) -> bool:
        """Whether exactly these digits are an emergency number here. Nothing keeps such a call from being made."""
        if not _EMERGENCY.fullmatch(text) or not text.isascii():
            return False
        if text == _EVERYWHERE or text in self.emergency:
            return True
        return bool(self.country) and phonenumbers.is_emergency_number(text, self.country)

    def _read(self, text: str) -> PhoneNumber | None:
        """A number that certainly exists: national ones as they are dialled in `country`, others with + or 00."""
        if not _LAYOUT.fullmatch(text) or not text.isascii():
            return None
        try:
            number = phonenumbers.parse(text, self.country or None)
        except NumberParseException:
            return None
        return number if phonenumbers.is_valid_number(number) else None

    def _allows(self, number: PhoneNumber) -> bool:
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        if e164.startswith(self.deny):
            return False
        if e164.startswith(self.allow):
            return True
        kinds = _TYPES.get(phonenumbers.number_type(number), frozenset())
        return bool(kinds & self.types) and any(
            phonenumbers.is_valid_number_for_region(number, country) for country in self.countries
        )

    def _target(self, number: str, *, is_emergency: bool = False) -> OutsideNumber:
        device = self.device.replace(_NUMBER, number).replace(_DIGITS, number.removeprefix("+"))
        return OutsideNumber(number, device, self.caller_id, is_emergency)


def parse_outside(
    device: str,
    *,
    country: str = "",
    countries: Iterable[str] = (),
    types: Iterable[NumberType] = USUAL_TYPES,
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    emergency: Iterable[str] = (),
    caller_id: str = "",
) -> OutsidePolicy:
    """The policy an admin wrote. Raises BadOutside for the first thing that cannot be."""
    _check_device(device)
    if caller_id and not _E164.fullmatch(caller_id):
        hint = "write + and the country code first: +442079460100"
        raise BadOutside(("caller_id",), f"`{caller_id}` is no number", hint)
    return OutsidePolicy(
        device,
        country,
        frozenset(_country(one, number) for number, one in enumerate(countries)),
        frozenset(types),
        tuple(_prefix(one, ("allow", number)) for number, one in enumerate(allow)),
        tuple(_prefix(one, ("deny", number)) for number, one in enumerate(deny)),
        frozenset(_emergency(one, number) for number, one in enumerate(emergency)),
        caller_id,
    )


def _check_device(device: str) -> None:
    filled = device.replace(_NUMBER, "+1").replace(_DIGITS, "1")
    if filled == device:
        hint = f"write for instance PJSIP/{_NUMBER}@trunk"
        raise BadOutside(("device",), f"`{device}` does not say where the number goes", hint)
    if not _DEVICE.fullmatch(filled):
        raise BadOutside(("device",), f"`{device}` is no device", f"write for instance PJSIP/{_NUMBER}@trunk")


def _country(code: str, number: int) -> str:
    if code not in COUNTRIES:
        raise BadOutside(("countries", number), f"`{code}` is no country", "two letters, as GB, IE or US")
    return code


def _prefix(text: str, keys: tuple[str | int, ...]) -> str:
    if not _PREFIX.fullmatch(text):
        raise BadOutside(keys, f"`{text}` is no beginning of a number", "write + and the country code first: +4484")
    return text.replace(" ", "")


def _emergency(text: str, number: int) -> str:
    if not _EMERGENCY.fullmatch(text):
        raise BadOutside(("emergency", number), f"`{text}` is no emergency number", "2 to 6 digits, as 112")
    return text
