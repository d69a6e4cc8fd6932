"""What each node type asks of the call, and where each outcome leads."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import Connected, Done, Gathered, NoInput, NotConnected, Outcome, Recorded
from cordboard.telephony.verbs import Dial, Extension, Gather, Hangup, Play, Record, Say, VoicemailBox
from tests.doubles.flow_kit import CALL, NOON, answered, faults_of, flow_of, text_of, walk


def names(prompts: tuple) -> list[str]:
    return [f"{prompt.name} {prompt.language}" for prompt in prompts]


def keys(digits: str) -> Gathered:
    return Gathered(digits, "full")


# play and say


def test_play_plays_in_order_and_goes_on() -> None:
    first, second = walk(flow_of("a: {play: [hello, ask], next: bye}"), [Done()])
    assert isinstance(first.verb, Play)
    assert names(first.verb.prompts) == ["hello en", "ask en"]
    assert first.verb.prompts[0].text == "hello en"
    assert first.entered == ("a",)
    assert second.verb == Hangup()
    assert second.entered == ("bye",)


@pytest.mark.parametrize(
    ("what", "verb"),
    [
        ("{number: 42}", Say("number", "42", "en")),
        ("{number: -7}", Say("number", "-7", "en")),
        ('{number: {cel: "2 + 3"}}', Say("number", "5", "en")),
        ("{digits: 0123}", Say("digits", "0123", "en")),
        ("{digits: {cel: call.dnis}}", Say("digits", "5000", "en")),
        ("{digits: {cel: call.ani}}", Say("digits", "442079460123", "en")),
        ("{spelled: 'AB 12'}", Say("spelled", "AB12", "en")),
        ("{date: 2026-12-24}", Say("date", "1798113600", "en", "Europe/London")),
        ("{date: {cel: now}}", Say("date", str(int(NOON.timestamp())), "en", "Europe/London")),
        ("{time: 9:30}", Say("time", "1795426200", "en", "Europe/London")),
        ('{time: {cel: "int(now) + 60"}}', Say("time", str(int(NOON.timestamp()) + 60), "en", "Europe/London")),
    ],
)
def test_say(what: str, verb: Say) -> None:
    flow = flow_of(f"a: {{say: {what}, next: bye}}", head="zone: Europe/London")
    first, second = walk(flow, [Done()])
    assert first.verb == Play((verb,), keys=True)
    assert second.entered == ("bye",)


def test_a_date_is_said_at_noon_and_a_time_today_of_the_zone() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    late = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # the 24th in Tokyo
    flow = flow_of(
        "a: {say: {time: '8:00'}, next: b}\nb: {say: {date: 2026-11-24}, next: bye}", head="zone: Asia/Tokyo"
    )
    first, second = walk(flow, [Done()], late)
    assert moment_of(first) == datetime(2026, 11, 24, 8, 0, tzinfo=zone)
    assert moment_of(second) == datetime(2026, 11, 24, 12, 0, tzinfo=zone)


def moment_of(step: Step) -> datetime:
    """The moment that is said."""
    assert isinstance(step.verb, Play)
    (said,) = step.verb.prompts
    assert isinstance(said, Say)
    return datetime.fromtimestamp(int(said.value), UTC)


def test_no_digits_are_said_as_nothing() -> None:
    assert answered(flow_of("a: {say: {digits: {cel: \"''\"}}, next: bye}")).entered == ("a", "bye")


@pytest.mark.parametrize(
    "what", ["{digits: {cel: \"'1a'\"}}", '{number: {cel: "1000000000"}}', "{spelled: {cel: \"'äß'\"}}"]
)
def test_what_cannot_be_said_is_a_fault(what: str) -> None:
    step = answered(flow_of(f"a: {{say: {what}, next: bye}}", head="on_failure: bye"))
    assert step.entered == ("a", "bye")
    assert "44207" not in step.faults[0]


# menu


MENU = """
    a:
      menu: ask
      keys: {1: b, 12: c, "*": a}
      no_input: {after_s: 7, tries: 3, say: hello, then: d}
      no_match: {tries: 2, say: [again, sorry], then: e}
    b: {play: hello, next: bye}
    c: {play: hello, next: bye}
    d: {play: hello, next: bye}
    e: {play: hello, next: bye}
