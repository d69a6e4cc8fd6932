"""The rules which hold for every flow: answering, faults, loops, coming back after a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cordboard.errors import FlowError
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.outcomes import (
    Connected,
    Done,
    Failed,
    Gathered,
    HungUp,
    Interrupted,
    NoInput,
    NotConnected,
    NotLookedUp,
    Outcome,
)
from cordboard.telephony.ports import Arrival
from cordboard.telephony.verbs import Answer, Dial, Gather, Hangup, Play, VoicemailBox
from tests.doubles.flow_kit import CALL, NOON, answered, flow_of, walk
from tests.doubles.scripted_phone import ScriptedPhone

# answering


def verbs_of(flow_text: str, head: str, outcomes: list[Outcome]) -> list[str]:
    step = FlowRun.begin(flow_of(flow_text, head=head), CALL).start(NOON)
    verbs = [type(step.verb).__name__]
    for outcome in outcomes:
        step = step.run.advance(outcome, NOON)
        verbs.append(type(step.verb).__name__)
    return verbs


@pytest.mark.parametrize(
    ("answer", "nodes", "outcomes", "verbs"),
    [
        ("first_media", "a: {play: hello, next: bye}", [Done(), Done()], ["Answer", "Play", "Hangup"]),
        ("first_media", "a: {dial: '0', otherwise: b}\nb: {play: sorry, next: bye}",
         [NotConnected("busy"), Done(), Done()], ["Dial", "Answer", "Play", "Hangup"]),
        ("first_media", "a: {dial: '0', next: b}\nb: {play: sorry, next: bye}",
         [Connected(1), Done()], ["Dial", "Play", "Hangup"]),
        ("first_media", "a: {hangup: busy}", [], ["Hangup"]),
        ("first_media", "a: {voicemail: sales}", [Done()], ["Answer", "Record"]),
        ("at_once", "a: {dial: '0', otherwise: bye}", [Done()], ["Answer", "Dial"]),
        ("at_once", "a: {set: {x: 1}, next: b}\nb: {goto: bye}", [Done()], ["Answer", "Hangup"]),
        ("never", "a: {play: hello, next: bye}", [Done()], ["Play", "Hangup"]),
    ],
)  # fmt: skip
def test_when_a_call_is_answered(answer: str, nodes: str, outcomes: list[Outcome], verbs: list[str]) -> None:
    assert verbs_of(nodes, f"answer: {answer}", outcomes) == verbs


def test_nodes_are_entered_once_although_answering_comes_between() -> None:
    first = FlowRun.begin(flow_of("a: {goto: b}\nb: {play: hello, next: bye}"), CALL).start(NOON)
    assert (first.verb, first.entered, first.run.phase) == (Answer(), ("a", "b"), "answering")
    second = first.run.advance(Done(), NOON)
    assert (type(second.verb), second.entered, second.run.answered) == (Play, (), True)


def test_the_language_asked_for_is_spoken_if_the_flow_can() -> None:
    flow = flow_of("a: {play: hello, next: bye}")
    assert FlowRun.begin(flow, CALL, "es").language == "es"
    assert FlowRun.begin(flow, CALL, "fr").language == "en"
    assert FlowRun.begin(flow, CALL).language == "en"


# faults

PLAIN = "a: {play: hello, next: bye}\nsafe: {play: sorry, next: bye}"


def test_a_failed_verb_goes_to_on_failure_once() -> None:
    flow = flow_of(PLAIN, head="on_failure: safe")
    _, at_safe, over = walk(flow, [Failed("no such file"), Failed("again")])
    assert at_safe.entered == ("safe",)
    assert at_safe.faults == ("a: no such file",)
    assert at_safe.run.failing
    assert (over.verb, over.finish, over.faults) == (None, Finish("failed"), ("safe: again",))


def test_without_on_failure_a_fault_ends_the_run() -> None:
    over = walk(flow_of(PLAIN), [Failed("x")])[-1]
    assert (over.verb, over.finish) == (None, Finish("failed"))


def test_a_fault_on_the_way_is_reported_with_its_node() -> None:
    flow = flow_of('a: {branch: [{if: "int(call.caller_name) > 0", then: bye}], else: bye}', head="on_failure: bye")
    step = answered(flow)
    assert step.entered == ("a", "bye")
    assert step.faults[0].startswith("a: ")


def test_an_outcome_no_verb_of_the_node_can_have_is_a_fault() -> None:
    assert walk(flow_of(PLAIN), [NoInput()])[-1].finish == Finish("failed")
    starting = FlowRun.begin(flow_of(PLAIN), CALL).start(NOON)
    assert starting.run.advance(NoInput(), NOON).finish == Finish("failed")


def test_a_loop_that_asks_nothing_is_a_fault_and_not_endless() -> None:
    loop = """
    a: {branch: [{if: "call.dnis == ''", then: safe}], else: b}
    b: {goto: a}
    safe: {play: sorry, next: bye}
    """
    step = answered(flow_of(loop, head="on_failure: safe"))
    assert len(step.entered) == 101
    assert step.entered[-1] == "safe"
    assert "loop" in step.faults[0]
    assert answered(flow_of(loop)).finish == Finish("failed")
    assert answered(flow_of(loop, head="on_failure: b")).finish == Finish("failed")


def test_flows_that_send_the_call_to_each_other_end() -> None:
    one = flow_of("a: {goto: {flow: billing}}")
    run, hops = FlowRun.begin(one, CALL), 0
    step = run.start(NOON)
    while step.finish == Finish("other_flow", "billing"):
        step, hops = step.run.into(one).start(NOON), hops + 1
        assert hops < 50
    assert step.finish == Finish("failed")


def test_another_flow_keeps_what_belongs_to_the_call() -> None:
    step = walk(
        flow_of("a: {play: hello, next: b}\nb: {language: es, next: c}\nc: {goto: {flow: billing}}"), [Done()]
    )[-1]
    run = step.run.into(flow_of("a: {play: hello, next: bye}"))
    assert (run.language, run.answered, run.seq, run.variables, run.finish) == ("es", True, 1, {}, None)
    assert isinstance(run.start(NOON).verb, Play)


def test_keys_typed_ahead_are_for_the_next_question_and_for_no_later_one() -> None:
    flow = flow_of(
        """
        a: {play: hello, next: b}
        b: {lookup: crm, next: c, on_error: c}
        c: {dial: "1001", next: d, otherwise: d}
        d: {play: hello, next: bye}
        """
    )
    _, looking, dialling, after = walk(flow, [Interrupted("12"), NotLookedUp("late"), Connected(3)])
    assert (looking.run.typed, dialling.run.typed, after.run.typed) == ("12", "", "")
    many = looking.run.with_typed("9" * 100)
    assert len(many.typed) == 64
    assert "typed" not in repr(looking.run)


def test_the_service_can_fail_a_run() -> None:
    flow = flow_of(PLAIN, head="on_failure: safe")
    assert answered(flow).run.fail("the store is down", NOON).entered == ("safe",)


# the end


def test_after_a_hang_up_nothing_is_asked() -> None:
    over = walk(flow_of(PLAIN, head="on_failure: safe"), [HungUp()])[-1]
    assert (over.verb, over.finish) == (None, Finish("hung_up"))
    for step in (
        over.run.advance(Done(), NOON),
        over.run.advance(Failed("x"), NOON),
        over.run.resume(NOON),
        over.run.resume_with(Connected(1), NOON),
        over.run.fail("x", NOON),
    ):
        assert (step.verb, step.finish) == (None, Finish("hung_up"))


def test_seq_counts_verbs() -> None:
    steps = walk(flow_of("a: {play: hello, next: b}\nb: {goto: c}\nc: {play: hello, next: bye}"), [Done(), Done()])
    assert [step.run.seq for step in steps] == [1, 2, 3]


def test_kept_at_is_the_step_that_last_changed_what_must_be_kept() -> None:
    flow = flow_of(
        """
        a: {play: hello, next: b}
        b: {gather: ask, save: n, next: c}
        c: {play: hello, next: d}
        d: {gather: ask, save: pin, secret: true, next: e}
        e: {play: hello, next: bye}
        """
    )
    digits = Gathered("12", "full")
    steps = walk(flow, [Done(), digits, Done(), digits, Done()])
    assert [step.run.kept_at for step in steps] == [0, 0, 3, 3, 5, 5]


# coming back

ASKING = """
    a: {menu: ask, keys: {1: b}, no_input: {tries: 3, then: bye}}
    b: {gather: ask, save: pin, secret: true, next: c}
    c: {gather: ask, save: n, next: d}
    d: {dial: "1001", next: e, otherwise: bye}
    e: {play: hello, next: bye}
