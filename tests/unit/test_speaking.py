"""What is played for a value: each kind in each language, and what a language cannot say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.flows.conditions import Kind
from cordboard.flows.node import NodeFailed
from cordboard.flows.speaking.choosing import Speaking, spoken_kind
from cordboard.flows.speaking.grammar import Gender
from cordboard.flows.speaking.kinds import SpokenKind
from cordboard.flows.speaking.rules import GRAMMARS, How, SayRefused, rule_for
from cordboard.telephony.verbs import Prompt, Utterance
from tests.doubles.flow_kit import NOON

MADRID = ZoneInfo("Europe/Madrid")


def said(kind: SpokenKind, value: Any, language: str, detail: str = "") -> str:
    """What is played, readable: words as they are, the switch's values as <number 12 f>."""
    kinds: dict[type, Kind] = {int: "int", float: "double", str: "string", datetime: "timestamp"}
    how = Speaking(MADRID).how(kind, detail)
    rule = rule_for(how, kinds[type(value)], language, MADRID)
    return " ".join(map(words, rule.utterances(value, NOON)))


def words(one: Utterance) -> str:
    if isinstance(one, Prompt):
        assert one.flow == "words"
        return one.text
    return f"<{' '.join(filter(None, [one.kind, one.value, one.gender]))}>"


NUMBERS = [
    ("en", 7, "<number 7>"),
    ("en", -7, "<number -7>"),
    ("en", 12.5, "<number 12> point <digits 5>"),
    ("en", 3.05, "<number 3> point <digits 05>"),
    ("en", 12.0, "<number 12>"),
    ("en", -0.5, "minus <number 0> point <digits 5>"),
    ("es", 3.14, "<number 3> coma <number 14>"),
    ("es", 3.05, "<number 3> coma <digits 0> <number 5>"),
    ("es", 3.141, "<number 3> coma <digits 141>"),
    ("fr", 0.1, "<number 0> virgule <number 1>"),
    ("fr", -2.5, "moins <number 2> virgule <number 5>"),
    ("de", 0, "0"),
    ("de", 7, "7"),
    ("de", 100, "hundert"),
    ("de", 345, "dreihundert 45"),
    ("de", 1_000, "tausend"),
    ("de", 21_001, "21 tausend 1"),
    ("de", 101_000, "hundert ein tausend"),
    ("de", 1_000_000, "eine Million"),
    ("de", 2_345_678, "2 Millionen dreihundert 45 tausend sechshundert 78"),
    ("de", -3.14, "minus 3 Komma 1 4"),
]
ORDINALS = [
    ("en", 1, "first"),
    ("en", 12, "twelfth"),
    ("en", 40, "fortieth"),
    ("en", 21, "twenty-first"),
    ("en", 100, "<number 1> hundredth"),
    ("en", 123, "<number 100> twenty-third"),
    ("en", 1_100, "<number 1000> <number 1> hundredth"),
    ("en", 3_000, "<number 3> thousandth"),
    ("en", 10_000, "number <number 10000>"),
    ("es", 1, "primero"),
    ("es", 10, "décimo"),
    ("es", 18, "decimoctavo"),
    ("es", 20, "vigésimo"),
    ("es", 33, "trigésimo tercero"),
    ("es", 100, "número <number 100>"),
    ("fr", 1, "premier"),
    ("fr", 5, "cinquième"),
    ("fr", 9, "neuvième"),
    ("fr", 21, "vingt et unième"),
    ("fr", 71, "soixante et onzième"),
    ("fr", 80, "quatre-vingtième"),
    ("fr", 91, "quatre-vingt-onzième"),
    ("fr", 100, "centième"),
    ("fr", 200, "<number 2> centième"),
    ("de", 3, "dritte"),
    ("de", 20, "zwanzigste"),
    ("de", 21, "einundzwanzigste"),
    ("de", 67, "siebenundsechzigste"),
    ("de", 100, "hundertste"),
    ("de", 123, "hundert dreiundzwanzigste"),
]
FEMININE = [("es", 1, "primera"), ("es", 33, "trigésima tercera"), ("fr", 1, "première"), ("de", 1, "erste")]
DURATIONS = [
    ("en", 0, "<number 0> seconds"),
    ("en", 1, "one second"),
    ("en", 60, "one minute"),
    ("en", 3_725, "one hour <number 2> minutes and <number 5> seconds"),
    ("en", 172_800, "<number 2> days"),
    ("en", 59.6, "one minute"),
    ("es", 7_260, "<number 2 f> horas y un minuto"),
    ("fr", 0, "<number 0 f> seconde"),
    ("fr", 90_000, "un jour et une heure"),
    ("de", 5_400, "eine Stunde und 30 Minuten"),
]
MONEY = [
    ("en", "GBP", 12.5, "<number 12> pounds and <number 50> pence"),
    ("en", "GBP", 1, "one pound"),
    ("en", "GBP", 0.01, "one penny"),
    ("en", "GBP", 0, "<number 0> pounds"),
    ("en", "GBP", -3.2, "minus <number 3> pounds and <number 20> pence"),
    ("en", "GBP", 1.995, "<number 2> pounds"),
    ("en", "GBP", -0.001, "<number 0> pounds"),
    ("en", "JPY", 1_234.5, "<number 1235> yen"),
    ("en", "USD", 1_000_000, "<number 1000000> dollars"),
    ("es", "GBP", 21.01, "<number 21 f> libras con un penique"),
    ("es", "EUR", 31.5, "<number 31 m> euros con <number 50 m> céntimos"),
    ("es", "EUR", 2_000_000, "<number 2000000 m> de euros"),
    ("fr", "EUR", 1_000_000, "<number 1000000 m> d'euros"),
    ("fr", "EUR", 0, "<number 0 m> euro"),
    ("fr", "CAD", 2.05, "<number 2 m> dollars et <number 5 m> cents"),
    ("de", "EUR", 1.01, "ein Euro und ein Cent"),
    ("de", "EUR", 21.5, "21 Euro und 50 Cent"),
]
DATES = [
    ("en", "2026-12-24", "<date 1798110000>"),  # noon in Madrid
    ("en", "12-24", "<date 1798110000>"),  # of this year
    ("es", "2026-12-24T23:30:00+00:00", "<date 1798155000>"),
    ("de", "2026-12-24", "Donnerstag der vierundzwanzigste Dezember 2 tausend 26"),
    ("de", "1998-03-01", "Sonntag der erste März 19 hundert 98"),
    ("de", "2026-12-24T23:30:00+00:00", "Freitag der fünfundzwanzigste Dezember 2 tausend 26"),
]
TIMES = [
    ("en", "15:30", "<time 1795444200>"),
    ("de", "15:30", "15 Uhr 30"),
    ("de", "1:00", "ein Uhr"),
    ("de", "0:05", "0 Uhr 5"),
]
CHARACTERS: list[tuple[SpokenKind, str, Any, str]] = [
    ("digits", "en", "+44 (20) 79-46", "<digits 44207946>"),
    ("digits", "en", 120, "<digits 120>"),
    ("digits", "de", "1*#", "1 Stern Raute"),
    ("spelled", "en", "AB 12-c", "<spelled AB12-c>"),
    ("spelled", "es", "Núñez", "<spelled Nunez>"),
    ("spelled", "de", "Ab-1", "A B Strich 1"),
    ("spelled", "en", " ", ""),
]