"""


def test_a_menu_asks_once_with_what_it_was_told() -> None:
    verb = answered(flow_of(MENU)).verb
    assert isinstance(verb, Gather)
    assert names(verb.prompts) == ["ask en"]
    assert (verb.max_digits, verb.first_digit_s, verb.inter_digit_s) == (2, 7.0, 2.0)
    assert (verb.end_key, verb.barge_in, verb.secret) == ("", True, False)


@pytest.mark.parametrize(("digits", "node"), [("1", "b"), ("12", "c"), ("*", "a")])
def test_a_key_leads_to_its_node(digits: str, node: str) -> None:
    assert walk(flow_of(MENU), [keys(digits)])[-1].entered == (node,)


def test_silence_and_wrong_keys_are_counted_apart() -> None:
    steps = walk(flow_of(MENU), [NoInput(), keys("9"), NoInput(), NoInput()])
    assert [step.run.attempts for step in steps[:4]] == [(0, 0), (1, 0), (1, 1), (2, 1)]
    assert [names(step.verb.prompts) for step in steps[1:4]] == [  # type: ignore[union-attr]
        ["hello en", "ask en"],
        ["again en", "sorry en", "ask en"],
        ["hello en", "ask en"],
    ]
    assert steps[4].entered == ("d",)
    assert steps[4].run.attempts == (0, 0)
    assert walk(flow_of(MENU), [keys("9"), keys("")])[-1].entered == ("e",)


def test_giving_up_without_then_is_a_fault() -> None:
    menu = "a: {menu: ask, keys: {1: bye}, no_input: {tries: 1}}"
    step = walk(flow_of(menu, head="on_failure: bye"), [NoInput()])[-1]
    assert step.entered == ("bye",)
    assert step.faults == ("a: no input after 1 tries",)
    assert walk(flow_of(menu), [NoInput()])[-1].finish == Finish("failed")


# gather


def test_a_gather_keeps_digits_as_text() -> None:
    flow = flow_of("a: {gather: ask, save: account, min_digits: 2, max_digits: 4, next: bye}")
    first, second = walk(flow, [keys("007")])
    assert isinstance(first.verb, Gather)
    assert (first.verb.max_digits, first.verb.first_digit_s, first.verb.inter_digit_s) == (4, 5.0, 3.0)
    assert (first.verb.end_key, first.verb.barge_in) == ("#", True)
    assert second.run.variables == {"account": "007"}
    assert second.entered == ("bye",)


@pytest.mark.parametrize("digits", ["", "1", "12345"])
def test_too_few_or_too_many_digits_are_no_match(digits: str) -> None:
    flow = flow_of(
        """
        a:
          gather: ask
          save: n
          min_digits: 2
          max_digits: 4
          no_match: {say: again, tries: 2, then: bye}
          next: b
        b: {play: hello, next: bye}
        """
    )
    _, again, gone = walk(flow, [keys(digits), keys(digits)])
    assert isinstance(again.verb, Gather)
    assert names(again.verb.prompts) == ["again en", "ask en"]
    assert again.run.variables == {}
    assert gone.entered == ("bye",)


def test_no_digits_at_all_can_be_allowed() -> None:
    flow = flow_of("a: {gather: ask, save: n, min_digits: 0, next: bye}")
    assert walk(flow, [Gathered("", "end_key")])[-1].run.variables == {"n": ""}


def test_first_digit_time_of_its_own() -> None:
    flow = flow_of("a: {gather: ask, save: n, first_digit_s: 9, inter_digit_s: 1.5, end_key: '', next: bye}")
    verb = answered(flow).verb
    assert isinstance(verb, Gather)
    assert (verb.first_digit_s, verb.inter_digit_s, verb.end_key) == (9.0, 1.5, "")


def test_secret_digits_are_in_no_variable_no_repr_and_no_snapshot() -> None:
    flow = flow_of(
        "a: {gather: ask, save: pin, secret: true, next: b}\n"
        "b: {branch: [{if: 'size(pin) == 4', then: c}], else: bye}\n"
        "c: {play: hello, next: bye}"
    )
    first, second = walk(flow, [keys("9876")])
    assert isinstance(first.verb, Gather)
    assert first.verb.secret
    assert second.entered == ("b", "c")
    assert second.run.variables == {}
    assert second.run.secrets["pin"].digits == "9876"
    assert "9876" not in repr(second.run.secrets["pin"])
    assert "9876" not in f"{second!r} {second.run.snapshot()} {second.run.checkpoint()}"


# branch, set, hours, language, goto


@pytest.mark.parametrize(("number", "node"), [("5", "small"), ("50", "middle"), ("500", "large")])
def test_the_first_condition_that_holds_decides(number: str, node: str) -> None:
    flow = flow_of(
        """
        a: {gather: ask, save: n, next: b}
        b: {branch: [{if: "int(n) < 10", then: small}, {if: "int(n) < 100", then: middle}], else: large}
        small: {play: hello, next: bye}
        middle: {play: hello, next: bye}
        large: {play: hello, next: bye}
        """
    )
    assert walk(flow, [keys(number)])[-1].entered == ("b", node)


def test_a_condition_that_fails_in_a_call_is_a_fault() -> None:
    flow = flow_of(
        """
        a: {gather: ask, save: n, next: b}
        b: {branch: [{if: "int(n) < 10", then: bye}], else: bye}
        """,
        head="on_failure: bye",
    )
    step = walk(flow, [keys("*7*")])[-1]
    assert step.entered == ("b", "bye")
    assert step.run.failing
    assert step.faults[0].startswith("b: `int(n) < 10`: ")


def test_set_works_from_top_to_bottom_and_counts() -> None:
    flow = flow_of(
        """
        a: {set: {n: 1, share: 0.5, vip: true, note: 9:30}, next: b}
        b: {set: {n: {cel: "n + 1"}, twice: {cel: "n * 2"}, text: {cel: "note + '!'"}}, next: c}
        c: {branch: [{if: "n < 4", then: b}], else: bye}
        """
    )
    step = answered(flow)
    assert step.run.variables == {"n": 4, "share": 0.5, "vip": True, "note": "9:30", "twice": 8, "text": "9:30!"}
    assert type(step.run.variables["share"]) is float
    assert step.entered == ("a", "b", "c", "b", "c", "b", "c", "bye")


@pytest.mark.parametrize(
    ("moment", "node"), [("2026-11-23T09:00+00:00", "bye"), ("2026-11-23T18:00+00:00", "night")]
)
def test_hours(moment: str, node: str) -> None:
    flow = flow_of(
        "a: {hours: {week: {mon-fri: '9:00-17:00'}}, open: bye, closed: night}\nnight: {play: hello, next: bye}"
    )
    assert answered(flow, datetime.fromisoformat(moment)).entered == ("a", node)


def test_hours_take_the_zone_of_the_node_then_of_the_flow() -> None:
    nine_in_tokyo = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    node = "a: {hours: {%s week: {mon: '9:00-10:00'}}, open: bye, closed: night}\nnight: {play: hello, next: bye}"
    assert answered(flow_of(node % "zone: Asia/Tokyo,"), nine_in_tokyo).entered == ("a", "bye")
    assert answered(flow_of(node % "", head="zone: Asia/Tokyo"), nine_in_tokyo).entered == ("a", "bye")
    assert answered(flow_of(node % ""), nine_in_tokyo).entered == ("a", "night")


def test_a_language_holds_from_there_on_and_in_conditions() -> None:
    flow = flow_of(
        """
        a: {language: es, next: b}
        b: {branch: [{if: "call.language == 'es'", then: c}], else: bye}
        c: {play: hello, next: bye}
        """
    )
    step = answered(flow)
    assert isinstance(step.verb, Play)
    assert names(step.verb.prompts) == ["hello es"]
    assert step.run.language == "es"


def test_goto_a_node_and_another_flow() -> None:
    assert answered(flow_of("a: {goto: bye}")).entered == ("a", "bye")
    step = answered(flow_of("a: {goto: {flow: billing}}"))
    assert (step.verb, step.finish) == (None, Finish("other_flow", "billing"))


# dial, voicemail, hangup

DIALLING = """
    a:
      dial: 1001
      ring_s: 15
      busy: on_busy
      next: after
      otherwise: other
    on_busy: {play: hello, next: bye}
    after: {play: hello, next: bye}
    other: {play: hello, next: bye}