"""


def restored(step: Step) -> FlowRun:
    snapshot: dict[str, Any] = json.loads(json.dumps(step.run.snapshot()))
    return FlowRun.restore(step.run.flow, CALL, snapshot)


def test_a_resumed_node_begins_again_with_its_attempts() -> None:
    step = walk(flow_of(ASKING), [NoInput(), NoInput()])[-1]
    again = restored(step).resume(NOON)
    assert isinstance(again.verb, Gather)
    assert again.run.attempts == (2, 0)
    assert again.entered == ()
    assert again.run.seq == step.run.seq + 1
    assert again.run.advance(NoInput(), NOON).entered == ("bye",)


def test_a_resumed_voicemail_greets_again() -> None:
    flow = flow_of("a: {voicemail: sales, greeting: hello}")
    recording = walk(flow, [Done()])[-1]
    assert isinstance(restored(recording).resume(NOON).verb, Play)


def test_a_call_lost_while_it_was_answered_is_answered_again() -> None:
    first = FlowRun.begin(flow_of(PLAIN), CALL).start(NOON)
    assert restored(first).resume(NOON).verb == Answer()


def test_a_run_that_held_a_secret_goes_back_to_the_gather_that_asked() -> None:
    step = walk(flow_of(ASKING), [Gathered("1", "full"), Gathered("9876", "full")])[-1]
    assert step.run.node == "c"
    run = restored(step)
    assert (run.node, run.secrets, run.attempts) == ("b", {}, (0, 0))
    assert isinstance(run.resume(NOON).verb, Gather)


def test_nobody_is_asked_for_a_pin_behind_a_conversation() -> None:
    digits = Gathered("1", "full")
    dialling = walk(flow_of(ASKING), [digits, digits, digits])[-1]
    assert isinstance(dialling.verb, Dial)
    step = restored(dialling).resume_with(Connected(30), NOON)
    assert step.entered == ("e",)
    assert step.run.answered


def test_what_a_handed_over_dial_came_to_is_taken_at_any_later_time() -> None:
    flow = flow_of("a: {dial: '0', busy: b, otherwise: bye}\nb: {play: sorry, next: bye}")
    dialling = FlowRun.begin(flow, CALL).start(NOON)
    assert restored(dialling).resume_with(NotConnected("busy"), NOON).entered == ("b",)
    assert restored(dialling).resume_with(HungUp(), NOON).finish == Finish("hung_up")
    assert isinstance(restored(dialling).resume(NOON).verb, Dial), "without an outcome it is dialled again"


def test_an_outcome_that_comes_back_to_another_node_only_resumes_it() -> None:
    step = restored(answered(flow_of(PLAIN))).resume_with(Connected(3), NOON)
    assert isinstance(step.verb, Play)
    assert step.faults == ()


def test_variables_come_from_the_snapshot_and_the_place_from_the_channel() -> None:
    flow = flow_of("a: {gather: ask, save: n, next: b}\nb: {play: hello, next: c}\nc: {play: ask, next: bye}")
    _, at_b, at_c = walk(flow, [Gathered("12", "full"), Done()])
    run = FlowRun.restore(flow, CALL, at_b.run.snapshot(), at=parse_checkpoint(at_c.run.checkpoint()))
    assert run == at_c.run


def test_a_checkpoint_alone_is_enough_while_nothing_is_kept() -> None:
    flow = flow_of(ASKING)
    step = walk(flow, [NoInput()])[-1]
    run = FlowRun.from_checkpoint(flow, CALL, parse_checkpoint(step.run.checkpoint()))
    assert run == step.run
    assert run.kept_at == 0


def test_a_new_revision_goes_on_if_it_still_has_the_node() -> None:
    old = flow_of("a: {gather: ask, save: n, next: b}\nb: {play: hello, next: bye}\nx: {set: {m: 1}, next: b}")
    new = flow_of("a: {set: {n: 1}, next: b}\nb: {play: again, next: bye}\nx: {set: {m: 1}, next: b}")
    snapshot = walk(old, [Gathered("12", "full")])[-1].run.snapshot() | {"language": "fr"}
    run = FlowRun.restore(new, CALL, snapshot)
    assert (run.node, run.variables, run.language) == ("b", {}, "en")
    without = flow_of("a: {play: hello, next: bye}")
    with pytest.raises(FlowError, match="no such node"):
        FlowRun.restore(without, CALL, snapshot)


def test_what_does_not_fit_is_refused() -> None:
    flow = flow_of(PLAIN)
    run = answered(flow).run
    place = parse_checkpoint(run.checkpoint())
    other_call = replace(CALL, call_id="01OTHER")
    with pytest.raises(FlowError, match="another call"):
        FlowRun.restore(flow, other_call, run.snapshot())
    with pytest.raises(FlowError, match="another call"):
        FlowRun.from_checkpoint(flow, other_call, place)
    with pytest.raises(FlowError, match="in flow test"):
        FlowRun.from_checkpoint(replace(flow, name="other"), CALL, place)
    with pytest.raises(FlowError, match="another version"):
        FlowRun.restore(flow, CALL, {**run.snapshot(), "version": 99})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "junk",
        "2:x:test:0123456789ab:a::0.0:en:00:1:0",
        "1:x:test:0123456789ab:a::0.0:en:00:1",
        "1:x:test:0123456789ab:a::0:en:00:1:0",
        "1:x y:test:0123456789ab:a::0.0:en:00:1:0",
        "1:x:../a:0123456789ab:a::0.0:en:00:1:0",
        "1:x:test:0123456789ab:a::0.0:en:00:1:0\n",
        "1:x:test:0123456789ab:a::0.0:en:00:١:0",
        "1:" + "x" * 600,
    ],
)
def test_a_checkpoint_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        parse_checkpoint(text)


def test_a_call_that_was_about_to_end_is_not_dialled_again() -> None:
    flow = flow_of('a: {dial: "0", otherwise: bye}')
    ending = walk(flow, [Connected(60)])[-1]
    assert ending.verb == Hangup()
    again = restored(ending).resume(NOON)
    assert again.verb == Hangup()
    assert again.run.advance(HungUp(), NOON).finish == Finish("hung_up")
    assert again.run.advance(Done(), NOON).finish == Finish("failed")


def test_the_message_left_in_the_pbx_is_not_taken_twice() -> None:
    flow = flow_of("a: {voicemail: office, greeting: hello, next: b}\nb: {play: hello, next: bye}")
    recording = walk(flow, [Done()])[-1]
    assert recording.verb == VoicemailBox("100@default")
    assert restored(recording).resume_with(Done(), NOON).entered == ("b",)


# together with a phone


async def test_a_whole_call_on_a_phone() -> None:
    flow = flow_of(ASKING)
    script = [NoInput(), Gathered("1", "full"), Gathered("9876", "end_key"), Gathered("5", "timeout"), Connected(9)]
    phone = ScriptedPhone(Arrival(CALL), script)
    step = FlowRun.begin(flow, CALL).start(NOON)
    while step.verb:
        outcome = await phone.perform(step.verb, step.run.checkpoint())
        assert not isinstance(outcome, type(None))
        step = step.run.advance(outcome, NOON)  # type: ignore[arg-type]
    assert step.finish == Finish("hung_up")
    assert [type(verb).__name__ for verb in phone.performed] == [
        "Answer", "Gather", "Gather", "Gather", "Gather", "Dial", "Play", "Hangup"
    ]  # fmt: skip
    assert phone.performed[-1] == Hangup()
    assert not any("9876" in checkpoint for checkpoint in phone.checkpoints)
