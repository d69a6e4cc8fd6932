"""Places and promises outlast what goes wrong around them: restarts, caps, workers that die, other queues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import Agent, FloorPlan, LeftBecause, Moment, Needs, OfferEnd, Queue
from cordboard.acd.needs_json import needs_from_json
from cordboard.acd.waiting_rules import OverflowStep
from cordboard.store.acd_values import Entered, Entering
from cordboard.store.boot import forget_other_boots
from cordboard.store.callback_attempts import Attempt
from cordboard.store.callbacks import CallbackAsked
from cordboard.telephony.ports import DeviceState
from tests.doubles.callback_kit import CUT_OFF, NUMBERS, POLICY, CallbackKit, plan
from tests.doubles.databases import ENGINES, empty_database

SOLD, HELP = ("sold", 3), ("help", 4)


@pytest.fixture(scope="module", params=ENGINES)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallbackKit]:
    kit = CallbackKit(empty_database(request.param, tmp_path_factory.mktemp("places")))
    yield kit
    kit.close()


@pytest.fixture
def kit(kept: CallbackKit) -> CallbackKit:
    kept.clear()
    return kept


def restart(kit: CallbackKit) -> None:
    """The machine was off for a minute. Everybody on the phone is gone, and the boot clock begins anew."""
    kit.now = Moment(kit.now.wall + 60.0, 20.0)
    kit.do(lambda c: forget_other_boots(c, f"boot at {kit.now.wall}"))
    phones(kit, DeviceState.UNAVAILABLE)
    kit.reconcile()
    kit.sweep()
    if kit.claim().overdue:
        kit.do(lambda c: kit.callbacks.settle_overdue(c, kit.now, set()))


def phones(kit: CallbackKit, state: DeviceState) -> None:
    for agent in kit.store.plan.agents.values():
        kit.device(agent.device, state)


def dialled(kit: CallbackKit, policy: CallbackPolicy = POLICY) -> tuple[str, Attempt]:
    """A customer who is being called back for an agent; the place."""
    kit.store.plan = plan(policy)
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    return place, attempt


def is_due_again(kit: CallbackKit, place: str) -> None:
    """The promise and its place are as before the attempt, and the customer is dialled again at once."""
    (promise,) = kit.promises()
    assert (promise.state, promise.leg_id, promise.attempts) == ("waiting", "", 0)
    entry = kit.place(place)
    assert (entry.state, entry.kind, entry.call_id) == ("away", "callback", promise.callback_id)
    assert not kit.ledger("left_queue")
    phones(kit, DeviceState.IDLE)
    (again,) = kit.claim().attempts
    assert again.callback_id == promise.callback_id


# -- a restart of the machine --


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_customer_who_waited_when_the_machine_went_down_is_called_again(kit: CallbackKit, attempts: int) -> None:
    place, attempt = dialled(kit, replace(POLICY, attempts=attempts))
    phones(kit, DeviceState.IN_USE)
    kit.arrives(attempt.call_id)
    assert kit.place(place).state == "waiting"
    restart(kit)
    is_due_again(kit, place)


@pytest.mark.parametrize("rings", [False, True])
def test_a_customer_for_whom_an_agent_was_found_is_called_again(kit: CallbackKit, rings: bool) -> None:
    place, attempt = dialled(kit)
    kit.arrives(attempt.call_id)
    if rings:
        kit.leg("ringing", next(iter(kit.offers())))
    assert kit.place(place).state == "offered"
    restart(kit)
    is_due_again(kit, place)


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_customer_whose_phone_may_have_rung_is_called_again(kit: CallbackKit, attempts: int) -> None:
    place, _ = dialled(kit, replace(POLICY, attempts=attempts))
    restart(kit)
    is_due_again(kit, place)


def test_an_attempt_at_an_agent_first_is_none_either(kit: CallbackKit) -> None:
    place, attempt = dialled(kit, replace(POLICY, dial="agent_first"))
    kit.arrives(attempt.call_id)
    kit.leg("answered", next(iter(kit.offers())))
    restart(kit)
    is_due_again(kit, place)


def test_a_talk_that_the_machine_ended_has_kept_the_promise(kit: CallbackKit) -> None:
    place, attempt = dialled(kit)
    kit.arrives(attempt.call_id)
    kit.talk(attempt.call_id)
    restart(kit)
    kit.claim()
    assert (kit.promises()[0].state, kit.place(place).left_because) == ("done", "served")


def test_who_hung_up_for_reasons_unknown_is_called_again(kit: CallbackKit) -> None:
    place, attempt = dialled(kit)
    phones(kit, DeviceState.IN_USE)
    kit.arrives(attempt.call_id)
    kit.leave(attempt.call_id)
    assert kit.place(place).kind == "hung_up"
    restart(kit)
    is_due_again(kit, place)


@pytest.mark.parametrize("is_back", [False, True])
def test_a_customer_who_has_stepped_out_of_the_line_is_called_again(kit: CallbackKit, is_back: bool) -> None:
    place, attempt = dialled(kit)
    phones(kit, DeviceState.IN_USE)
    kit.arrives(attempt.call_id)
    kit.do(lambda c: kit.store.step_out(c, kit.now, attempt.call_id, kit.now.boot + 60))
    if is_back:
        kit.arrives(attempt.call_id)
    restart(kit)
    is_due_again(kit, place)


def test_a_customer_who_has_stepped_out_has_waited_no_longer_for_that(kit: CallbackKit) -> None:
    kit.store.plan = plan()
    kit.arrives("c1")
    kit.book("c1")
    kit.pass_time(3_000)
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    phones(kit, DeviceState.IN_USE)
    kit.arrives(attempt.call_id)
    kit.do(lambda c: kit.store.step_out(c, kit.now, attempt.call_id, kit.now.boot + 60))
    back = Entering(attempt.call_id, "leg", "asterisk", "sales", "en", 0, kit.now.wall, "w1", max_wait_s=600.0)
    assert kit.do(lambda c: kit.store.enter(c, kit.now, back)).left is None


def test_a_place_of_who_was_cut_off_is_held_for_as_long_again(kit: CallbackKit) -> None:
    place = kit.arrives("c1")
    kit.leave("c1")
    kit.left("c1")
    restart(kit)
    kit.pass_time(CUT_OFF.hold_s - 1)
    kit.sweep()
    assert kit.place(place).kind == "cut_off"
    assert kit.arrives("c2") == place
    kit.leave("c2")
    kit.left("c2")
    restart(kit)
    kit.pass_time(CUT_OFF.hold_s + 1)
    kit.sweep()
    assert kit.place(place).left_because == "cut_off"


def test_a_customer_lost_without_a_restart_is_called_again_later(kit: CallbackKit) -> None:
    place, attempt = dialled(kit)
    phones(kit, DeviceState.IN_USE)
    kit.arrives(attempt.call_id)
    kit.leave(attempt.call_id, LeftBecause.LOST)
    phones(kit, DeviceState.IDLE)
    assert (kit.promises()[0].attempts, kit.claim().attempts) == (0, ())
    kit.pass_time(POLICY.retry_after_s)
    is_due_again(kit, place)


# -- caps --


def test_what_the_caps_refuse_is_no_attempt(kit: CallbackKit) -> None:
    place, attempt = dialled(kit, replace(POLICY, attempts=1))
    kit.do(lambda c: kit.callbacks.attempt_ended(c, kit.now, attempt.call_id, "too many calls", counts=False))
    (promise,) = kit.promises()
    assert (promise.last_result, kit.claim().attempts) == ("too many calls", ())
    kit.pass_time(POLICY.retry_after_s)
    is_due_again(kit, place)


# -- one queue after another --


def two_queues(**sales: Any) -> FloorPlan:
    """Sales sends callers on to help after 10 s; each asks for a skill of its own."""
    steps = (OverflowStep(wait_s=10.0, to="help"),)
    first = Queue("sales", needs=Needs(require=(SOLD,), agent="ann", agent_s=60.0), overflow=steps, **sales)
    second = Queue("help", needs=Needs(require=(HELP,)), callback=POLICY, cut_off=CUT_OFF)
    agents = (
        Agent("ann", "Ann", "PJSIP/1", ("sales", "help"), skills={"sold": 5}),
        Agent("ben", "Ben", "PJSIP/2", ("sales", "help"), skills={"help": 5}),
        Agent("cem", "Cem", "PJSIP/3", ("sales", "help"), skills={"help": 5, "spanish": 5}),
    )
    return FloorPlan({"sales": first, "help": second}, {one.name: one for one in agents})


def overflow(kit: CallbackKit, call_id: str) -> Entered:
    kit.renew("w1")
    (verdict,), _ = kit.do(lambda c: kit.store.review(c, kit.now, "w1", [call_id]))
    assert verdict.entered is not None
    return verdict.entered


@pytest.mark.parametrize(
    ("asked", "agent"),
    [(Needs(), "ben"), (Needs(require=(("spanish", 1),)), "cem"), (Needs(exclude=("ben",)), "cem")],
)
def test_who_goes_on_is_asked_what_the_second_queue_asks_and_the_flow_has_asked(
    kit: CallbackKit, asked: Needs, agent: str
) -> None:
    kit.store.plan = two_queues()
    kit.enter("c1", needs=asked)
    kit.pass_time(10)
    overflow(kit, "c1")
    kit.presence("ann")
    assert not kit.offers(), "sold is a matter of the first queue"
    if agent != "ben":
        kit.presence("ben")
        assert not kit.offers()
    kit.presence(agent)
    assert [offer.agent for offer in kit.offers().values()] == [agent]


def test_what_the_flow_has_lifted_stays_lifted_and_who_has_refused_is_known(kit: CallbackKit) -> None:
    kit.store.plan = two_queues(not_again_s=100.0)
    kit.enter("c1", needs=Needs(require=(("sold", 0), ("help", 0))))
    kit.presence("ben")
    (offer,) = kit.take("w1", "c1")
    kit.settle("c1", offer.offer_id, OfferEnd.NO_ANSWER)
    kit.pass_time(10)
    moved = overflow(kit, "c1")
    needs = needs_from_json(kit.place(moved.entry_id).needs)
    assert needs == Needs(refused=(("ben", 100.0),))


def promised(kit: CallbackKit, queue: str = "help") -> str:
    """An older place in a queue that dials back; nobody is at work there."""
    kit.note_caller("before", NUMBERS[0])
    place = kit.enter("before", queue).entry_id
    asked = CallbackAsked("before", queue, NUMBERS[0], "en", 0, kit.now.wall)
    kit.do(lambda c: kit.callbacks.book(c, kit.now, asked))
    kit.pass_time(100)
    return place


def cut_off_before(kit: CallbackKit, queue: str = "help") -> str:
    kit.note_caller("before", NUMBERS[0])
    place = kit.enter("before", queue).entry_id
    kit.leave("before")
    kit.left("before")
    kit.pass_time(100)
    return place


@pytest.mark.parametrize("older", [promised, cut_off_before])
@pytest.mark.parametrize("steps_out", [False, True])
def test_who_comes_from_another_queue_takes_the_older_place_they_have_here(
    kit: CallbackKit, older: Any, steps_out: bool
) -> None:
    kit.store.plan = two_queues()
    place = older(kit)
    kit.arrives("c1")
    if steps_out:
        kit.do(lambda c: kit.store.step_out(c, kit.now, "c1", kit.now.boot + 60))
    assert kit.enter("c1", "help").entry_id == place
    assert [(row.queue, row.state) for row in kit.entries() if row.call_id == "c1" and row.state != "left"] == [
        ("help", "waiting")
    ]
    assert {promise.state for promise in kit.promises()} <= {"taken"}


@pytest.mark.parametrize("older", [promised, cut_off_before])
def test_who_is_sent_on_takes_the_older_place_they_have_there(kit: CallbackKit, older: Any) -> None:
    kit.store.plan = two_queues()
    place = older(kit)
    kit.arrives("c1")
    kit.pass_time(10)
    moved = overflow(kit, "c1")
    assert (moved.entry_id, moved.queue, moved.entered_at) == (place, "help", kit.now.wall - 110)
    assert kit.enter("c1", owner="w2").entry_id == place, "the flow still asks for the first queue"
    assert {promise.state for promise in kit.promises()} <= {"taken"}
    assert sum(row.state != "left" for row in kit.entries()) == 1


# -- a worker dies that was to be told --


def wait(kit: CallbackKit, call_id: str, visit: int) -> Entered:
    """The flow has the call wait."""
    now = kit.now
    entering = Entering(call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, now.wall, "w1", visit=visit)
    return kit.do(lambda c: kit.store.enter(c, now, entering))


def come_back(kit: CallbackKit, call_id: str, came_as: int) -> Entered:
    """Another worker goes on where the last one was: in the wait."""
    now = kit.now
    back = Entering(call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, now.wall, "w2")
    return kit.do(lambda c: kit.store.enter(c, now, replace(back, visit=came_as + 1, came_as=came_as)))


RULES = [LeftBecause.MAX_WAIT, LeftBecause.EMPTY, LeftBecause.CLOSED, LeftBecause.OVERFLOW]


@pytest.mark.parametrize("because", RULES)
def test_who_was_sent_out_and_comes_back_to_the_wait_has_left_it(kit: CallbackKit, because: LeftBecause) -> None:
    first = wait(kit, "c1", 4).entry_id
    kit.pass_time(30)
    kit.leave("c1", because)
    kit.pass_time(600)
    for _ in range(2):
        back = come_back(kit, "c1", 4)
        assert (back.entry_id, back.left) == (first, because)
    assert len(kit.entries()) == 1
    assert len(kit.ledger("left_queue")) == 1


def test_who_was_sent_on_first_has_left_by_what_came_last(kit: CallbackKit) -> None:
    kit.store.plan = two_queues()
    wait(kit, "c1", 4)
    kit.pass_time(10)
    second = overflow(kit, "c1")
    kit.leave("c1", LeftBecause.CLOSED)
    back = come_back(kit, "c1", 4)
    assert (back.entry_id, back.left) == (second.entry_id, LeftBecause.CLOSED)


def test_who_left_by_a_key_and_comes_back_to_the_wait_has_pressed_it(kit: CallbackKit) -> None:
    first = wait(kit, "c1", 4)
    kit.pass_time(30)
    left = (kit.now, "c1", LeftBecause.EXIT_KEY, kit.now.wall)
    kit.do(lambda c: kit.store.leave(c, *left, held=first.held, key="9"))
    kit.pass_time(5)
    back = come_back(kit, "c1", 4)
    assert (back.entry_id, back.left, back.key) == (first.entry_id, LeftBecause.EXIT_KEY, "9")


@pytest.mark.parametrize("because", [LeftBecause.EXIT_KEY, LeftBecause.ABANDONED])
def test_who_left_otherwise_waits_anew(kit: CallbackKit, because: LeftBecause) -> None:
    """Nobody has pressed a key: the place of who had stepped out was given up."""
    kit.store.plan = plan(cut_off=None)
    first = wait(kit, "c1", 4)
    kit.leave("c1", because)
    assert come_back(kit, "c1", 4).entry_id != first.entry_id


def test_who_comes_again_by_the_flow_waits_anew(kit: CallbackKit) -> None:
    first = wait(kit, "c1", 4)
    kit.pass_time(30)
    kit.leave("c1", LeftBecause.MAX_WAIT)
    kit.pass_time(1)
    again = wait(kit, "c1", 6)
    assert again.left is None and again.entry_id != first.entry_id
    kit.pass_time(1)
    assert come_back(kit, "c1", 6).entry_id == again.entry_id


def test_who_was_to_wait_anew_when_their_worker_drained_has_not_left_that_wait(kit: CallbackKit) -> None:
    first = wait(kit, "c1", 4)
    kit.leave("c1", LeftBecause.MAX_WAIT)
    kit.pass_time(0.5)
    again = come_back(kit, "c1", 6)
    assert again.left is None and again.entry_id != first.entry_id