"""


@pytest.mark.parametrize(
    ("outcome", "node"),
    [
        (Connected(12.5), "after"),
        (NotConnected("busy"), "on_busy"),
        (NotConnected("no_answer"), "other"),
        (NotConnected("rejected"), "other"),
        (NotConnected("unreachable"), "other"),
    ],
)
def test_dial(outcome: Outcome, node: str) -> None:
    first, second = walk(flow_of(DIALLING), [outcome])
    assert first.verb == Dial((Extension("1001", "PJSIP/1001"),), 15.0)
    assert second.entered == (node,)


def test_dial_without_next_ends_the_call_after_the_conversation() -> None:
    assert walk(flow_of('a: {dial: "0", otherwise: bye}'), [Connected(3)])[-1].verb == Hangup()


def test_dial_without_any_way_for_no_answer_is_a_fault() -> None:
    step = walk(flow_of('a: {dial: "0"}', head="on_failure: bye"), [NotConnected("no_answer")])[-1]
    assert step.entered == ("bye",)
    assert "no_answer" in step.faults[0]


@pytest.mark.parametrize(
    ("digits", "verb"), [("1005", Dial((Extension("1005", "PJSIP/1005"),), 20.0)), ("2001", None), ("#", None)]
)
def test_digits_of_a_caller_are_dialled_only_if_the_policy_allows_them(digits: str, verb: Dial | None) -> None:
    flow = flow_of(
        """
        a: {gather: ask, save: wanted, next: b}
        b: {dial: {extension_from: wanted}, unknown: c, otherwise: bye}
        c: {play: sorry, next: bye}
        """
    )
    step = walk(flow, [keys(digits)])[-1]
    assert step.entered == (("b",) if verb else ("b", "c"))
    assert step.verb == (verb or step.verb)
    assert isinstance(step.verb, Dial) is (verb is not None)


def test_a_message_is_greeted_recorded_and_told_apart() -> None:
    flow = flow_of("a: {voicemail: sales, greeting: hello, max_s: 60, silence_s: 3, next: b}\nb: {goto: a}")
    greet, record, again, second = walk(flow, [Done(), Recorded("/x.wav", 4.0), Done()])
    assert isinstance(greet.verb, Play)
    assert record.verb == Record("sales", f"{CALL.call_id}-2", 60.0, 3.0)
    assert again.entered == ("b", "a")
    assert isinstance(second.verb, Record)
    assert second.verb.file == f"{CALL.call_id}-4"


def test_most_callers_hang_up_after_their_message() -> None:
    step = walk(flow_of("a: {voicemail: sales, next: bye}"), [Recorded("/x.wav", 4.0, hung_up=True)])[-1]
    assert (step.verb, step.finish) == (None, Finish("hung_up"))


def test_a_recording_can_be_found_by_the_next_worker_under_the_same_name() -> None:
    greet, record = walk(flow_of("a: {voicemail: sales, greeting: hello, next: bye}"), [Done()])
    assert greet.run.recording is None
    assert record.run.recording == record.verb
    later = FlowRun.restore(record.run.flow, CALL, record.run.snapshot())
    assert later.recording == record.verb
    assert later.resume_with(Recorded("/x.wav", 4.0), NOON).entered == ("bye",), "not asked for again"
    mailbox = walk(flow_of("a: {voicemail: office, next: bye}"), [])[0]
    assert mailbox.run.recording is None


def test_the_pbx_can_take_the_message() -> None:
    first, second = walk(flow_of("a: {voicemail: office}"), [Done()])
    assert first.verb == VoicemailBox("100@default")
    assert second.verb == Hangup()


def test_what_the_pbx_would_not_keep_to_is_refused() -> None:
    (found,) = faults_of(text_of("a: {voicemail: office, max_s: 60}"))
    assert (found.code, found.message) == (
        "unfit-option",
        "`max_s` means nothing for `office`, a mailbox of the PBX",
    )


@pytest.mark.parametrize(("written", "cause"), [("busy", HangupCause.BUSY), ("", HangupCause.NORMAL)])
def test_hangup(written: str, cause: HangupCause) -> None:
    assert answered(flow_of(f"a: {{hangup: {written}}}")).verb == Hangup(cause)