@pytest.mark.parametrize(("language", "value", "expected"), NUMBERS)
def test_numbers(language: str, value: Any, expected: str) -> None:
    assert said("number", value, language) == expected


@pytest.mark.parametrize(("language", "value", "expected"), ORDINALS)
def test_ordinals(language: str, value: int, expected: str) -> None:
    assert said("ordinal", value, language) == expected


@pytest.mark.parametrize(("language", "value", "expected"), FEMININE)
def test_feminine_ordinals(language: str, value: int, expected: str) -> None:
    assert said("ordinal", value, language, "f") == expected


@pytest.mark.parametrize(("language", "value", "expected"), DURATIONS)
def test_durations(language: str, value: Any, expected: str) -> None:
    assert said("duration", value, language) == expected


@pytest.mark.parametrize(("language", "currency", "value", "expected"), MONEY)
def test_money(language: str, currency: str, value: Any, expected: str) -> None:
    assert said("money", value, language, currency) == expected


@pytest.mark.parametrize(("language", "value", "expected"), DATES)
def test_dates(language: str, value: str, expected: str) -> None:
    assert said("date", value, language) == expected


@pytest.mark.parametrize(("language", "value", "expected"), TIMES)
def test_times(language: str, value: str, expected: str) -> None:
    assert said("time", value, language) == expected


@pytest.mark.parametrize(("kind", "language", "value", "expected"), CHARACTERS)
def test_characters(kind: SpokenKind, language: str, value: Any, expected: str) -> None:
    assert said(kind, value, language) == expected


def test_a_moment_is_that_of_the_zone() -> None:
    late = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)
    assert said("date", late, "de").startswith("Freitag der fünfundzwanzigste")
    assert said("time", late, "de") == "0 Uhr 30"


