"""Callbacks and cut-off calls in a real store: whose place is whose, whom to dial now, what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cordboard.acd.cut_off import UNTOLD_S
from cordboard.acd.model import LeftBecause, OfferEnd, Presence
from cordboard.bootstrap.queue_report import queue_now
from cordboard.store.acd_reads import why
from cordboard.store.callback_attempts import MARGIN_S, RING_BACK, leg_of
from cordboard.store.queue_log_rows import all_log_lines
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused
from cordboard.telephony.ports import DeviceState
from tests.doubles.callback_kit import CUT_OFF, NUMBERS, POLICY, plan
from tests.doubles.callback_kit import CallbackKit as Kit
from tests.doubles.databases import ENGINES, empty_database


@pytest.fixture(scope="module", params=ENGINES)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    kit = Kit(empty_database(request.param, tmp_path_factory.mktemp("callbacks")))
    yield kit
    kit.close()


@pytest.fixture
def kit(kept: Kit) -> Kit:
    kept.clear()
    return kept


# -- the place --


def test_who_asks_from_the_queue_keeps_place_time_and_priority(kit: Kit) -> None:
    first = kit.arrives("c1", NUMBERS[1], priority=3)
    kit.pass_time(10)
    kit.arrives("c2", NUMBERS[2], priority=3)
    before = kit.place(first)
    booked = kit.book("c1", NUMBERS[1], priority=9)
    assert isinstance(booked, CallbackBooked)
    after = kit.place(first)
    assert (after.state, after.kind, after.call_id) == ("away", "callback", booked.callback_id)
    assert (after.entered_at, after.priority) == (before.entered_at, 3)
    assert kit.positions("c2") == [2], "it counts for those behind"


def test_why_tells_the_whole_of_a_place_by_the_call_that_asked_and_by_the_one_that_came_of_it(kit: Kit) -> None:
    kit.arrives("c1", NUMBERS[1])
    booked = kit.book("c1", NUMBERS[1])
    assert isinstance(booked, CallbackBooked)
    kit.pass_time(15)
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id, NUMBERS[1])
    told, by_promise, by_attempt = (
        [line.text for line in kit.do(lambda c, call=call: why(c, call, now=kit.now, plan=kit.store.plan))]
        for call in ("c1", booked.callback_id, attempt.call_id)
    )
    assert told == by_promise == by_attempt
    assert told[:2] == ["entered sales", "keeps the place for a call back"]
    assert f"waits in sales again, as call {attempt.call_id}" in told
    listed = queue_now("sales", kit.store.plan, kit.snapshot(), kit.ledger(), 0.0)
    assert [waiting.call_id for waiting in listed.waiting] == [attempt.call_id]


def test_who_asks_from_outside_the_queue_stands_last(kit: Kit) -> None:
    kit.arrives("c1", NUMBERS[1])
    kit.pass_time(1)
    booked = kit.book("elsewhere", NUMBERS[2])
    assert isinstance(booked, CallbackBooked)
    assert kit.positions("c1", booked.callback_id) == [1, 2]


def test_one_promise_for_a_number_and_queue(kit: Kit) -> None:
    booked = kit.book("c1")
    assert kit.book("c1") == booked
    assert kit.book("c2") == CallbackRefused("already")
    assert kit.book("c3", NUMBERS[1]) != CallbackRefused("already")


def test_a_queue_that_does_not_dial_leaves_it_to_people(kit: Kit) -> None:
    kit.store.plan = plan(None)
    place = kit.arrives("c1")
    kit.do(lambda c: kit.store.step_out(c, kit.now, "c1", kit.now.boot + 60))
    assert isinstance(kit.book("c1"), CallbackBooked)
    assert (kit.place(place).state, kit.place(place).left_because) == ("left", "callback")
    assert kit.claim().attempts == ()


def test_nobody_is_offered_a_caller_who_is_to_be_called_back(kit: Kit) -> None:
    kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    assert not kit.offers()


def test_the_customers_own_new_call_takes_the_older_place(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.pass_time(50)
    kit.arrives("c2", NUMBERS[2])
    assert kit.arrives("again") == place
    assert kit.positions("again", "c2") == [1, 2]
    (promise,) = kit.promises()
    assert promise.state == "taken"


def test_who_called_themselves_and_asks_again_keeps_the_place_a_second_time(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.pass_time(50)
    kit.arrives("again")
    kit.book("again")
    kit.claim()
    assert (kit.place(place).state, [one.state for one in kit.promises()]) == ("away", ["taken", "waiting"])


def talk_that_is_cut_off(kit: Kit, call_id: str) -> None:
    kit.talk(call_id)
    (offer,) = [row for row in kit.offers().values() if row.state == "talking"]
    kit.leg("gone", offer.offer_id)
    kit.pass_time(1)
    kit.left(call_id)


def rung_back(kit: Kit) -> str:
    """Somebody whose talk was cut off is on the line again; the call that was made for it."""
    kit.presence("agent0")
    kit.arrives("c1")
    talk_that_is_cut_off(kit, "c1")
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id)
    return attempt.call_id


def test_who_is_called_back_and_cut_off_again_is_rung_back_again(kit: Kit) -> None:
    talk_that_is_cut_off(kit, rung_back(kit))
    assert [(one.state, one.reason) for one in kit.promises()] == [("done", "cut_off"), ("waiting", "cut_off")]


def test_who_is_rung_back_is_one_call_in_the_queue_log_with_their_number(kit: Kit) -> None:
    kit.talk(rung_back(kit))
    lines = [line.split("|") for line in kit.do(lambda c: list(all_log_lines(c, "full")))]
    _, entered = [line for line in lines if line[4] == "ENTERQUEUE"]
    _, joined = [line for line in lines if line[4] == "CONNECT"]
    assert (entered[1], entered[6]) == (joined[1], NUMBERS[0])


def test_who_left_while_nothing_could_be_written_left_when_they_did(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.pass_time(10)
    left_at = kit.now.wall
    kit.pass_time(30)
    kit.do(lambda c: kit.store.leave(c, kit.now, "c1", LeftBecause.ABANDONED, left_at))
    assert kit.place(place).state == "away", "why they left may be told yet"
    kit.pass_time(UNTOLD_S)
    kit.sweep()
    assert [row.at for row in kit.ledger("stepped_out", "left_queue")] == [left_at, left_at]
    assert kit.place(place).left_at == left_at


def test_a_place_is_looked_after_until_it_is_given_up(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    for _ in range(POLICY.attempts):
        (attempt,) = kit.claim().attempts
        kit.attempt_ended(attempt)
        kit.pass_time(POLICY.retry_after_s)
    assert kit.place(place).state == "away"
    assert kit.do(lambda c: kit.callbacks.is_any_open(c, kit.now)), "nobody would look any more"
    kit.claim()
    assert kit.place(place).left_because == "callback"
    assert not kit.do(lambda c: kit.callbacks.is_any_open(c, kit.now))


def test_a_caller_without_a_number_gets_nobodys_place(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    assert kit.arrives("anonymous", "") != place
    assert kit.promises()[0].state == "waiting"


# -- dialling --


def test_nobody_is_dialled_while_no_agent_is_there(kit: Kit) -> None:
    kit.book("c1")
    assert kit.claim().attempts == ()
    kit.presence("agent0")
    kit.device("PJSIP/agent0", DeviceState.UNAVAILABLE)
    assert kit.claim().attempts == (), "nor while there is no phone for the agent"


def test_a_free_agent_is_one_customer_dialled(kit: Kit) -> None:
    for n in range(3):
        kit.book(f"c{n}", NUMBERS[n])
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    assert (attempt.number, attempt.leg_id) == (NUMBERS[0], leg_of(attempt.call_id))
    assert kit.claim().attempts == (), "the agent is spoken for"


def test_those_who_wait_in_front_come_first(kit: Kit) -> None:
    kit.arrives("c1", NUMBERS[1])
    kit.book("c2", NUMBERS[2])
    kit.presence("agent0")  # gets c1
    assert kit.claim().attempts == ()
    kit.presence("agent1")
    assert [one.number for one in kit.claim().attempts] == [NUMBERS[2]]


def test_an_agent_whose_notes_end_while_the_phone_rings_counts(kit: Kit) -> None:
    kit.presence("agent0")
    kit.arrives("c1", NUMBERS[1])
    offer = next(iter(kit.offers().values()))
    kit.talk("c1")
    kit.book("c2", NUMBERS[2])
    kit.pass_time(5)
    kit.leg("gone", offer.offer_id)
    kit.settle("c1", offer.offer_id, OfferEnd.SERVED, joined_at=kit.now.wall - 5)
    assert len(kit.claim().attempts) == 1, "20 s of notes, 25 s of ringing"


def test_a_customer_who_picks_up_waits_in_the_old_place_and_is_served(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.pass_time(100)
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    assert kit.do(lambda c: kit.callbacks.called_back(c, kit.now, attempt.call_id)) is not None
    assert kit.arrives(attempt.call_id) == place
    assert kit.place(place).entered_at == kit.now.wall - 100
    kit.talk(attempt.call_id)
    kit.leave(attempt.call_id)
    kit.claim()
    (promise,) = kit.promises()
    assert (promise.state, promise.last_result, promise.attempts) == ("done", "served", 1)


def test_who_is_not_reached_is_tried_again_later_and_not_for_ever(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.attempt_ended(attempt)
    kit.attempt_ended(attempt)
    assert kit.claim().attempts == (), "not so soon"
    assert kit.place(place).state == "away"
    kit.pass_time(POLICY.retry_after_s + 1)
    (second,) = kit.claim().attempts
    kit.attempt_ended(second, "busy")
    kit.claim()
    (promise,) = kit.promises()
    assert (promise.state, promise.last_result, promise.attempts) == ("failed", "busy", 2)
    assert (kit.place(place).state, kit.place(place).left_because) == ("left", "callback")


def test_a_promise_expires(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.pass_time(POLICY.expires_s + 1)
    kit.claim()
    assert (kit.promises()[0].state, kit.place(place).state) == ("expired", "left")


def test_a_promise_does_not_expire_while_the_phone_rings(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    kit.pass_time(POLICY.expires_s - 5)
    (attempt,) = kit.claim().attempts
    kit.pass_time(10)
    kit.claim()
    assert kit.arrives(attempt.call_id) == place


def test_who_waited_and_hung_up_after_being_called_has_abandoned(kit: Kit) -> None:
    kit.store.plan = plan(cut_off=None)
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.presence("agent0", Presence.PAUSED, "break")
    kit.arrives(attempt.call_id)
    kit.leave(attempt.call_id)
    assert kit.place(place).left_because == "abandoned"
    kit.claim()
    assert kit.promises()[0].state == "failed"


def test_a_leg_that_ends_before_the_queue_is_an_attempt_and_keeps_the_place(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.leave(attempt.call_id)
    assert kit.place(place).state == "away"
    assert (kit.promises()[0].state, kit.promises()[0].leg_id) == ("waiting", "")


def test_an_attempt_nobody_told_of_is_looked_up_and_its_leg_decides(kit: Kit) -> None:
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.pass_time(POLICY.ring_s + MARGIN_S + 1)
    assert kit.claim().overdue == {attempt.leg_id: attempt.call_id}
    kit.do(lambda c: kit.callbacks.settle_overdue(c, kit.now, {attempt.leg_id}))
    assert kit.claim().overdue == {}, "it lives: it has a little longer"
    kit.pass_time(MARGIN_S + 1)
    kit.do(lambda c: kit.callbacks.settle_overdue(c, kit.now, set()))
    assert kit.promises()[0].last_result == "unknown"


def test_the_agent_first_counts_no_attempt_for_an_agent_who_does_not_take_it(kit: Kit) -> None:
    kit.store.plan = plan(replace(POLICY, dial="agent_first"))
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id)  # the leg that stands in for the customer
    (offer,) = kit.offers().values()
    kit.settle(attempt.call_id, offer.offer_id, OfferEnd.REJECTED)
    assert kit.place(place).state == "waiting"
    kit.leave(attempt.call_id)
    assert (kit.place(place).state, kit.promises()[0].attempts) == ("away", 0)
    kit.pass_time(POLICY.retry_after_s + 1)
    (again,) = kit.claim().attempts
    kit.arrives(again.call_id)
    taken = next(row for row in kit.offers().values() if row.state != "ended")
    kit.leg("answered", taken.offer_id)
    kit.settle(again.call_id, taken.offer_id, OfferEnd.CALLER_LEFT, here=False)
    assert (kit.place(place).state, kit.promises()[0].attempts) == ("away", 1)


@pytest.mark.parametrize("tells_first", [True, False])
def test_why_a_customer_did_not_come_to_an_agent_is_known_whoever_tells_first(kit: Kit, tells_first: bool) -> None:
    kit.store.plan = plan(replace(POLICY, dial="agent_first"))
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id)
    (offer,) = kit.offers().values()
    kit.leg("answered", offer.offer_id)
    steps = [
        lambda: kit.do(lambda c: kit.callbacks.not_reached(c, kit.now, attempt.call_id, "busy")),
        lambda: kit.settle(attempt.call_id, offer.offer_id, OfferEnd.CALLER_LEFT, here=False),
    ]
    for step in steps if tells_first else reversed(steps):
        step()
    (promise,) = kit.promises()
    assert (promise.state, promise.last_result, promise.attempts) == ("waiting", "busy", 1)
    kit.pass_time(POLICY.retry_after_s + 1)
    (again,) = kit.claim().attempts
    kit.do(lambda c: kit.callbacks.not_reached(c, kit.now, attempt.call_id, "busy"))
    assert kit.promises()[0].last_result == "", "that was of the attempt before"
    kit.attempt_ended(again, "no_answer")
    assert kit.promises()[0].last_result == "no_answer"


# -- cut off --


def test_who_was_cut_off_while_waiting_comes_back_to_the_same_place(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.pass_time(5)
    kit.arrives("c2", NUMBERS[2])
    kit.leave("c1")
    kit.left("c1")
    assert (kit.place(place).state, kit.place(place).kind) == ("away", "cut_off")
    kit.presence("agent0")
    assert [row.call_id for row in kit.offers().values()] == ["c2"], "nobody is offered somebody who is not there"
    kit.pass_time(60)
    assert kit.arrives("back") == place


@pytest.mark.parametrize("tells_first", [True, False])
def test_a_cut_off_may_be_told_before_or_after_the_caller_is_missed(kit: Kit, tells_first: bool) -> None:
    place = kit.arrives("c1")
    for step in (kit.left, kit.leave) if tells_first else (kit.leave, kit.left):
        step("c1")
    kit.pass_time(UNTOLD_S + 1)
    kit.sweep()
    assert (kit.place(place).state, kit.place(place).kind) == ("away", "cut_off")
    kit.pass_time(CUT_OFF.hold_s)
    kit.sweep()
    assert (kit.place(place).state, kit.place(place).left_because) == ("left", "cut_off")


def test_who_hung_up_has_abandoned_as_of_then(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.pass_time(7)
    kit.leave("c1")
    kit.pass_time(UNTOLD_S + 1)
    kit.sweep()
    assert kit.place(place).left_because == "abandoned"
    (gone,) = kit.ledger("left_queue")
    assert gone.data["wait_s"] == pytest.approx(7.0)


def test_an_ordinary_cause_is_no_cut_off(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.leave("c1")
    kit.left("c1", cause=31)
    assert kit.place(place).left_because == "abandoned"


def test_a_stranger_without_a_number_never_gets_a_held_place(kit: Kit) -> None:
    place = kit.arrives("c1", "")
    kit.leave("c1")
    kit.left("c1")
    assert kit.arrives("stranger", "") != place
    other = kit.arrives("c2", NUMBERS[3])
    kit.leave("c2")
    kit.left("c2")
    assert kit.arrives("stranger2", NUMBERS[4]) != other


def test_a_queue_without_cut_off_lets_everybody_go_at_once(kit: Kit) -> None:
    kit.store.plan = plan(cut_off=None)
    place = kit.arrives("c1")
    kit.leave("c1")
    assert kit.place(place).left_because == "abandoned"
    kit.left("c1")
    assert kit.promises() == []


def test_a_talk_that_was_cut_off_is_rung_back_for_the_same_agent_first(kit: Kit) -> None:
    kit.presence("agent1")
    kit.arrives("c1")
    assert kit.talk("c1") == "agent1"
    kit.pass_time(30)
    kit.presence("agent0")
    kit.pass_time(1)
    offer = next(iter(kit.offers().values()))
    kit.leg("gone", offer.offer_id)
    kit.settle("c1", offer.offer_id, OfferEnd.SERVED, joined_at=kit.now.wall - 31, here=False)
    kit.left("c1")
    kit.left("c1")
    assert kit.agents()["agent1"].activity == "wrap_up"
    (attempt,) = kit.claim().attempts
    assert (attempt.number, attempt.policy) == (NUMBERS[0], RING_BACK)
    kit.pass_time(8)
    kit.arrives(attempt.call_id)
    (again,) = [row for row in kit.offers().values() if row.state != "ended"]
    assert again.agent == "agent1", "though agent0 has been free for longer"


def test_the_ring_back_goes_to_another_agent_if_that_one_does_not_come(kit: Kit) -> None:
    kit.presence("agent1")
    kit.arrives("c1")
    kit.talk("c1")
    kit.left("c1")  # told while they still seem to talk
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id)
    kit.presence("agent0")
    assert len([row for row in kit.offers().values() if row.state != "ended"]) == 1, "kept for agent1"
    kit.pass_time(RING_BACK.ring_s + CUT_OFF.agent_s + 1)
    kit.renew("w1")
    kit.sweep()
    assert [row.agent for row in kit.offers().values() if row.state == "offered"] == ["agent0"]


@pytest.mark.parametrize("presence", [Presence.PAUSED, Presence.LOGGED_OUT])
def test_nobody_is_rung_back_for_an_agent_who_has_gone(kit: Kit, presence: Presence) -> None:
    kit.presence("agent1")
    kit.arrives("c1")
    talk_that_is_cut_off(kit, "c1")
    kit.presence("agent1", presence)
    assert kit.claim().attempts == (), "nobody is at work"
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.arrives(attempt.call_id)
    assert [row.agent for row in kit.offers().values() if row.state != "ended"] == ["agent0"]


def test_who_was_called_back_and_is_cut_off_while_waiting_is_called_again(kit: Kit) -> None:
    place = kit.arrives("c1")
    kit.book("c1")
    kit.presence("agent0")
    (attempt,) = kit.claim().attempts
    kit.presence("agent0", Presence.PAUSED, "break")
    kit.arrives(attempt.call_id)
    kit.leave(attempt.call_id)
    kit.left(attempt.call_id)
    assert (kit.place(place).state, kit.place(place).kind) == ("away", "callback")
    assert (kit.promises()[0].state, kit.promises()[0].last_result) == ("waiting", "cut off")


def test_a_talk_that_was_hung_up_is_not_rung_back(kit: Kit) -> None:
    kit.presence("agent1")
    kit.arrives("c1")
    kit.talk("c1")
    kit.left("c1", cause=16)
    assert kit.promises() == []


def test_a_queue_that_rings_nobody_back_holds_places_all_the_same(kit: Kit) -> None:
    kit.store.plan = plan(cut_off=replace(CUT_OFF, ring_back=False))
    waits = kit.arrives("c1", NUMBERS[1])
    kit.left("c1")
    kit.presence("agent1")
    kit.arrives("c2")
    talk_that_is_cut_off(kit, "c2")
    assert (kit.promises(), kit.place(waits).kind) == ([], "cut_off")


def test_fifty_callers_and_callbacks_are_served_in_the_order_of_their_coming(kit: Kit) -> None:
    """As if nobody had asked to be called back; and no more are dialled than agents are free, or will be soon."""
    kit.store.plan = plan(agents=3)
    for n in range(3):
        kit.presence(f"agent{n}")
    order = []
    for n in range(50):
        place = kit.arrives(f"c{n}", NUMBERS[n], priority=n % 3 if n > 2 else 9)
        order.append((-kit.place(place).priority, kit.now.wall, place))
        if n > 2 and n % 2:
            kit.book(f"c{n}", NUMBERS[n])
        kit.pass_time(1)
    wanted = [place for _, _, place in sorted(order)]
    served: list[str] = []
    while len(served) < 50:
        rung = [row for row in kit.offers().values() if row.state in ("offered", "ringing")]
        served += sorted((row.entry_id for row in rung), key=wanted.index)  # offered in the same moment
        for row in rung:
            kit.leg("joined", row.offer_id)
        kit.pass_time(2)
        for row in rung:
            kit.leg("gone", row.offer_id)
            kit.settle(row.call_id, row.offer_id, OfferEnd.SERVED, joined_at=kit.now.wall - 2, here=False)
        attempts = kit.claim().attempts
        assert len(attempts) <= len(rung)
        for attempt in attempts:
            kit.arrives(attempt.call_id, attempt.number)
        kit.pass_time(21)
        kit.renew("w1")
        kit.sweep()
    assert served == wanted
