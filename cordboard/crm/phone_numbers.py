"""Reads what a trunk calls the caller's number, and what people type into lists, as E.164 (`+442079460123`).

Called when a call arrives and when customers are imported. A text that is no number anybody could be called back on
gives a reason instead; nothing here raises for what a caller sent. The library's tables of number ranges are always
a little old, so a number counts if its length is possible, valid range or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

Reason = Literal["withheld", "short", "long", "has_extension", "needs_country", "malformed"]

WORDS: dict[Reason, str] = {
    "withheld": "the number is withheld",
    "short": "too short for a phone number, as extensions and service numbers are",
    "long": "too long for a phone number",
    "has_extension": "a number with an extension behind it; write the number alone",
    "needs_country": "the country is not known; write the number with + and the country code",
    "malformed": "not a phone number",
}

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Two-letter codes which a country may be given as."""

_MAX_CHARACTERS = 64  # a number, a few brackets and spaces; what is longer is none, and is not looked at
_SHORTEST_NATIONAL = 7  # without country code; what has fewer digits is an extension unless it is a known number
_LONGEST_E164 = 16  # with the plus sign
_WITHHELD_WORDS = re.compile(
    r"anonymous|withheld|private|restricted|unavailable|unknown|blocked|no ?number|nobody|asterisk|null|none",
    re.IGNORECASE,
)
# What gateways that need digits send instead of a word: zeros, and the words as typed on a phone's keys.
_WITHHELD_DIGITS = re.compile(r"\+?(?:0+|266696687|7378742833|86282452253|2562533|8656696|7748483)")
_LAYOUT = re.compile(r"\+?[0-9() ./-]*[0-9][0-9() ./-]*")
_EXTENSION = re.compile(r"[0-9)]\s*(?:x|ext\.?|extension|;ext=|#)\s*[0-9]+", re.IGNORECASE)
_SPACES_AND_DASHES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009\t", " ") | dict.fromkeys("‐‑‒–—−", "-"))
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")  # copied along from web pages


@dataclass(frozen=True, slots=True)
class NumberRead:
    """What a text came to. e164: "" if it is no number; why: then the reason, None otherwise."""

    e164: str
    why: Reason | None = None


def read_number(text: str, country: str) -> NumberRead:
    """The number in a text. country: two letters, whose national numbers are understood; "" for none."""
    if len(text) > _MAX_CHARACTERS:
        return NumberRead("", "malformed")
    plain = _INVISIBLE.sub("", text.translate(_SPACES_AND_DASHES)).strip().strip("<>\"'").removeprefix("tel:")
    if why := _why_not(plain):
        return NumberRead("", why)
    try:
        number = phonenumbers.parse(plain, country or None, keep_raw_input=True)
    except NumberParseException as refusal:
        return NumberRead("", _refusal(refusal, country))
    return _judged(number, plain)


def to_e164(text: str, country: str) -> str | None:
    """The number in a text; None if there is none."""
    return read_number(text, country).e164 or None


def shown(e164: str) -> str:
    """A number as people read it: "+44 20 7946 0123"."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return e164


def _why_not(plain: str) -> Reason | None:
    """Why a text cannot be a number, told before the library looks for one in it: it would find one anywhere."""
    if not plain or _WITHHELD_WORDS.fullmatch(plain) or _WITHHELD_DIGITS.fullmatch(plain):
        return "withheld"
    if _LAYOUT.fullmatch(plain):
        return None
    return "has_extension" if _EXTENSION.search(plain) else "malformed"


def _refusal(refusal: NumberParseException, country: str) -> Reason:
    match refusal.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE if not country:
            return "needs_country"
        case NumberParseException.INVALID_COUNTRY_CODE:
            return "malformed"
        case NumberParseException.TOO_LONG:
            return "long"
    return "short"


def _judged(number: PhoneNumber, plain: str) -> NumberRead:
    """The number if its length is possible; else the one it may be with the + that some trunks leave out."""
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE:
            if _is_extension(number, plain):
                return NumberRead("", "short")
            return _written(number)
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return NumberRead("", "short")
        case ValidationResult.TOO_LONG | ValidationResult.INVALID_LENGTH:
            return _with_plus(plain) or NumberRead("", "long")
    return NumberRead("", "malformed")


def _is_extension(number: PhoneNumber, plain: str) -> bool:
    """In some countries, Germany for one, four digits may be a number by their count alone."""
    if number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY:
        return False
    digits = sum(character.isdigit() for character in plain)
    return digits < _SHORTEST_NATIONAL and not phonenumbers.is_valid_number(number)


def _with_plus(plain: str) -> NumberRead | None:
    """`34915550142` as Spanish, in whatever country; only a number that certainly exists is guessed at."""
    if plain.startswith(("+", "0")):
        return None
    try:
        number = phonenumbers.parse(f"+{plain}")
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return _written(number)


def _written(number: PhoneNumber) -> NumberRead:
    """The number in E.164, if it is the same when it is read again.

    By their count alone some are possible which no country has: with a zero too many, or longer than E.164 allows.
    """
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if len(e164) > _LONGEST_E164:
        return NumberRead("", "long")
    try:
        again = phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.E164)
    except NumberParseException:
        again = ""
    return NumberRead(e164) if again == e164 else NumberRead("", "malformed")
