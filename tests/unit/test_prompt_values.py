"""Prompts with values in them: what is played, what must have a sound, and what is refused with its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow
from cordboard.flows.text_parts import TextRefused, ValueAt, Words, split_text
from cordboard.telephony.outcomes import Done, Gathered, Interrupted
from cordboard.telephony.verbs import Gather, Play, Prompt, Say, Utterance
from tests.doubles.flow_kit import AROUND, answered, faults_of, walk

SETTING = '{set: {amount: 12.5, due: "2026-12-24", rank: 3, vip: true}, next: tell}'


def flow(texts: str, node: str = "{play: owed, next: bye}", frame: str = "") -> str:
    """A flow whose prompt `owed` has these texts; `amount`, `due`, `rank` and `vip` are set before it is played."""
    return (
        f"flow: test\nlanguages: [en, es]\nzone: Europe/London\n{frame}\n"
        f"prompts:\n  owed: {texts}\n  ask: {{en: ask, es: ask}}\n"
        f"nodes:\n  begin: {SETTING}\n  tell: {node}\n  bye: {{hangup: normal}}\n"
    )


def load(text: str) -> Flow:
    return load_flow(parse_yaml(text.encode(), "test.yaml"), AROUND)


def heard(utterances: tuple[Utterance, ...]) -> list[str]:
    return [
        f"{one.name}: {one.text}" if isinstance(one, Prompt) else f"{one.kind} {one.value}" for one in utterances
    ]


OWED = '{en: "You owe {amount|money GBP} by {due|date}.", es: "Antes del {due|date} debe {amount|money GBP}."}'


def test_words_and_values_are_played_in_the_order_of_each_language() -> None:
    step = answered(load(flow(OWED)))
    assert isinstance(step.verb, Play)
    assert heard(step.verb.prompts) == [
        "owed.1: You owe",
        "number 12",
        "pound-other: pounds",
        "money-and: and",
        "number 50",
        "penny-other: pence",
        "owed.2: by",
        "date 1798113600",
    ]
    spanish = replace(step.run, language="es").resume(step.run.call.started_at)
    assert isinstance(spanish.verb, Play)
    assert heard(spanish.verb.prompts)[:4] == [
        "owed.1: Antes del",
        "date 1798113600",
        "owed.2: debe",
        "number 12",
    ]


def test_everything_that_is_played_must_have_a_sound_and_whole_texts_need_none() -> None:
    sounds = list(load(flow(OWED)).all_prompts())
    names = {f"{one.language}/{one.flow}/{one.name}" for one in sounds}
    assert len(names) == len(sounds)
    assert {"en/test/owed.1", "es/test/owed.2", "en/test/ask", "es/words/libra-1", "en/words/minus"} <= names
    assert not any(one.name == "owed" for one in sounds)


def test_a_question_may_speak_values_and_is_worked_out_when_it_is_asked() -> None:
    text = flow("{en: '{rank} calls', es: '{rank} llamadas'}", "{menu: [owed, ask], keys: {1: begin, 2: bye}}")
    first, again = walk(load(text), [Gathered("1", "full")])
    for step in (first, again):
        assert isinstance(step.verb, Gather)
        assert heard(step.verb.prompts) == ["number 3", "owed.1: calls", "ask: ask"]


def test_a_value_that_is_not_there_breaks_the_node() -> None:
    text = flow("{en: 'by {customer.name|spelled}', es: x}", frame="start: begin\non_failure: bye")
    step = answered(load(text.replace("nodes:\n", "nodes:\n  who: {lookup: crm, next: begin}\n")))
    assert step.entered[-1] == "bye"
    assert "tell" in step.faults[0]


def test_a_constant_speech_is_one_object_for_every_call() -> None:
    text = flow("{en: hello, es: hola}")
    one, other = (answered(load_).verb for load_ in [load(text)] * 2)
    assert isinstance(one, Play)
    assert isinstance(other, Play)
    assert one.prompts is other.prompts


def test_braces_are_written_twice() -> None:
    step = answered(load(flow("{en: 'a {{b}} c', es: x}")))
    assert isinstance(step.verb, Play)
    assert heard(step.verb.prompts) == ["owed: a {b} c"]


REFUSED = [
    ("{rank|ordnal}", "unknown-say-kind", 1, "ordinal"),
    ("{due}", "say-how", 1, "{due|digits}"),
    ("{vip}", "say-how", 1, "branch"),
    ("{due|money GBP}", "say-type", 1, "double(due)"),
    ("{amount|money}", "no-currency", 1, "currency: GBP"),
    ("{amount|money GPB}", "cannot-say", 1, "GBP"),
    ("{rank|date f}", "say-detail", 1, ""),
    ("{ranck}", "unknown-variable", 1, "rank"),
    ("{pin|digits}", "secret-used", 1, ""),
    ("{rank", "text-syntax", 0, "{{"),
    ("{rank + 1}", "text-syntax", 0, "{amount|money}"),
    ("}", "text-syntax", 0, "}}"),
]


@pytest.mark.parametrize(("value", "code", "inside", "hint"), REFUSED)
def test_a_fault_in_a_text_is_found_at_its_place(value: str, code: str, inside: int, hint: str) -> None:
    text = flow(f"{{en: 'So: {value}', es: x}}").replace(
        "nodes:\n", "nodes:\n  key: {gather: ask, save: pin, secret: true, max_digits: 4, next: bye}\n"
    )
    finding = next(one for one in faults_of(text) if one.code == code)
    line = text.splitlines()[finding.line - 1]
    assert finding.column == line.index("So: ") + len("So: ") + inside + 1
    assert hint in finding.hint


def test_a_language_that_cannot_say_a_kind_is_found_when_the_flow_loads() -> None:
    text = flow("{en: x, it: 'il {rank|ordinal}'}").replace("[en, es]", "[en, it]").replace("es: ask", "it: ask")
    assert [one.code for one in faults_of(text)] == ["cannot-say"]


def test_money_without_a_currency_is_that_of_the_flow() -> None:
    step = answered(load(flow("{en: '{amount|money}', es: x}", frame="currency: EUR")))
    assert isinstance(step.verb, Play)
    assert "euro-other: euros" in heard(step.verb.prompts)


@pytest.mark.parametrize(
    "what", ["{number: 1, currency: GBP}", "{money: 1, gender: f}", "{date: 12-24, gender: m}"]
)
def test_what_goes_with_another_kind_is_a_fault(what: str) -> None:
    assert [one.code for one in faults_of(flow("{en: x, es: y}", f"{{say: {what}, next: bye}}"))] == [
        "unfit-option"
    ]


# languages that stand in for others


def fallback_flow(texts: str, fallback: str) -> str:
    return flow(texts, frame=f"fallback: {fallback}").replace("[en, es]", "[pt, en, es]")


def test_a_language_without_a_text_takes_that_of_its_fallback() -> None:
    step = answered(load(fallback_flow("{en: hello, es: 'debe {rank|ordinal}'}", "{pt: es}")))
    assert isinstance(step.verb, Play)
    assert {one.language for one in step.verb.prompts} == {"es"}
    assert heard(step.verb.prompts) == ["owed.1: debe", "ordinal-3: tercero"]


def test_a_text_of_its_own_is_taken_first() -> None:
    step = answered(load(fallback_flow("{en: hello, es: hola, pt: ola}", "{pt: es}")))
    assert isinstance(step.verb, Play)
    assert heard(step.verb.prompts) == ["owed: ola"]


FALLBACK_FAULTS = [
    ("{}", {"missing-prompt"}),
    ("{en: es}", {"missing-prompt"}),
    ("{pt: fr}", {"unknown-language", "missing-prompt"}),
    ("{fr: es}", {"unknown-language", "missing-prompt"}),
    ("{pt: en, en: pt}", {"fallback-loop"}),
    ("{pt: pt}", {"fallback-loop", "missing-prompt"}),
]


@pytest.mark.parametrize(("fallback", "codes"), FALLBACK_FAULTS)
def test_without_a_declaration_a_missing_text_stays_a_fault(fallback: str, codes: set[str]) -> None:
    assert {one.code for one in faults_of(fallback_flow("{en: hello, es: hola}", fallback))} == codes


def test_no_flow_has_the_name_of_the_words() -> None:
    assert "reserved-name" in {one.code for one in faults_of(flow("{en: x, es: y}").replace("test", "words"))}


# splitting


def test_signs_around_a_value_are_not_words() -> None:
    assert split_text("({a|digits}), {b}! Bye.") == (
        ValueAt("a", "digits", "", 1),
        ValueAt("b", "", "", 14),
        Words("Bye."),
    )


@pytest.mark.parametrize("text", ["{A}", "{a|}", "{a|b c d}", "{a b}", "{}", "{a", "a}", "{a{b}}"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(TextRefused):
        split_text(text)


# keys while something is played


def test_a_key_stops_a_prompt_and_answers_the_next_question() -> None:
    text = flow("{en: hello, es: hola}", "{play: owed, next: menu}").replace(
        "  bye:", "  menu: {menu: ask, keys: {1: one, 2: bye}}\n  one: {play: owed, next: bye}\n  bye:"
    )
    steps = walk(load(text), [Interrupted("1")])
    assert isinstance(steps[0].verb, Play)
    assert steps[0].verb.keys
    assert steps[1].entered == ("menu", "one")
    assert isinstance(steps[1].verb, Play)


def test_to_a_caller_who_has_keyed_on_nothing_more_is_played() -> None:
    text = flow("{en: hello, es: hola}", "{play: owed, next: more}").replace(
        "  bye:", "  more: {play: ask, next: count}\n  count: {say: {number: 1}, next: bye}\n  bye:"
    )
    steps = walk(load(text), [Interrupted("1")])
    assert steps[1].entered == ("more", "count", "bye")


def test_without_barge_in_it_is_played_to_its_end() -> None:
    text = flow("{en: hello, es: hola}", "{play: owed, barge_in: false, next: more}").replace(
        "  bye:", "  more: {say: {number: 1}, barge_in: false, next: bye}\n  bye:"
    )
    first, second = walk(load(text), [Done()])
    assert isinstance(first.verb, Play)
    assert second.verb == Play((Say("number", "1", "en"),), keys=False)
    assert not first.verb.keys