UNSPEAKABLE: list[tuple[SpokenKind, Any]] = [
    ("number", 1_000_000_000),
    ("ordinal", 0),
    ("duration", -1),
    ("digits", "12a"),
    ("digits", "1" * 65),
    ("spelled", "日本"),
    ("date", "tomorrow"),
    ("date", "2026-02-30"),
    ("date", 10**18),
    ("time", "25:00"),
]


@pytest.mark.parametrize(("kind", "value"), UNSPEAKABLE)
def test_what_cannot_be_spoken_breaks_without_telling_the_value(kind: SpokenKind, value: Any) -> None:
    with pytest.raises(NodeFailed) as broken:
        said(kind, value, "en")
    assert str(value) not in str(broken.value)


LACKING: list[tuple[How, Kind, str]] = [
    (How("number"), "double", "it"),
    (How("ordinal"), "int", "it"),
    (How("money", currency="EUR"), "int", "nl"),
    (How("date"), "timestamp", "ru"),
    (How("digits"), "string", "ca"),
    (How("money", currency="XXX"), "int", "en"),
]


@pytest.mark.parametrize(("how", "kind", "language"), LACKING)
def test_what_a_language_lacks_is_known_before_any_call(how: How, kind: Kind, language: str) -> None:
    with pytest.raises(SayRefused) as refused:
        rule_for(how, kind, language, MADRID)
    assert refused.value.code == "cannot-say"


def test_the_switch_speaks_what_it_can_of_a_language_without_words() -> None:
    assert said("number", 42, "it") == "<number 42>"
    assert said("date", "2026-12-24", "nl") == "<date 1798110000>"


def test_another_language_stands_in_for_one_that_lacks_a_kind() -> None:
    rule = Speaking(MADRID, {"ca": "es"}).rule(How("ordinal"), "int", "ca")
    assert [words(one) for one in rule.utterances(3, NOON)] == ["tercero"]
    assert rule.utterances(3, NOON)[0].language == "es"


REFUSED: list[tuple[str, Kind, str]] = [
    ("", "string", "say-how"),
    ("", "timestamp", "say-how"),
    ("", "bool", "say-how"),
    ("monye", "int", "unknown-say-kind"),
    ("number", "string", "say-type"),
    ("digits", "bool", "say-type"),
]


@pytest.mark.parametrize(("written", "kind", "code"), REFUSED)
def test_a_value_must_be_of_a_kind_it_can_be_spoken_as(written: str, kind: Kind, code: str) -> None:
    with pytest.raises(SayRefused) as refused:
        spoken_kind(written, "amount", kind)
    assert refused.value.code == code


def test_numbers_need_no_kind() -> None:
    assert spoken_kind("", "amount", "int") == spoken_kind("", "amount", "double") == "number"


@pytest.mark.parametrize(
    ("kind", "detail", "code"),
    [("money", "", "no-currency"), ("date", "f", "say-detail"), ("ordinal", "x", "say-detail")],
)
def test_details_must_fit_the_kind(kind: SpokenKind, detail: str, code: str) -> None:
    with pytest.raises(SayRefused) as refused:
        Speaking(MADRID).how(kind, detail)
    assert refused.value.code == code


VALUES: dict[SpokenKind, st.SearchStrategy[Any]] = {
    "number": st.integers(-999_999_999, 999_999_999),
    "ordinal": st.integers(1, 999_999_999),
    "duration": st.integers(0, 999_999_999),
    "money": st.integers(-99_999_999_900, 99_999_999_900).map(lambda cents: cents / 100),
    "date": st.integers(-27_000_000_000, 32_500_000_000),  # 1114 to 2999
    "time": st.integers(0, 4_000_000_000),
    "digits": st.text("0123456789*#", max_size=64),
    "spelled": st.text("abcXYZ0189*#@.-/+", max_size=64),
}


@given(
    st.sampled_from(sorted(GRAMMARS)), st.sampled_from(sorted(VALUES)), st.sampled_from(["", "m", "f"]), st.data()
)
def test_every_word_a_rule_uses_was_made_playable_beforehand(
    language: str, kind: SpokenKind, gender: Gender, data: st.DataObject
) -> None:
    value = data.draw(VALUES[kind])
    detail = gender if kind in ("number", "ordinal") else ""
    how = How(kind, detail, currency="EUR" if kind == "money" else "")
    rule = rule_for(how, "double" if kind == "money" else "int", language, MADRID)
    used = {one for one in rule.utterances(value, NOON) if isinstance(one, Prompt)}
    assert used <= set(rule.words)
