"""The `queue` node in a run: what it asks, where each outcome leads, how it comes back; and the path of a call."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cordboard.config.needs_checks import QueueSkills
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.needs import Needs, RelaxStep
from cordboard.telephony.outcomes import AgentRung, Connected, Done, Gathered, HungUp, LeftByKey, NotServed, Served
from cordboard.telephony.verbs import Answer, Enqueue, Hangup, Play
from tests.doubles.flow_kit import AROUND, CALL, NOON, answered, faults_of, flow_of, text_of, walk

PLAIN = "a: {queue: sales, next: b, otherwise: c}\nb: {play: hello, next: bye}\nc: {play: sorry, next: bye}"
OFFER = "01KAJ5Q8XZC3T4V6W7Y8Z9OFFR"
CAUSES = ["no_answer", "busy", "rejected", "unavailable", "unregistered", "declined", "no_key", "left_whisper",
          "withdrawn", "failed"]  # fmt: skip


def rung(result: str) -> AgentRung:
    return AgentRung(OFFER, result, NOON.timestamp() if result == "joined" else None, NOON.timestamp())


def restored(step: Step) -> FlowRun:
    """The run as another worker finds it."""
    snapshot = json.loads(json.dumps(step.run.snapshot()))
    return FlowRun.restore(step.run.flow, CALL, snapshot, at=parse_checkpoint(step.run.checkpoint()))


def bare(flow: Flow, step: Step) -> FlowRun:
    """The run as another worker finds it by what the channel carries alone."""
    return FlowRun.from_checkpoint(flow, CALL, parse_checkpoint(step.run.checkpoint()))


# what is asked


def test_a_queue_is_asked_for_in_the_callers_language() -> None:
    nodes = "es: {language: es, next: a}\na: {queue: sales, priority: 10, max_wait_s: 120}"
    assert answered(flow_of(nodes)).verb == Enqueue("sales", "es", 10, 120.0)
    assert answered(flow_of("a: {queue: support}")).verb == Enqueue("support", "en", 0, None)


def test_the_call_is_answered_before_it_waits() -> None:
    first = FlowRun.begin(flow_of(PLAIN), CALL).start(NOON)
    assert first.verb == Answer()
    second = first.run.advance(Done(), NOON)
    assert second.verb == Enqueue("sales", "en")
    assert second.run.awaits_return


def test_a_call_never_to_be_answered_waits_unanswered_until_an_agent_takes_it() -> None:
    flow = flow_of(PLAIN, head="answer: never")
    step = FlowRun.begin(flow, CALL).start(NOON)
    assert step.verb == Enqueue("sales", "en")
    assert not step.run.answered
    assert step.run.resume_with(rung("joined"), NOON).run.answered


def test_the_identity_is_what_the_flow_has_confirmed() -> None:
    node = "a: {queue: sales, identity: {cel: \"call.ani != '' ? 'customer ' + call.ani : ''\"}}"
    verb = answered(flow_of(node)).verb
    assert isinstance(verb, Enqueue) and verb.identity == f"customer {CALL.ani}"
    assert CALL.ani not in repr(verb)


@pytest.mark.parametrize(
    ("identity", "code"),
    [("{cel: 1 + 1}", "expression-type"), ("ada", "wrong-type"), ("{cel: nobody}", "unknown-variable")],
)
def test_an_identity_is_a_text_that_is_worked_out(identity: str, code: str) -> None:
    assert [fault.code for fault in faults_of(text_of(f"a: {{queue: sales, identity: {identity}}}"))] == [code]


# where outcomes lead


@pytest.mark.parametrize("outcome", [Served("alice"), rung("joined")], ids=["served", "joined"])
def test_after_a_talk_the_flow_goes_on(outcome: object) -> None:
    step = walk(flow_of(PLAIN), [outcome])[-1]
    assert step.entered == ("b",)
    assert isinstance(step.verb, Play)


def test_without_next_the_call_ends_after_a_talk() -> None:
    assert walk(flow_of("a: {queue: sales}"), [rung("joined")])[-1].verb == Hangup()


@pytest.mark.parametrize("cause", CAUSES)
def test_a_caller_whose_agent_did_not_take_the_call_waits_on(cause: str) -> None:
    first, second = walk(flow_of(PLAIN), [rung(cause)])
    assert second.verb == first.verb
    assert second.entered == ()
    assert second.run.place == first.run.place


@pytest.mark.parametrize("reason", ["max_wait", "no_store"])
def test_a_caller_nobody_served_goes_otherwise(reason: str) -> None:
    assert walk(flow_of(PLAIN), [NotServed(reason)])[-1].entered == ("c",)


WAYS = """
a:
  queue: sales
  keys: {9: b}
  step_out: {1: d}
  held_for_s: 90
  full: b
  overflow: d
  otherwise: c
b: {play: hello, next: bye}
c: {play: sorry, next: bye}
d: {play: ask, next: a}
"""


def test_the_queue_is_told_which_keys_lead_out_of_it() -> None:
    verb = answered(flow_of(WAYS)).verb
    assert verb == Enqueue("sales", "en", exit_keys="9", step_out_keys="1", held_for_s=90.0)


@pytest.mark.parametrize(
    ("reason", "node"),
    [("full", "b"), ("overflow", "d"), ("empty", "c"), ("closed", "c"), ("max_wait", "c"), ("no_store", "c")],
)
def test_each_way_out_may_have_a_node_of_its_own(reason: str, node: str) -> None:
    assert walk(flow_of(WAYS), [NotServed(reason)])[-1].entered == (node,)  # type: ignore[arg-type]


def test_keys_lead_out_and_whoever_steps_out_comes_back_to_the_same_question() -> None:
    assert walk(flow_of(WAYS), [LeftByKey("9")])[-1].entered == ("b",)
    waiting, told, again = walk(flow_of(WAYS), [LeftByKey("1", keeps_place=True), Done()])
    assert told.entered == ("d",)
    assert again.entered == ("a",)
    assert again.verb == waiting.verb


def test_a_key_that_a_newer_revision_does_not_know_is_a_fault() -> None:
    assert walk(flow_of(PLAIN), [LeftByKey("9")])[-1].finish == Finish("failed")


def test_without_otherwise_on_failure_takes_over() -> None:
    step = walk(
        flow_of("a: {queue: sales}\nb: {play: sorry, next: bye}", "on_failure: b"), [NotServed("max_wait")]
    )[-1]
    assert step.entered == ("b",)
    assert step.faults == ("a: no agent came (max_wait), and `otherwise` is not given",)


def test_a_caller_who_leaves_is_gone() -> None:
    assert walk(flow_of(PLAIN), [HungUp()])[-1].finish == Finish("hung_up")


def test_an_outcome_of_another_verb_is_a_fault() -> None:
    assert walk(flow_of(PLAIN), [Connected(3)])[-1].finish == Finish("failed")


# coming back


@pytest.mark.parametrize("come_back", [restored, lambda step: bare(step.run.flow, step)], ids=["store", "channel"])
def test_any_worker_takes_what_came_of_an_offer(come_back) -> None:
    waits = answered(flow_of(PLAIN))
    assert come_back(waits).resume_with(rung("joined"), NOON).entered == ("b",)
    assert come_back(waits).resume_with(rung("busy"), NOON).verb == waits.verb
    assert come_back(waits).resume_with(HungUp(), NOON).finish == Finish("hung_up")
    assert come_back(waits).resume(NOON).verb == waits.verb, "without an outcome it waits on"


def test_nobody_is_asked_for_a_pin_again_in_the_middle_of_a_queue() -> None:
    nodes = "ask: {gather: ask, save: pin, secret: true, next: a}\na: {queue: sales, next: bye}"
    waits = walk(flow_of(nodes), [Gathered("1234", "full")])[-1]
    assert isinstance(restored(waits).resume(NOON).verb, Enqueue)


# faults


@pytest.mark.parametrize(
    ("node", "place", "code", "hint"),
    [
        ("{queue: salse}", (10, 14), "unknown-queue", "did you mean `sales`?"),
        ("{queue: zzz}", (10, 14), "unknown-queue", "known: sales, support"),
        ("{queue: sales, next: nowhere}", (10, 27), "unknown-node", "known: a, bye"),
        ("{queue: sales, otherwise: by}", (10, 32), "unknown-node", "did you mean `bye`?"),
        ("{queue: sales, priority: 1.5}", (10, 31), "wrong-type", ""),
        ("{queue: sales, priority: 100}", (10, 31), "out-of-range", ""),
        ("{queue: sales, max_wait_s: 0}", (10, 33), "out-of-range", ""),
        ("{queue: sales, keys: {12: bye}}", (10, 28), "out-of-range", ""),
        ("{queue: sales, step_out: {1: by}}", (10, 35), "unknown-node", "did you mean `bye`?"),
        ("{queue: sales, keys: {1: bye}, step_out: {1: bye}}", (10, 51), "key-taken", "one of the two"),
        ("{queue: sales, full: by}", (10, 27), "unknown-node", "did you mean `bye`?"),
        ("{queue: sales, held_for_s: 1}", (10, 33), "out-of-range", ""),
        ("{queue: sales, wait_s: 3}", (10, 21), "unknown-key", "did you mean `max_wait_s`?"),
    ],
)
def test_a_faulty_node_is_refused_at_its_place(node: str, place: tuple[int, int], code: str, hint: str) -> None:
    (fault,) = faults_of(text_of(f"a: {node}"))
    assert (fault.line, fault.column, fault.code) == (*place, code)
    assert hint in fault.hint


def test_queues_are_not_checked_while_their_own_files_have_faults() -> None:
    text = text_of("a: {queue: anything}")
    assert faults_of(text)
    assert not faults_of(text, replace(AROUND, queues=None))
    assert not faults_of(text, replace(AROUND, is_known=False))


# the path

WAY = (
    "a: {goto: b}\nb: {gather: ask, save: n, next: c}\nc: {queue: sales, otherwise: d}\nd: {goto: {flow: billing}}"
)


def test_a_run_knows_the_nodes_it_came_through() -> None:
    _, waiting = walk(flow_of(WAY), [Gathered("1", "full")])
    assert waiting.run.path == ("test/a", "test/b", "test/c")
    again = waiting.run.resume_with(rung("busy"), NOON)
    assert again.run.path == waiting.run.path, "waiting on is no new node"
    ended = again.run.advance(NotServed("max_wait"), NOON)
    assert ended.run.path == ("test/a", "test/b", "test/c", "test/d")


def test_the_path_goes_on_in_the_next_flow() -> None:
    ended = walk(flow_of("a: {goto: {flow: billing}}"), [])[-1]
    assert ended.run.into(flow_of(PLAIN)).start(NOON).run.path == ("test/a", "test/a")


def test_the_path_keeps_its_last_fifty() -> None:
    run = answered(flow_of("a: {play: hello, next: b}\nb: {play: ask, next: a}")).run
    for _ in range(60):
        run = run.advance(Done(), NOON).run
    assert len(run.path) == 50
    assert run.path[-2:] == ("test/b", "test/a")


def test_the_path_is_in_the_snapshot_and_a_later_place_is_added() -> None:
    at_b, at_c = walk(flow_of(WAY), [Gathered("1", "full")])
    snapshot = json.loads(json.dumps(at_b.run.snapshot()))
    assert FlowRun.restore(at_b.run.flow, CALL, snapshot).path == ("test/a", "test/b")
    place = parse_checkpoint(at_c.run.checkpoint())
    assert FlowRun.restore(at_b.run.flow, CALL, snapshot, at=place).path == ("test/a", "test/b", "test/c")
    assert bare(at_b.run.flow, at_c).path == ("test/c",)


def test_a_snapshot_of_an_earlier_release_has_no_path() -> None:
    step = answered(flow_of(PLAIN))
    snapshot = {key: value for key, value in step.run.snapshot().items() if key != "path"}
    assert FlowRun.restore(step.run.flow, CALL, snapshot).path == ()


# who is asked for


def asked(options: str, language: str = "en") -> Needs:
    """What the node asks of an agent, of a caller who speaks this."""
    verb = answered(flow_of(f"a0: {{language: {language}, next: a}}\na: {{queue: sales, {options}}}")).verb
    assert isinstance(verb, Enqueue)
    return verb.needs


def test_skills_are_asked_for_as_they_stand_or_worked_out() -> None:
    options = (
        "require: {internet: 2, spanish: {cel: \"call.language == 'es' ? 3 : 0\"}}, prefer: {calm: {cel: 40 + 2}}"
    )
    assert asked(options) == Needs((("internet", 2), ("spanish", 0)), (("calm", 10),))
    assert asked(options, "es").require == (("internet", 2), ("spanish", 3))


def test_steps_and_the_agent_tried_first_are_asked_for() -> None:
    steps = "relax: [{after_s: 30, lower: {spanish: 1}}, {after_s: 60, swap: {spanish: english}}]"
    needs = asked(f"require: {{spanish: 3}}, {steps}, agent: last, agent_s: 15")
    assert needs.relax == (
        RelaxStep(30.0, lower=(("spanish", 1),)),
        RelaxStep(60.0, swap=(("spanish", "english"),)),
    )
    assert (needs.agent, needs.agent_s) == ("last", 15.0)
    assert asked("agent: {cel: call.ani}").agent == CALL.ani
    assert asked("agent_s: 15") == Needs(), "nobody to keep it for"


def test_who_is_not_to_have_the_call_is_named_or_worked_out() -> None:
    worked_out = "exclude: [last, {cel: \"call.language == 'es' ? 'carol' : ''\"}]"
    assert asked(worked_out).exclude == ("last",), "nobody is not an agent"
    assert asked(worked_out, "es").exclude == ("last", "carol")


TEAM = replace(
    AROUND,
    agents={"alice": "PJSIP/1001", "bob": "PJSIP/1002"},
    queue_skills={"sales": QueueSkills(agents={"alice": {}, "bob": {}})},
)


@pytest.mark.parametrize(
    ("exclude", "said"),
    [
        ("[alice]", []),
        ("[alcie]", [("unknown-agent", 10, 31)]),
        ("[alice, bob]", [("needs-never-met", 10, 30)]),
        ("[{cel: call.visits}]", [("unknown-variable", 10, 37)]),
    ],
)
def test_who_cannot_be_excluded(exclude: str, said: list[tuple[str, int, int]]) -> None:
    found = faults_of(text_of(f"a: {{queue: sales, exclude: {exclude}, otherwise: bye}}"), TEAM)
    assert [(one.code, one.line, one.column) for one in found] == said


def test_a_level_that_is_worked_out_is_a_whole_number() -> None:
    (found,) = faults_of(text_of("a: {queue: sales, require: {spanish: {cel: call.language}}}"))
    assert (found.code, found.message) == ("expression-type", "this gives text, not a whole number")
